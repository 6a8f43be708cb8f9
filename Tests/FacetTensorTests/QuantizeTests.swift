// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

/// Rounding weights to blocks, on every instruction set of this CPU.
@Suite("Weights are rounded to blocks")
struct QuantizeTests {
  static let sets = InstructionSet.available
  static let byRule: [DType] = [.q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .f16, .bf16]
  static let byQuest: [DType] = [.q2_K, .q3_K, .q4_K, .q5_K, .q6_K]
  static let weighted: [DType] = [.q4_0, .q4_1, .q5_0, .q5_1, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K]

  func rewritten(
    _ weights: Tensor, _ dtype: DType, _ set: InstructionSet, threads: Int = 2,
    importance: [Float]? = nil
  ) throws -> Tensor {
    let backend = try #require(CPUBackend(threads: threads, instructionSet: set))
    let output = try Tensor.zeros(rows: weights.rows, columns: weights.columns, dtype: dtype)
    #expect(backend.rewrite(weights, importance: importance, into: output) == nil)
    return output
  }

  @Test("types that follow a rule have the bytes of the gguf package", arguments: sets, byRule)
  func matchesRule(_ set: InstructionSet, _ dtype: DType) throws {
    let goldens = try QuantizedGoldens()
    let ours = try rewritten(goldens.weights, dtype, set)
    #expect(ours.byteArray == (try goldens.blocks(dtype)).byteArray)
  }

  @Test("K types err no more than llama.cpp's search", arguments: byQuest)
  func errsNoMore(_ dtype: DType) throws {
    let goldens = try QuantizedGoldens()
    let exact = goldens.weights.floats()
    let even = [Float](repeating: 1, count: QuantizedGoldens.columns)
    let ours = relativeSquaredError(
      try rewritten(goldens.weights, dtype, .best), exact, weight: even)
    let theirs = relativeSquaredError(try goldens.blocks(dtype), exact, weight: even)
    #expect(ours < theirs)
  }

  @Test("with importance, errors that count are no larger than llama.cpp's", arguments: weighted)
  func errsNoMoreWhereItCounts(_ dtype: DType) throws {
    let goldens = try QuantizedGoldens()
    let exact = goldens.weights.floats()
    let blocks = try rewritten(
      goldens.weights, dtype, .best, importance: goldens.importance)
    let ours = relativeSquaredError(blocks, exact, weight: goldens.importance)
    let theirs = relativeSquaredError(
      try goldens.blocks(dtype, withImportance: true), exact, weight: goldens.importance)
    #expect(ours < theirs)
    let plain = relativeSquaredError(
      try rewritten(goldens.weights, dtype, .best), exact, weight: goldens.importance)
    #expect(ours < plain, "importance must help where it counts")
  }

  @Test("every instruction set and thread count writes the same bytes", arguments: DType.allCases)
  func sameBytes(_ dtype: DType) throws {
    let goldens = try QuantizedGoldens()
    for importance in [nil, goldens.importance, [Float](repeating: 0, count: 512)] {
      let expected = try rewritten(
        goldens.weights, dtype, .baseline, threads: 1, importance: importance)
      for set in Self.sets {
        for threads in [1, 2, 3] {
          let actual = try rewritten(
            goldens.weights, dtype, set, threads: threads, importance: importance)
          #expect(actual.byteArray == expected.byteArray, "\(set), \(threads) threads")
        }
      }
    }
  }

  /// With steps Δ of the grid an evenly spread error has the variance Δ²/12.
  ///
  /// Uniform weights use the whole range: Δ = 2/15 for four bits and so on. The K types store their
  /// scales in six bits (Q2_K: four), which costs some.
  @Test(
    "the error of uniform weights is that of the step",
    arguments: [
      (.q4_0, 2.0 / 16, 1.1), (.q4_1, 2.0 / 15, 1.02), (.q5_0, 2.0 / 32, 1.05),
      (.q5_1, 2.0 / 31, 1.02), (.q8_0, 2.0 / 254, 1.02), (.q2_K, 2.0 / 3, 1.02),
      (.q3_K, 2.0 / 7, 1.02), (.q4_K, 2.0 / 15, 1.02), (.q5_K, 2.0 / 31, 1.04),
      (.q6_K, 2.0 / 63, 1.02),
    ] as [(DType, Double, Double)])
  func errorOfTheStep(_ dtype: DType, _ step: Double, _ slack: Double) throws {
    var random = RandomTensors(seed: 11)
    let weights = try random.floats(64, 1024)
    let rounded = ReferenceBackend.dequantized(try rewritten(weights, dtype, .best))
    let squares = zip(rounded, weights.floats()).map { Double($0 - $1) * Double($0 - $1) }
    let error = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    #expect(error < slack * step / 12.squareRoot())
    #expect(error > 0.6 * step / 12.squareRoot(), "smaller than possible: is this the right type?")
  }

