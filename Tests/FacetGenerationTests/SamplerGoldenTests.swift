// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTestSupport
import Foundation
import Testing

/// What tools/sampler_goldens.py wrote.
private struct Golden: Decodable {
  struct Case: Decodable {
    var row: String
    var sampling: Sampling
    var history: [Int32]
    var probabilities: [String: Double]
  }

  var rows: [String: [Float]]
  var cases: [Case]

  static func load() throws -> Golden {
    let path = Goldens.path("sampling/distributions.json")
    return try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}

@Suite("Sampling against transformers")
struct SamplerGoldenTests {
  @Test("the filtered distribution is that of transformers' processors and warpers")
  func distributions() throws {
    let golden = try Golden.load()
    #expect(golden.cases.count == 72)
    for item in golden.cases {
      let logits = try #require(golden.rows[item.row])
      var sampler = try Sampler(item.sampling)
      for token in item.history { sampler.accept(token) }
      // Twice: the second call works on reused arrays.
      _ = try sampler.distribution(logits)
      let found = try sampler.distribution(logits).filter { $0.probability > 0 }
      let tokens = found.map { String($0.token) }
      #expect(
        tokens.sorted() == item.probabilities.keys.sorted(), "\(item.row) \(item.sampling)")
      for (token, probability) in found {
        let expected = item.probabilities[String(token)] ?? 0
        #expect(
          abs(probability - expected) <= 2e-6 * expected + 1e-12,
          "\(item.row) \(item.sampling): token \(token)")
      }
    }
  }
}
