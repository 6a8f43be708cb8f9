// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

/// What speculative decoding stands on: a pass of a few tokens gives each the bits of a pass of its own.
@Suite("A token's rows do not depend on its neighbours")
struct DecodeRowsTests {
  /// An instruction set and a precision.
  struct Place: Sendable, CustomTestStringConvertible {
    var set: InstructionSet
    var precision: Precision
    var testDescription: String { "\(set), \(precision.rawValue)" }

    static let all = InstructionSet.available.flatMap { set in
      [Precision.exact, .fast].map { Place(set: set, precision: $0) }
    }

    func backend() throws -> CPUBackend {
      try #require(CPUBackend(threads: 2, precision: precision, instructionSet: set))
    }
  }

  static let most = CPUBackend.decodeTokens

  @Test("matrix products, every type", arguments: Place.all, DType.allCases)
  func linear(_ place: Place, _ dtype: DType) throws {
    var random = RandomTensors(seed: 21)
    let backend = try place.backend()
    let most = Self.most
    for columns in dtype.blockSize == 256 ? [256, 768] : [32, 64, 128, 576, 640] {
      let weights = try random.weights(dtype, 37, columns)
      let input = try random.floats(most, columns)
      let single = try (0..<most).flatMap { token in
        let output = try Tensor.zeros(rows: 1, columns: 37)
        backend.linear(input.rows(token..<token + 1), [weights], as: .head, into: [output])
        return output.floats()
      }
      for tokens in 2...most {
        let output = try Tensor.zeros(rows: tokens, columns: 37)
        backend.linear(input.rows(0..<tokens), [weights], as: .head, into: [output])
        #expect(output.floats() == Array(single.prefix(tokens * 37)), "\(tokens) × \(columns)")
      }
    }
  }

  @Test("gate, up and activation", arguments: Place.all)
  func gated(_ place: Place) throws {
    var random = RandomTensors(seed: 22)
    let backend = try place.backend()
    let most = Self.most
    let (gate, up) = (try random.weights(.q4_K, 100, 256), try random.weights(.q6_K, 100, 256))
    let input = try random.floats(most, 256)
    func outputs(_ rows: Range<Int>) throws -> [Float] {
      let output = try Tensor.zeros(rows: rows.count, columns: 100)
      backend.gatedLinear(
        input.rows(rows), gate: gate, up: up, activation: .geluTanh, into: output)
      return output.floats()
    }
    let single = try (0..<most).flatMap { try outputs($0..<$0 + 1) }
    for tokens in 2...most {
      #expect(try outputs(0..<tokens) == Array(single.prefix(tokens * 100)), "\(tokens) tokens")
    }
  }

  @Test("soft caps of odd widths", arguments: Place.all)
  func softCap(_ place: Place) throws {
    var random = RandomTensors(seed: 23)
    let backend = try place.backend()
    for columns in [1, 7, 33, 287, 4099] {
      let values = random.values(Self.most * columns)
      let whole = try Tensor.floats(values, rows: Self.most, columns: columns)
      backend.softCap(whole, cap: 3)
      for token in 0..<Self.most {
        let row = try Tensor.floats(
          Array(values[token * columns..<(token + 1) * columns]), rows: 1, columns: columns)
        backend.softCap(row, cap: 3)
        #expect(row.floats() == whole.rows(token..<token + 1).floats(), "row \(token)")
      }
    }
  }
}
