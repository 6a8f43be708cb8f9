// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

/// Every operation on every instruction set of this CPU agrees with the plain Swift twin.
@Suite("CPUBackend agrees with ReferenceBackend")
struct CPUBackendTests {
  let reference = ReferenceBackend()

  static let exactSets = InstructionSet.available

  func backend(_ set: InstructionSet, _ precision: Precision = .exact) throws -> CPUBackend {
    try #require(CPUBackend(threads: 2, precision: precision, instructionSet: set))
  }

  // Tolerances are relative to the largest value. f32 sums of up to 600 products: 600 · 2^-24 at
  // worst, far less in practice.
  static let f32Tolerance: Float = 2e-6
  // bf16 rounds each factor by 2^-9 at most; errors of 600 products partly cancel.
  static let bf16Tolerance: Float = 6e-3

  // Prefill of quantised weights rounds activations to 1/254 of the largest of 32 neighbours.
  static let byteTolerance: Float = 8e-3

  // Decode rounds activations to 2^-16 of the largest of 32 neighbours.
  static let digitTolerance: Float = 4e-5

  @Test("matrix products, every type", arguments: exactSets, DType.allCases)
  func linear(_ set: InstructionSet, _ dtype: DType) throws {
    var random = RandomTensors()
    let columns = dtype.blockSize == 256 ? 512 : 576
    let fast = try backend(set, .fast)
    for (tokens, rows) in [
      (1, 77), (2, 64), (3, 16), (4, 5), (5, 130), (11, 77), (16, 21), (33, 64), (70, 200),
    ] {
      // AVX2 has no bf16: what must be exact, and types in which bytes are no faster, take 16 bits.
      let isExact = tokens <= fast.fewTokens || set == .avx2
      let isExactInside =
        tokens <= fast.fewTokens || (set == .avx2 && [.q8_0, .q6_K].contains(dtype))
      let weights = try random.weights(dtype, rows, columns)
      let input = try random.floats(tokens, columns)
      let (expected, actual) = (
        try Tensor.zeros(rows: tokens, columns: rows), try Tensor.zeros(rows: tokens, columns: rows)
      )
      reference.linear(input, [weights], as: .head, into: [expected])
      try backend(set).linear(input, [weights], as: .head, into: [actual])
      #expect(
        relativeError(actual.floats(), expected.floats()) < Self.f32Tolerance,
        "\(tokens) tokens, \(rows) rows")
      fast.linear(input, [weights], as: .head, into: [actual])
      #expect(
        relativeError(actual.floats(), expected.floats())
          < (isExact ? Self.digitTolerance : Self.bf16Tolerance),
        "fast: \(tokens) tokens, \(rows) rows")
      fast.linear(input, [weights], as: .feedForward, into: [actual])
      #expect(
        relativeError(actual.floats(), expected.floats())
          < (isExactInside ? Self.digitTolerance : Self.byteTolerance),
        "fast, feed-forward: \(tokens) tokens, \(rows) rows")
    }
  }

  @Test("what is no number is never hidden by integers", arguments: exactSets, DType.allCases)
  func notANumber(_ set: InstructionSet, _ dtype: DType) throws {
    var random = RandomTensors()
    let weights = try random.weights(dtype, 20, 512)
    for (tokens, value) in [(1, Float.nan), (4, .infinity), (9, .nan), (9, -.infinity)] {
      var numbers = try random.floats(tokens, 512).floats()
      numbers[numbers.count - 100] = value
      let input = try Tensor.floats(numbers, rows: tokens, columns: 512)
      let output = try Tensor.zeros(rows: tokens, columns: 20)
      for role in [MatrixRole.head, .feedForward] {
        try backend(set, .fast).linear(input, [weights], as: role, into: [output])
        let last = output.rows(tokens - 1..<tokens).floats()
        let others = output.rows(0..<tokens - 1).floats()
        #expect(last.allSatisfy { !$0.isFinite } && others.allSatisfy(\.isFinite))
      }
    }
  }

  @Test(
    "rows that are no whole groups of 32", arguments: exactSets, [DType.f32, .f16, .bf16])
  func unevenColumns(_ set: InstructionSet, _ dtype: DType) throws {
    var random = RandomTensors(seed: 2)
    for columns in [1, 8, 31, 33, 64, 172, 257, 300] {
      for tokens in [1, 5, 20] {
        let weights = try random.weights(dtype, 19, columns)
        let input = try random.floats(tokens, columns)
        let (expected, actual) = (
          try Tensor.zeros(rows: tokens, columns: 19), try Tensor.zeros(rows: tokens, columns: 19)
        )
        reference.linear(input, [weights], as: .head, into: [expected])
        try backend(set).linear(input, [weights], as: .head, into: [actual])
        #expect(relativeError(actual.floats(), expected.floats()) < Self.f32Tolerance)
        try backend(set, .fast).linear(input, [weights], as: .head, into: [actual])
        #expect(relativeError(actual.floats(), expected.floats()) < 2 * Self.bf16Tolerance)
      }
    }
  }

  @Test("gate, up and activation", arguments: exactSets, [Activation.geluTanh, .silu])
  func gatedLinear(_ set: InstructionSet, _ activation: Activation) throws {
    var random = RandomTensors(seed: 3)
    for tokens in [1, 4, 40, 600] {
      let (gate, up) = (try random.weights(.q8_0, 100, 64), try random.weights(.q4_0, 100, 64))
      let input = try random.floats(tokens, 64, scale: 3)
      let (expected, actual) = (
        try Tensor.zeros(rows: tokens, columns: 100), try Tensor.zeros(rows: tokens, columns: 100)
      )
      reference.gatedLinear(input, gate: gate, up: up, activation: activation, into: expected)
      try backend(set).gatedLinear(
        input, gate: gate, up: up, activation: activation, into: actual)
      #expect(relativeError(actual.floats(), expected.floats()) < Self.f32Tolerance)
    }
  }

  @Test("norms, sums, soft caps of every width", arguments: exactSets)
  func rows(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 4)
    for width in [1, 7, 8, 16, 31, 33, 257, 640] {
      let x = try random.floats(5, width, scale: 40)
      let weight = try random.floats(1, width)
      let (expected, actual) = (
        try Tensor.zeros(rows: 5, columns: width), try Tensor.zeros(rows: 5, columns: width)
      )
      reference.rmsNorm(x, weight: weight, epsilon: 1e-6, into: expected)
      try backend(set).rmsNorm(x, weight: weight, epsilon: 1e-6, into: actual)
      #expect(relativeError(actual.floats(), expected.floats()) < 1e-6, "norm of \(width)")

      reference.add(x, to: expected)
      try backend(set).add(x, to: actual)
      #expect(relativeError(actual.floats(), expected.floats()) < 1e-6, "sum of \(width)")

      reference.softCap(expected, cap: 30)
      try backend(set).softCap(actual, cap: 30)
      #expect(relativeError(actual.floats(), expected.floats()) < 1e-6, "cap of \(width)")
    }
  }

  @Test("embedding rows of every type", arguments: exactSets, DType.allCases)
  func embed(_ set: InstructionSet, _ dtype: DType) throws {
    var random = RandomTensors(seed: 5)
    let table = try random.weights(dtype, 9, 256)
    let (expected, actual) = (
      try Tensor.zeros(rows: 4, columns: 256), try Tensor.zeros(rows: 4, columns: 256)
    )
    reference.embed([8, 0, 3, 3], table: table, scale: 1.5, into: expected)
    try backend(set).embed([8, 0, 3, 3], table: table, scale: 1.5, into: actual)
    #expect(actual.floats() == expected.floats())
  }

  @Test(
    "rotation, with and without norm", arguments: exactSets, [RotaryLayout.halfSplit, .interleaved])
  func rotate(_ set: InstructionSet, _ layout: RotaryLayout) throws {
    var random = RandomTensors(seed: 6)
    let positions = [0, 1, 77, 8191, 131_071]
    for (width, normed) in [(8, false), (16, true), (64, true), (256, false)] {
      let values = random.values(positions.count * 3 * width)
      let norm = normed ? try random.floats(1, width) : nil
      var results: [[Float]] = []
      for backend in [reference, try backend(set)] as [any Backend] {
        let heads = try Tensor.floats(values, rows: positions.count, columns: 3 * width)
        let cosines = try Tensor.zeros(rows: positions.count, columns: width / 2)
        let sines = try Tensor.zeros(rows: positions.count, columns: width / 2)
        backend.rotaryAngles(
          Rotary(base: 10000, scale: 8), positions: positions, cosines: cosines, sines: sines)
        backend.rotate(
          heads, headWidth: width, norm: norm, epsilon: 1e-6, cosines: cosines, sines: sines,
          layout: layout)
        results.append(heads.floats())
      }
      // An angle of 16,384 radians in f32 is right to 16384 · 2^-24.
      #expect(relativeError(results[1], results[0]) < 2e-3)
    }
  }

  @Test("results do not depend on the number of threads", arguments: exactSets)
  func threads(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 9)
    let weights = try random.weights(.q4_K, 300, 512)
    for tokens in [1, 6, 50] {
      let input = try random.floats(tokens, 512)
      var results: [[Float]] = []
      for threads in [1, 2, 5] {
        let backend = try #require(
          CPUBackend(threads: threads, precision: .fast, instructionSet: set))
        let output = try Tensor.zeros(rows: tokens, columns: 300)
        backend.linear(input, [weights], as: .head, into: [output])
        results.append(output.floats())
      }
      #expect(results[0] == results[1] && results[0] == results[2])
    }
  }
}
