// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import Foundation
import Testing

@Suite("Benchmark")
struct BenchmarkTests {
  @Test("a run has the keys of the peers' benchmark and plausible figures")
  func keys() throws {
    let fixture = try Fixture(threads: 2)
    var told: [Int] = []
    let result = try Benchmark.run(fixture.model, prompt: 20, generate: 5, runs: 3) {
      told.append($0)
    }
    #expect(told == [0, 1, 2, 3])
    #expect(result.model == "gemma3.gguf")
    #expect(result.threads == 2 && result.prompt == 20 && result.generate == 5)
    #expect(result.prefillRuns.count == 3 && result.decodeRuns.count == 3)
    #expect(result.prefillTokensPerSecond == result.prefillRuns.sorted()[1])
    #expect(result.decodeTokensPerSecond == result.decodeRuns.sorted()[1])
    #expect(result.decodeRuns.allSatisfy { $0 > 0 })
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(result))
    let keys = Set((json as? [String: Any] ?? [:]).keys)
    #expect(
      keys == [
        "model", "threads", "prompt", "generate", "prefill_tokens_per_s", "decode_tokens_per_s",
        "prefill_runs", "decode_runs", "precision", "instruction_set",
      ])
  }

  @Test("a depth is read before every run and needs room beside what is measured")
  func depth() throws {
    let model = try Fixture(threads: 2).model
    let result = try Benchmark.run(model, prompt: 6, generate: 4, runs: 2, depth: 246)
    #expect(result.prompt == 6 && result.generate == 4 && result.decodeRuns.count == 2)
    var message = ""
    do { _ = try Benchmark.run(model, prompt: 6, generate: 4, depth: 247) } catch {
      message = "\(error)"
    }
    #expect(
      message
        == "A context of 257 tokens is asked for; \(model.card.name) takes between 1 and 256.")
  }

  @Test("prefill or decode alone can be measured; nothing at all cannot")
  func parts() throws {
    let model = try Fixture(threads: 2).model
    #expect(try Benchmark.run(model, prompt: 8, generate: 0, runs: 1).decodeRuns.isEmpty)
    #expect(try Benchmark.run(model, prompt: 0, generate: 4, runs: 1).prefillRuns.isEmpty)
    var message = ""
    do { _ = try Benchmark.run(model, prompt: 0, generate: 0) } catch { message = "\(error)" }
    #expect(
      message
        == "3 runs over a prompt of 0 and 0 more tokens cannot be measured; give at least one of each."
    )
  }
}
