// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetModel
import FacetTensor
import Foundation
import Testing

@Suite("Perplexity")
struct PerplexityTests {
  /// 70 tokens: two chunks of 32, and six that fill none.
  static let text: [Int32] = (0..<70).map { 5 + ($0 * 37) % 370 }

  @Test("agrees with the definition, token by token")
  func definition() throws {
    let fixture = try Fixture()
    let found = try fixture.model.perplexity(of: Self.text, chunkLength: 32)
    var losses: [Double] = []
    for chunk in 0..<2 {
      var tokens = Array(Self.text[chunk * 32..<(chunk + 1) * 32])
      tokens[0] = 2  // <bos>
      var session = try Session(fixture.model)
      var logits = try session.prefill([tokens[0]]).floats()
      for position in 1..<32 {
        // Tokens 17 … 31 have at least half a chunk before them.
        if position > 16 {
          let total = log(logits.reduce(0) { $0 + exp(Double($1)) })
          losses.append(total - Double(logits[Int(tokens[position])]))
        }
        logits = try session.decode(tokens[position]).floats()
      }
    }
    let mean = losses.reduce(0, +) / Double(losses.count)
    let squares = losses.reduce(0) { $0 + $1 * $1 } / Double(losses.count)
    #expect(found.count == 30 && losses.count == 30)
    #expect(found.chunks == 2)
    #expect(abs(found.meanLoss - mean) < 1e-4)
    #expect(abs(found.value - exp(mean)) < 1e-4 * found.value)
    let error = ((squares - mean * mean) / Double(losses.count - 1)).squareRoot() * exp(mean)
    #expect(abs((found.standardError ?? 0) - error) < 1e-3 * error)
  }

  @Test("progress is told after every chunk, and may be cut short")
  func progress() throws {
    let fixture = try Fixture()
    var told: [String] = []
    _ = try fixture.model.perplexity(of: Self.text, chunkLength: 16, most: 3) { figure, chunks in
      told.append("\(figure.chunks)/\(chunks) \(figure.count)")
    }
    #expect(told == ["1/3 7", "2/3 14", "3/3 21"])
  }

  @Test("texts and chunks that cannot be measured are refused with numbers")
  func refusals() throws {
    let model = try Fixture().model
    func message(_ tokens: [Int32], _ length: Int) -> String {
      do {
        _ = try model.perplexity(of: tokens, chunkLength: length)
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message(Array(Self.text.prefix(31)), 32)
        == "The text has 31 tokens, and one chunk takes 32. Use a longer text or smaller chunks.")
    #expect(
      message(Self.text, 257)
        == "Chunks of 257 tokens are asked for; \(model.card.name) takes between 4 and 256.")
    #expect(
      message(Self.text, 3)
        == "Chunks of 3 tokens are asked for; \(model.card.name) takes between 4 and 256.")
  }
}