  @Test("rows of zeros, constants and tiny numbers are kept", arguments: sets, DType.allCases)
  func specialRows(_ set: InstructionSet, _ dtype: DType) throws {
    let columns = 256
    func row(_ value: (Int) -> Float) throws -> [Float] {
      let weights = try Tensor.floats((0..<columns).map(value), rows: 1, columns: columns)
      return ReferenceBackend.dequantized(try rewritten(weights, dtype, set))
    }
    #expect(try row { _ in 0 }.allSatisfy { $0 == 0 })
    for constant: Float in [1, -0.5, 0.37, -1000] {
      let rounded = try row { _ in constant }
      #expect(rounded.allSatisfy { abs($0 / constant - 1) < 0.005 }, "\(constant)")
    }
    #expect(try row { $0 == 77 ? 3 : 0 }[77] > 2.9)
    #expect(try row { $0 == 77 ? 3 : 0 }[3] == 0)
    // Numbers below what halves can scale become zeros, never NaN.
    let tiny = Float.leastNonzeroMagnitude
    #expect(try row { _ in 70_000 * tiny }.allSatisfy { $0 >= 0 && $0 <= 70_000 * tiny })
    #expect(try row { Float($0 - 100) * 700 * tiny }.allSatisfy { abs($0) <= 200_000 * tiny })
  }

  @Test("what a type cannot hold is refused with its row", arguments: sets, DType.allCases)
  func refusals(_ set: InstructionSet, _ dtype: DType) throws {
    let backend = try #require(CPUBackend(threads: 2, instructionSet: set))
    var random = RandomTensors(seed: 12)
    let output = try Tensor.zeros(rows: 70, columns: 256, dtype: dtype)
    for (value, row) in [(Float.nan, 3), (.infinity, 69), (-.infinity, 0)] {
      var values = random.values(70 * 256)
      values[row * 256 + 200] = value
      let weights = try Tensor.floats(values, rows: 70, columns: 256)
      #expect(backend.rewrite(weights, into: output) == row)
    }
    var values = random.values(70 * 256)
    values[5 * 256] = 3.4e38
    values[9 * 256] = -3.4e38
    let weights = try Tensor.floats(values, rows: 70, columns: 256)
    #expect(backend.rewrite(weights, into: output) == (dtype == .f32 ? nil : 5))
  }

  @Test("plain types take rows of any length", arguments: [DType.f32, .f16, .bf16])
  func unevenRows(_ dtype: DType) throws {
    var random = RandomTensors(seed: 13)
    for columns in [1, 7, 8, 9, 31, 33, 257] {
      for rows in [1, 2, 5, 33] {
        let weights = try random.floats(rows, columns)
        let expected = try rewritten(weights, dtype, .baseline)
        for set in Self.sets {
          #expect(try rewritten(weights, dtype, set).byteArray == expected.byteArray)
        }
        let values = ReferenceBackend.dequantized(expected)
        #expect(zip(values, weights.floats()).allSatisfy { abs($0 - $1) <= abs($1) / 256 })
      }
    }
  }

  @Test("halves become pairs, head by head")
  func rowOrder() throws {
    let weights = try Tensor.floats((0..<12).map { Float($0) }, rows: 12, columns: 1)
    let output = try Tensor.zeros(rows: 12, columns: 1)
    let backend = try #require(CPUBackend(threads: 1))
    #expect(backend.rewrite(weights, order: .pairingHalves(headWidth: 6), into: output) == nil)
    #expect(output.floats() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
    let part = try Tensor.zeros(rows: 3, columns: 1)
    #expect(
      backend.rewrite(weights, from: 4, order: .pairingHalves(headWidth: 6), into: part) == nil)
    #expect(part.floats() == [2, 5, 6])
  }
}
