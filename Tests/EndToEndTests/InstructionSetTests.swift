// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

extension RealModelTests {
  /// The bounds of docs/numerics.md on every instruction set of this CPU, not just its best.
  ///
  /// The baseline is left out: its fast path rounds nothing but the cache, and it takes minutes.
  @Suite("Accuracy on every instruction set")
  struct InstructionSetTests {
    static let sets = InstructionSet.available.filter { $0 != .baseline }

    @Test("the fast path stays within the peer's distance of the exact one", arguments: sets)
    func shipped(_ set: InstructionSet) throws {
      let exact = try RealModel.exact()
      let found = try Distance(
        of: Self.load(#require(RealModel.path), .fast, set), from: exact, chunks: 2, decoded: 64)
      print("\(set.rawValue): \(found)")
      found.check()
    }

    static let presets: [QuantizationPreset] = [
      .bf16, .f16, .q8_0, .q6_K, .q5_K_M, .q5_1, .q5_0, .q4_K_M, .q4_1, .q4_0,
    ]

    /// Prints a row of the table in docs/numerics.md for each instruction set.
    @Test(
      "the same for every type of file",
      .enabled(if: Quality.isAsked, Comment(rawValue: Quality.unasked)), arguments: presets)
    func everyType(_ preset: QuantizationPreset) throws {
      let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("facet-quality-\(UUID().uuidString).gguf").path
      defer { try? FileManager.default.removeItem(atPath: path) }
      var options = ModelConverter.Options(preset: preset)
      options.requantization = .allowed
      _ = try ModelConverter(options).convert(#require(RealModel.path), to: path)
      let exact = try Self.load(path, .exact, .best)
      for set in Self.sets {
        let found = try Distance(
          of: Self.load(path, .fast, set), from: exact, chunks: 2, decoded: 64)
        print("| \(preset.rawValue) | \(set.rawValue) | \(found) |")
        found.check()
      }
    }

    private static func load(
      _ path: String, _ precision: Precision, _ set: InstructionSet
    ) throws -> LanguageModel {
      try LanguageModel.load(
        path: path, options: .init(precision: precision, instructionSet: set))
    }
  }

  /// How far one model is from another on the beginning of a novel: read in chunks, and decoded.
  struct Distance: CustomStringConvertible {
    var read: Divergence
    var decodedMean = 0.0
    var decodedSameTop = 0.0

    init(
      of candidate: LanguageModel, from reference: LanguageModel, chunks: Int, decoded: Int
    ) throws {
      let tokens = reference.prompt(try Text.emma()).tokens
      read = try reference.divergence(of: candidate, on: tokens, most: chunks)
      var exact = try Session(reference, context: 256)
      var fast = try Session(candidate, context: 256)
      _ = try exact.prefill(Array(tokens.prefix(16)))
      _ = try fast.prefill(Array(tokens.prefix(16)))
      for position in 16..<16 + decoded {
        let expected = Self.logProbabilities(try exact.decode(tokens[position]))
        let found = Self.logProbabilities(try fast.decode(tokens[position]))
        let terms = zip(expected, found).map { exp($0) * ($0 - $1) }
        decodedMean += terms.reduce(0, +) / Double(decoded)
        let tops = [expected, found].map { values in values.indices.max { values[$0] < values[$1] }
        }
        if tops[0] == tops[1] { decodedSameTop += 1 / Double(decoded) }
      }
    }

    var description: String {
      func number(_ value: Double) -> String { String(format: "%.5f", value) }
      func percent(_ value: Double) -> String { String(format: "%.1f %%", 100 * value) }
      return [
        number(read.mean), percent(read.sameTop), percent(read.perplexityLoss),
        number(decodedMean), percent(decodedSameTop),
      ].joined(separator: " | ")
    }

    /// llama.cpp's distance on the default model, which it reaches with activations in 8 bits.
    func check() {
      #expect(read.mean <= 0.0054)
      #expect(read.sameTop >= 0.959)
      #expect(read.perplexityLoss <= 0.005)
      #expect(decodedMean <= 0.0054)
      #expect(decodedSameTop >= 0.959)
    }

    private static func top(_ values: [Double]) -> Int? {
      values.indices.max { values[$0] < values[$1] }
    }

    private static func logProbabilities(_ logits: Tensor) -> [Double] {
      let values = logits.floats().map(Double.init)
      let greatest = values.max() ?? 0
      let total = greatest + log(values.reduce(0) { $0 + exp($1 - greatest) })
      return values.map { $0 - total }
    }
  }
}
