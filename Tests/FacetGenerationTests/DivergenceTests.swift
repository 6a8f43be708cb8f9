// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetModel
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

@Suite("Divergence")
struct DivergenceTests {
  /// Three chunks of 32, and four tokens that fill none.
  static let text: [Int32] = (0..<100).map { 5 + ($0 * 41) % 370 }

  /// Two models of one vocabulary that predict differently.
  static func models() throws -> (reference: LanguageModel, candidate: LanguageModel) {
    (try Fixture("gemma3").model, try Fixture("gemma2").model)
  }

  @Test("agrees with the definition, position by position")
  func definition() throws {
    let (reference, candidate) = try Self.models()
    let found = try reference.divergence(of: candidate, on: Self.text, chunkLength: 32)
    var (values, same): ([Double], Int) = ([], 0)
    for chunk in 0..<3 {
      var tokens = Array(Self.text[chunk * 32..<(chunk + 1) * 32])
      tokens[0] = 2  // <bos>
      // After tokens 16 … 30 comes one that counts.
      for length in 17...31 {
        let prefix = Array(tokens.prefix(length))
        let p = try Self.logProbabilities(reference, prefix)
        let q = try Self.logProbabilities(candidate, prefix)
        values.append(zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) })
        if p.firstIndex(of: p.max() ?? 0) == q.firstIndex(of: q.max() ?? 0) { same += 1 }
      }
    }
    #expect(found.count == 45 && found.chunks == 3)
    #expect(zip(found.values, values).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(found.sameTopCount == same)
    #expect(found.sameTop == Double(same) / 45)
    let sorted = values.sorted()
    #expect(abs(found.mean - values.reduce(0, +) / 45) < 1e-4)
    #expect(abs(found.median - sorted[22]) < 1e-4)
    // 0.99 · 44 = 43.56.
    #expect(abs(found.quantile(0.99) - (sorted[43] + 0.56 * (sorted[44] - sorted[43]))) < 1e-4)
    #expect(found.mean > 0.1)
  }

  private static func logProbabilities(
    _ model: LanguageModel, _ tokens: [Int32]
  ) throws -> [Double] {
    var session = try Session(model)
    let logits = try session.prefill(tokens).floats().map(Double.init)
    let total = log(logits.reduce(0) { $0 + exp($1) })
    return logits.map { $0 - total }
  }

  @Test("both perplexities are those measured alone")
  func perplexities() throws {
    let (reference, candidate) = try Self.models()
    let found = try reference.divergence(of: candidate, on: Self.text, chunkLength: 32)
    let alone = try reference.perplexity(of: Self.text, chunkLength: 32)
    let other = try candidate.perplexity(of: Self.text, chunkLength: 32)
    #expect(found.reference == alone && found.candidate == other)
    #expect(found.perplexityLoss == other.value / alone.value - 1)
  }

  @Test("a model does not diverge from itself")
  func itself() throws {
    let model = try Fixture().model
    var told: [String] = []
    let found = try model.divergence(of: model, on: Self.text, chunkLength: 16, most: 2) {
      told.append("\($0.chunks)/\($1) \($0.count)")
    }
    #expect(told == ["1/2 7", "2/2 14"])
    #expect(found.values.allSatisfy { $0 < 1e-12 })
    #expect(found.sameTop == 1 && found.perplexityLoss == 0)
  }

  @Test("models of other vocabularies, and chunks that one of them cannot take, are refused")
  func refusals() throws {
    let gemma = try Fixture("gemma3").model
    let llama = try Fixture("llama").model
    func message(_ other: LanguageModel, _ tokens: [Int32], _ length: Int) -> String {
      do {
        _ = try gemma.divergence(of: other, on: tokens, chunkLength: length)
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message(llama, Self.text, 32)
        == "Token 0 is '<pad>' in \(gemma.card.name) and '<unk>' in \(llama.card.name); only models of "
        + "one vocabulary can be compared.")
    #expect(
      message(gemma, Array(Self.text.prefix(31)), 32)
        == "The text has 31 tokens, and one chunk takes 32. Use a longer text or smaller chunks.")
    #expect(
      message(gemma, Self.text, 3)
        == "Chunks of 3 tokens are asked for; \(gemma.card.name) takes between 4 and 256.")
  }
}
