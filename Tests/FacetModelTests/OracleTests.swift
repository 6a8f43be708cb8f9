// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTestSupport
import Testing

@Suite("The pass against transformers")
struct OracleTests {
  /// What docs/numerics.md promises of taps and logits.
  static let tolerance: Float = 1e-3

  @Test(
    "taps of every layer and all logits are transformers'", arguments: Place.exact, Oracle.families)
  func taps(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    for name in Oracle.prompts {
      let prompt = try Oracle.prompt(name, family)
      var taps = prompt.taps[...]
      let cache = try transformer.makeCache(capacity: 256, chunk: 256)
      let logits = try transformer.forward(
        Batch(prompt.tokens, cache: cache, logits: .all), workspace: Workspace()
      ) { point, rows in
        guard let expected = taps.popFirst() else {
          Issue.record("the oracle has no tap \(point)")
          return
        }
        #expect(expected.point == Self.name(of: point))
        let error = Self.distance(rows, expected)
        #expect(error <= Self.tolerance, "\(name), \(point)")
      }
      #expect(taps.isEmpty)
      Self.compare(logits, prompt)
    }
  }

  @Test("64 greedy tokens are transformers'", arguments: Place.exact, Oracle.families)
  func greedy(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    for name in Oracle.prompts {
      let prompt = try Oracle.prompt(name, family)
      #expect(try transformer.greedy(prompt.tokens, count: 64, chunk: 256) == prompt.greedy)
    }
  }

  @Test(
    "a Hugging Face directory gives the bits that the GGUF file gives, but for rotary layouts",
    arguments: Oracle.families)
  func directory(family: String) throws {
    let gguf = try Transformer(family)
    let directory = try Transformer(family, path: Goldens.path("fixtures/\(family)/hf"))
    let tokens = try Oracle.prompt("full", family).tokens
    func logits(_ transformer: Transformer) throws -> [Float] {
      try transformer.logits(
        of: tokens, chunk: 256, cache: transformer.makeCache(capacity: 256, chunk: 256))
    }
    // Llama's heads are permuted in GGUF files, so their products are summed in another order.
    let exact = gguf.configuration.rotaryLayout == directory.configuration.rotaryLayout
    #expect(exact == (gguf.configuration.family != .llama))
    let error = try logits(gguf).distance(to: logits(directory))
    #expect(error <= (exact ? 0 : 1e-4))
    var same = directory.configuration
    same.rotaryLayout = gguf.configuration.rotaryLayout
    same.name = gguf.configuration.name
    #expect(same == gguf.configuration)
  }

  /// bf16 has eight bits of precision and half has eleven; the fixtures' logits are about ±6, and the
  /// most that was seen is 0.08.
  @Test("the fast path stays near", arguments: Place.cpu(.fast), Oracle.families)
  func fast(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    for name in Oracle.prompts {
      let prompt = try Oracle.prompt(name, family)
      let logits = try transformer.logits(
        of: prompt.tokens, chunk: 256, cache: transformer.makeCache(capacity: 256, chunk: 256))
      let vocabulary = transformer.configuration.vocabulary
      let error = Array(logits.suffix(vocabulary)).distance(to: prompt.logits)
      #expect(error <= 0.15, "\(name)")
    }
  }

  private static func compare(_ logits: Tensor, _ prompt: Oracle.Prompt) {
    let all = logits.floats()
    let vocabulary = logits.columns
    #expect(Array(all.suffix(vocabulary)).distance(to: prompt.logits) <= tolerance)
    #expect(logits.rows == prompt.best.count)
    let errors = prompt.best.enumerated().map { row, best in
      best.ids.map { all[row * vocabulary + $0] }.distance(to: best.logits)
    }
    #expect((errors.max() ?? .infinity) <= tolerance, "\(prompt.name)")
  }

  private static func name(of point: TapPoint) -> String {
    switch point {
    case .embedding: "embedding"
    case .attention(let layer): "attention \(layer)"
    case .layer(let layer): "layer \(layer)"
    case .finalNorm: "final norm"
    }
  }

  /// The greatest difference of the last row, of a row's mean or of its root mean square.
  private static func distance(_ rows: Tensor, _ expected: Oracle.Rows) -> Float {
    let values = rows.floats()
    let width = rows.columns
    var means: [Float] = []
    var rms: [Float] = []
    for start in stride(from: 0, to: values.count, by: width) {
      let row = values[start..<start + width]
      means.append(Float(row.reduce(0.0) { $0 + Double($1) } / Double(width)))
      let squares = row.reduce(0.0) { $0 + Double($1) * Double($1) }
      rms.append(Float((squares / Double(width)).squareRoot()))
    }
    return max(
      means.distance(to: expected.means), rms.distance(to: expected.rms),
      Array(values.suffix(width)).distance(to: expected.last))
  }
}
