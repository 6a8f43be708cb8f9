// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

/// The products of the way back on every instruction set of this CPU agree with the plain Swift twin.
@Suite("Products of the way back agree with ReferenceBackend")
struct TrainingProductTests {
  let reference = ReferenceBackend()

  static let exactSets = InstructionSet.available
  // Relative to the largest value, for sums of up to 600 products.
  static let f32Tolerance: Float = 1e-5
  static let bf16Tolerance: Float = 6e-3

  func backend(
    _ set: InstructionSet, _ precision: Precision = .exact, threads: Int = 2
  ) throws -> CPUBackend {
    try #require(CPUBackend(threads: threads, precision: precision, instructionSet: set))
  }

  @Test("the gradient of a product's input, every type", arguments: exactSets, DType.allCases)
  func linearBackward(_ set: InstructionSet, _ dtype: DType) throws {
    var random = RandomTensors(seed: 21)
    let columns =
      dtype.blockSize == 256 ? [256, 512] : dtype.blockSize == 32 ? [32, 352] : [33, 200]
    for (tokens, rows) in [(1, 5), (3, 64), (17, 257), (65, 40)] {
      for columns in columns {
        let weights = [
          try random.weights(dtype, rows, columns), try random.weights(.bf16, 19, columns),
        ]
        let outputs = [try random.floats(tokens, rows), try random.floats(tokens, 19)]
        let start = random.values(tokens * columns)
        for adding in [false, true] {
          let expected = try Tensor.floats(start, rows: tokens, columns: columns)
          reference.linearBackward(outputs, weights, adding: adding, into: expected)
          for (precision, bound) in [
            (Precision.exact, Self.f32Tolerance), (.mixed, Self.bf16Tolerance),
          ] {
            let actual = try Tensor.floats(start, rows: tokens, columns: columns)
            try backend(set, precision).linearBackward(
              outputs, weights, adding: adding, into: actual)
            #expect(
              relativeError(actual.floats(), expected.floats()) < bound,
              "\(precision) [\(tokens), \(rows)] · [\(rows), \(columns)], adding: \(adding)")
          }
        }
      }
    }
  }

  @Test("the gradient of weights", arguments: exactSets)
  func weightGradient(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 22)
    for (tokens, rows, columns) in [
      (1, 1, 1), (3, 16, 100), (17, 70, 16), (65, 5, 64), (300, 33, 81), (64, 400, 260),
    ] {
      let output = try random.floats(tokens, rows)
      let input = try random.floats(tokens, columns)
      let start = random.values(rows * columns)
      let expected = try Tensor.floats(start, rows: rows, columns: columns)
      reference.weightGradient(output, input, scale: 0.7, into: expected)
      for (precision, bound) in [
        (Precision.exact, Self.f32Tolerance), (.mixed, Self.bf16Tolerance),
      ] {
        let actual = try Tensor.floats(start, rows: rows, columns: columns)
        try backend(set, precision).weightGradient(output, input, scale: 0.7, into: actual)
        #expect(
          relativeError(actual.floats(), expected.floats()) < bound,
          "\(precision) [\(tokens), \(rows)]ᵀ · [\(tokens), \(columns)]")
      }
    }
  }

  // Each factor strays by 1/11,584 of the largest at most; in a sum most of that cancels, so a fifteenth of
  // what is granted to bf16.
  @Test("AVX2's 16-bit integers stray as little as docs/numerics.md says")
  func words() throws {
    guard InstructionSet.available.contains(.avx2) else { return }
    var random = RandomTensors(seed: 28)
    let backend = try backend(.avx2, .mixed)
    for (tokens, rows, columns) in [(3, 64, 70), (65, 300, 130), (17, 1000, 64)] {
      let weights = try random.weights(.q8_0, rows, columns / 32 * 32)
      let (output, input) = (
        try random.floats(tokens, rows), try random.floats(tokens, weights.columns)
      )
      let wide = try Tensor.zeros(rows: rows, columns: weights.columns)
      #expect(backend.rewrite(weights, into: wide) == nil)
      func largest(_ tensor: Tensor) -> Float { tensor.floats().reduce(0) { max($0, abs($1)) } }

      let expected = try Tensor.zeros(rows: tokens, columns: weights.columns)
      let actual = try Tensor.zeros(rows: tokens, columns: weights.columns)
      reference.linearBackward([output], [wide], adding: false, into: expected)
      backend.linearBackward([output], [weights], adding: false, into: actual)
      let most = 2 * Float(rows) * largest(output) * largest(wide) / 11_584
      for (a, b) in zip(actual.floats(), expected.floats()) { #expect(abs(a - b) <= most) }
      #expect(relativeError(actual.floats(), expected.floats()) < 4e-4)

      let gradient = try Tensor.zeros(rows: rows, columns: weights.columns)
      let exact = try Tensor.zeros(rows: rows, columns: weights.columns)
      reference.weightGradient(output, input, scale: -3, into: exact)
      backend.weightGradient(output, input, scale: -3, into: gradient)
      #expect(relativeError(gradient.floats(), exact.floats()) < 4e-4)
      #expect(gradient.floats() != exact.floats(), "these are integers, not f32")
    }
  }

  @Test(
    "what is not finite is not hidden, and spoils its own row and column alone",
    arguments: exactSets,
    [Float.nan, .infinity, -.infinity])
  func notFinite(_ set: InstructionSet, _ value: Float) throws {
    var random = RandomTensors(seed: 29)
    let (tokens, rows, columns) = (20, 130, 96)
    for precision in [Precision.exact, .mixed] {
      let backend = try backend(set, precision)
      var values = random.values(tokens * rows)
      values[7 * rows + 100] = value
      let output = try Tensor.floats(values, rows: tokens, columns: rows)
      let weights = try random.weights(.q8_0, rows, columns)
      let back = try Tensor.zeros(rows: tokens, columns: columns)
      backend.linearBackward([output], [weights], adding: false, into: back)
      for (index, number) in back.floats().enumerated() {
        #expect(number.isFinite == (index / columns != 7), "\(precision) back, place \(index)")
      }
      let input = try random.floats(tokens, columns)
      let gradient = try Tensor.zeros(rows: rows, columns: columns)
      backend.weightGradient(output, input, scale: 1, into: gradient)
      for (index, number) in gradient.floats().enumerated() {
        #expect(number.isFinite == (index / columns != 100), "\(precision) weights, \(index)")
      }
      var inputs = input.floats()
      inputs[7 * columns + 33] = value
      let forward = try Tensor.zeros(rows: tokens, columns: rows)
      let spoiled = try Tensor.floats(inputs, rows: tokens, columns: columns)
      backend.linear(spoiled, [weights], as: .feedForward, into: [forward])
      for (index, number) in forward.floats().enumerated() {
        #expect(number.isFinite == (index / rows != 7), "\(precision) forward, place \(index)")
      }
    }
  }

  @Test("numbers too small to be scaled give zero, not nonsense", arguments: exactSets)
  func tiny(_ set: InstructionSet) throws {
    let backend = try backend(set, .mixed)
    let output = try Tensor.floats([Float](repeating: 1e-38, count: 3 * 80), rows: 3, columns: 80)
    let input = try Tensor.floats([Float](repeating: 1, count: 3 * 40), rows: 3, columns: 40)
    let gradient = try Tensor.zeros(rows: 80, columns: 40)
    backend.weightGradient(output, input, scale: 1, into: gradient)
    #expect(gradient.floats().allSatisfy { (0...4e-38).contains($0) })
  }

  @Test("a gradient in bf16 is the sum of f32, rounded", arguments: exactSets)
  func halfGradient(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 26)
    for (tokens, rows, columns) in [
      (1, 1, 1), (17, 70, 16), (65, 5, 64), (300, 33, 81), (64, 900, 260),
    ] {
      let output = try random.floats(tokens, rows)
      let input = try random.floats(tokens, columns)
      let start = try random.weights(.bf16, rows, columns)
      let backend = try backend(set)
      let expected = try Tensor.zeros(rows: rows, columns: columns)
      #expect(backend.rewrite(start, into: expected) == nil)
      reference.weightGradient(output, input, scale: 0.7, into: expected)
      backend.weightGradient(output, input, scale: 0.7, into: start)
      let actual = try Tensor.zeros(rows: rows, columns: columns)
      #expect(backend.rewrite(start, into: actual) == nil)
      // Half of the last of eight bits, once for each stretch.
      for (a, b) in zip(actual.floats(), expected.floats()) {
        #expect(abs(a - b) <= abs(b) / 256 + 1e-4, "[\(tokens), \(rows)]ᵀ · \(columns)")
      }
    }
  }

  @Test("what an adapter adds, for few tokens and many", arguments: exactSets)
  func addLinear(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 27)
    for (tokens, rank, rows) in [(1, 16, 70), (3, 1, 3000), (4, 5, 64), (17, 16, 257), (65, 8, 40)]
    {
      let (low, weights) = (try random.floats(tokens, rank), try random.floats(rows, rank))
      let start = random.values(tokens * rows)
      let expected = try Tensor.floats(start, rows: tokens, columns: rows)
      reference.addLinear(low, weights, to: expected)
      for (precision, bound) in [
        (Precision.exact, Self.f32Tolerance), (.mixed, Self.bf16Tolerance),
        (.fast, Self.bf16Tolerance),
      ] {
        let actual = try Tensor.floats(start, rows: tokens, columns: rows)
        try backend(set, precision).addLinear(low, weights, to: actual)
        #expect(
          relativeError(actual.floats(), expected.floats()) < bound,
          "\(precision) [\(tokens), \(rank)] · [\(rows), \(rank)]ᵀ")
      }
    }
  }

  // What is packed at once holds some 2,000 rows of weights and 3,000 of gradients in f32; beyond 8,192 rows
  // the sum is cut into parts.
  @Test("products of many rows are cut into stretches that join", arguments: exactSets)
  func stretches(_ set: InstructionSet) throws {
    guard set != .baseline else { return }
    var random = RandomTensors(seed: 23)
    for (rows, columns) in [(4000, 520), (9000, 130)] {
      let weights = try random.floats(rows, columns)
      let output = try random.floats(3, rows)
      let expected = try Tensor.zeros(rows: 3, columns: columns)
      reference.linearBackward([output], [weights], adding: false, into: expected)
      for (precision, bound) in [
        (Precision.exact, Self.f32Tolerance), (.mixed, Self.bf16Tolerance),
      ] {
        let actual = try random.floats(3, columns)
        try backend(set, precision).linearBackward(
          [output], [weights], adding: false, into: actual)
        #expect(relativeError(actual.floats(), expected.floats()) < bound, "\(rows) rows")
      }
    }
    for columns in [20, 150] {
      let (output, input) = (try random.floats(300, 6500), try random.floats(300, columns))
      let expected = try Tensor.zeros(rows: 6500, columns: columns)
      reference.weightGradient(output, input, scale: 1, into: expected)
      for (precision, bound) in [
        (Precision.exact, Self.f32Tolerance), (.mixed, Self.bf16Tolerance),
      ] {
        let actual = try Tensor.zeros(rows: 6500, columns: columns)
        try backend(set, precision).weightGradient(output, input, scale: 1, into: actual)
        #expect(relativeError(actual.floats(), expected.floats()) < bound, "\(columns) columns")
      }
    }
  }

  @Test("results depend neither on threads nor on time", arguments: exactSets)
  func determinism(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 24)
    let weights = try random.weights(.q4_K, 300, 512)
    let (output, input) = (try random.floats(130, 300), try random.floats(130, 512))
    let (deepWeights, deepOutput) = (
      try random.weights(.q8_0, 9000, 32), try random.floats(3, 9000)
    )
    var results: [[Float]] = []
    for threads in [1, 2, 2, 5] {
      let backend = try backend(set, .mixed, threads: threads)
      let back = try Tensor.zeros(rows: 130, columns: 512)
      let gradient = try Tensor.zeros(rows: 300, columns: 512)
      backend.linearBackward([output], [weights], adding: false, into: back)
      backend.weightGradient(output, input, scale: 0.5, into: gradient)
      let deep = try Tensor.zeros(rows: 3, columns: 32)
      backend.linearBackward([deepOutput], [deepWeights], adding: false, into: deep)
      results.append(back.floats() + gradient.floats() + deep.floats())
    }
    #expect(results.dropFirst().allSatisfy { $0 == results[0] })
  }

  @Test(
    "mixed precision multiplies all types forward, narrow matrices too", arguments: exactSets,
    [DType.f32, .bf16, .q4_0, .q8_0])
  func mixedLinear(_ set: InstructionSet, _ dtype: DType) throws {
    var random = RandomTensors(seed: 25)
    let sizes = dtype.blockSize == 1 ? [(16, 300), (300, 16), (8, 8), (130, 200)] : [(130, 224)]
    for (rows, columns) in sizes {
      for tokens in [1, 3, 17, 65] {
        let weights = try random.weights(dtype, rows, columns)
        let input = try random.floats(tokens, columns)
        let expected = try Tensor.zeros(rows: tokens, columns: rows)
        let actual = try Tensor.zeros(rows: tokens, columns: rows)
        reference.linear(input, [weights], as: .feedForward, into: [expected])
        try backend(set, .mixed).linear(input, [weights], as: .feedForward, into: [actual])
        #expect(
          relativeError(actual.floats(), expected.floats()) < 2 * Self.bf16Tolerance,
          "[\(tokens), \(columns)] · [\(rows), \(columns)]ᵀ")
      }
    }
  }
}
