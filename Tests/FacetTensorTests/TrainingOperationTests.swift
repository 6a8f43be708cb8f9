// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

/// The operations of the way back on every instruction set agree with the plain Swift twin.
@Suite("Operations of the way back agree with ReferenceBackend")
struct TrainingOperationTests {
  let reference = ReferenceBackend()

  static let exactSets = InstructionSet.available
  // Relative to the largest value.
  static let tolerance: Float = 1e-5
  static let bf16Tolerance: Float = 2e-2

  func backend(
    _ set: InstructionSet, _ precision: Precision = .exact, threads: Int = 2
  ) throws -> CPUBackend {
    try #require(CPUBackend(threads: threads, precision: precision, instructionSet: set))
  }

  @Test("norms", arguments: exactSets)
  func rmsNorm(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 41)
    for (rows, width) in [(1, 1), (3, 17), (65, 64), (200, 81), (5, 640)] {
      let (x, dy) = (try random.floats(rows, width, scale: 3), try random.floats(rows, width))
      let (weight, start) = (try random.floats(1, width), random.values(rows * width))
      for adding in [false, true] {
        var results: [[Float]] = []
        for backend in [reference, try backend(set)] as [any TrainingBackend] {
          let dx = try Tensor.floats(start, rows: rows, columns: width)
          let dw = try Tensor.floats(Array(start.prefix(width)), rows: 1, columns: width)
          backend.rmsNormBackward(
            dy, input: x, weight: weight, epsilon: 1e-6, adding: adding, into: dx,
            weightGradient: dw)
          results += [dx.floats(), dw.floats()]
          let inPlace = try Tensor.floats(dy.floats(), rows: rows, columns: width)
          backend.rmsNormBackward(
            inPlace, input: x, weight: weight, epsilon: 1e-6, adding: false, into: inPlace,
            weightGradient: nil)
          results.append(inPlace.floats())
        }
        // Of one column nothing is left: the norm of a number is its sign.
        if width > 1 {
          #expect(relativeError(results[3], results[0]) < Self.tolerance, "[\(rows), \(width)]")
          #expect(relativeError(results[5], results[2]) < Self.tolerance)
        }
        #expect(relativeError(results[4], results[1]) < Self.tolerance)
      }
    }
  }

  @Test("gates", arguments: exactSets, Activation.allCases)
  func gates(_ set: InstructionSet, _ activation: Activation) throws {
    var random = RandomTensors(seed: 42)
    for (rows, width) in [(1, 5), (3, 17), (65, 100), (40, 2048)] {
      let (gates, ups) = (
        random.values(rows * width, scale: 9), random.values(rows * width, scale: 2)
      )
      let dy = try random.floats(rows, width)
      var results: [[Float]] = []
      for backend in [reference, try backend(set)] as [any TrainingBackend] {
        let gate = try Tensor.floats(gates, rows: rows, columns: width)
        let up = try Tensor.floats(ups, rows: rows, columns: width)
        let output = try Tensor.zeros(rows: rows, columns: width)
        backend.gate(gate, up, activation: activation, into: output)
        backend.gateBackward(dy, gate: gate, up: up, activation: activation)
        results += [output.floats(), gate.floats(), up.floats()]
      }
      for i in 0..<3 { #expect(relativeError(results[i + 3], results[i]) < Self.tolerance) }
    }
  }

  @Test(
    "rotation, with and without norm", arguments: exactSets, RotaryLayout.allCases)
  func rotate(_ set: InstructionSet, _ layout: RotaryLayout) throws {
    var random = RandomTensors(seed: 43)
    for (rows, width, heads, isNormed) in [
      (1, 8, 1, false), (3, 16, 3, true), (70, 64, 2, true), (65, 24, 2, false),
    ] {
      let columns = heads * width
      let (input, dy) = (try random.floats(rows, columns), random.values(rows * columns))
      let angles = random.values(rows * width / 2, scale: 3)
      let cosines = try Tensor.floats(angles.map { 1 - $0 }, rows: rows, columns: width / 2)
      let sines = try Tensor.floats(angles, rows: rows, columns: width / 2)
      let norm = isNormed ? try random.floats(1, width) : nil
      var results: [[Float]] = []
      for backend in [reference, try backend(set)] as [any TrainingBackend] {
        let gradient = try Tensor.floats(dy, rows: rows, columns: columns)
        let normGradient = try Tensor.vector([Float](repeating: 0.5, count: width))
        backend.rotateBackward(
          gradient, input: isNormed ? input : nil, headWidth: width, norm: norm, epsilon: 1e-6,
          cosines: cosines, sines: sines, layout: layout,
          normGradient: isNormed ? normGradient : nil)
        results += [gradient.floats(), normGradient.floats()]
      }
      #expect(relativeError(results[2], results[0]) < Self.tolerance)
      #expect(relativeError(results[3], results[1]) < Self.tolerance)
    }
  }

  @Test("scores of targets and their gradient", arguments: exactSets, [Float?.none, 4])
  func scores(_ set: InstructionSet, _ cap: Float?) throws {
    var random = RandomTensors(seed: 44)
    for (rows, width) in [(1, 1), (1, 2), (3, 17), (17, 4097), (2, 20_000)] {
      let z = random.values(rows * width, scale: cap == nil ? 12 : 3.9)
      let targets = (0..<rows).map { row in
        // The likeliest in the first row, any in the others.
        row == 0
          ? Int32(z[0..<width].enumerated().max { $0.element < $1.element }?.offset ?? 0)
          : Int32(row * 7919 % width)
      }
      let coefficients = random.values(rows)
      var results: [[Float]] = []
      for backend in [reference, try backend(set)] as [any TrainingBackend] {
        let logits = try Tensor.floats(z, rows: rows, columns: width)
        let scores = backend.scoreTargets(
          targets, logits: logits, softCap: cap, coefficients: nil)
        #expect(logits.floats() == z)
        #expect(
          backend.scoreTargets(targets, logits: logits, softCap: cap, coefficients: coefficients)
            == scores)
        results += [
          scores.map(\.logProbability), scores.map(\.entropy), scores.map { $0.isTop ? 1 : 0.5 },
          logits.floats(),
        ]
      }
      #expect(results[6] == results[2] && results[6][0] == 1)
      for i in [0, 1, 3] {
        #expect(
          zip(results[i + 4], results[i]).allSatisfy { abs($0 - $1) < 2e-5 }, "[\(rows), \(width)]")
      }
    }
  }

  @Test("sums, columns, embeddings and dropout", arguments: exactSets)
  func others(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 45)
    for (rows, width) in [(1, 1), (3, 17), (65, 130), (70, 640)] {
      let (x, y) = (random.values(rows * width), try random.floats(rows, width))
      let factors = try random.floats(1, width)
      let tokens = (0..<rows).map { Int32($0 * $0 % 9) }
      let table = random.values(9 * width)
      var results: [[Float]] = []
      for backend in [reference, try backend(set)] as [any TrainingBackend] {
        let sum = try Tensor.floats(x, rows: rows, columns: width)
        backend.add(y, scale: -0.3, to: sum)
        let scaled = try Tensor.floats(x, rows: rows, columns: width)
        backend.scaleColumns(scaled, by: factors, into: scaled)
        let sums = try Tensor.floats(factors.floats(), rows: 1, columns: width)
        backend.addColumnProducts(sum, y, to: sums)
        let gradient = try Tensor.floats(table, rows: 9, columns: width)
        backend.embedBackward(tokens, y, scale: 1.5, into: gradient)
        results += [sum.floats(), scaled.floats(), sums.floats(), gradient.floats()]
      }
      for i in 0..<4 { #expect(relativeError(results[i + 4], results[i]) < Self.tolerance) }
      let halves = try Tensor.zeros(rows: 9, columns: width, dtype: .bf16)
      let sums = try Tensor.zeros(rows: 9, columns: width)
      try backend(set).embedBackward(tokens, y, scale: 1.5, into: halves)
      reference.embedBackward(tokens, y, scale: 1.5, into: sums)
      let wide = try Tensor.zeros(rows: 9, columns: width)
      #expect(try backend(set).rewrite(halves, into: wide) == nil)
      #expect(relativeError(wide.floats(), sums.floats()) < Self.bf16Tolerance)
      for rate: Float in [0, 0.1, 0.5] {
        let (expected, actual) = (
          try Tensor.zeros(rows: rows, columns: width), try Tensor.zeros(rows: rows, columns: width)
        )
        reference.dropout(y, rate: rate, seed: 77, into: expected)
        try backend(set).dropout(y, rate: rate, seed: 77, into: actual)
        #expect(actual.floats() == expected.floats())
        try backend(set).copy(y, to: actual)
        #expect(actual.floats() == y.floats())
      }
    }
  }

  @Test("lengths of adapted rows", arguments: exactSets, [DType.f32, .bf16, .q4_0, .q6_K])
  func rowNorms(_ set: InstructionSet, _ dtype: DType) throws {
    var random = RandomTensors(seed: 46)
    let width = dtype.blockSize == 1 ? 100 : 256
    for (rows, rank) in [(1, 1), (70, 16), (33, 5)] {
      let weights = try random.weights(dtype, rows, width)
      let (a, b) = (try random.floats(rank, width), try random.floats(rows, rank))
      let (expected, actual) = (
        try Tensor.zeros(rows: 1, columns: rows), try Tensor.zeros(rows: 1, columns: rows)
      )
      reference.rowNorms(of: weights, a: a, b: b, scale: 0.4, into: expected)
      try backend(set).rowNorms(of: weights, a: a, b: b, scale: 0.4, into: actual)
      #expect(relativeError(actual.floats(), expected.floats()) < Self.tolerance)
    }
  }

  struct AttentionCase: CustomTestStringConvertible {
    var lengths: [Int]
    var heads: (query: Int, key: Int)
    var width: Int
    var window: Int?
    var cap: Float?
    var testDescription: String {
      "\(lengths), \(heads), \(width) wide, window \(window ?? 0), cap \(cap ?? 0)"
    }
  }

  static let attentionCases = [
    AttentionCase(lengths: [1], heads: (1, 1), width: 8, window: nil, cap: nil),
    AttentionCase(lengths: [3, 17, 65], heads: (4, 1), width: 16, window: nil, cap: nil),
    AttentionCase(lengths: [130], heads: (2, 2), width: 80, window: nil, cap: 3),
    AttentionCase(lengths: [200, 1], heads: (4, 2), width: 24, window: 70, cap: nil),
    AttentionCase(lengths: [64, 128], heads: (2, 1), width: 64, window: 1, cap: 5),
    AttentionCase(lengths: [90], heads: (1, 1), width: 256, window: 33, cap: nil),
    AttentionCase(lengths: [70], heads: (1, 1), width: 320, window: nil, cap: nil),
  ]

  /// Gradients of queries, keys and values, and what attention was given.
  private func attend(
    _ test: AttentionCase, _ backend: any TrainingBackend
  ) throws -> [[Float]] {
    var random = RandomTensors(seed: 47)
    let tokens = test.lengths.reduce(0, +)
    let (wide, narrow) = (test.heads.query * test.width, test.heads.key * test.width)
    let inputs = AttentionInputs(
      queries: try random.floats(tokens, wide, scale: 2), keys: try random.floats(tokens, narrow),
      values: try random.floats(tokens, narrow))
    let settings = AttentionSettings(
      headWidth: test.width, queryHeads: test.heads.query, window: test.window, scale: 0.5,
      softCap: test.cap)
    let output = try Tensor.zeros(rows: tokens, columns: wide)
    var sequences: [Range<Int>] = []
    for length in test.lengths {
      let first = sequences.last?.upperBound ?? 0
      sequences.append(first..<first + length)
      let cache = try LayerCache(
        positions: length, headCount: test.heads.key, headWidth: test.width, dtype: .f32)
      reference.store(
        keys: inputs.keys.rows(first..<first + length),
        values: inputs.values.rows(first..<first + length), first: 0, into: cache)
      reference.attention(
        inputs.queries.rows(first..<first + length),
        over: [AttentionSpan(cache: cache, rows: 0..<length, first: 0)], settings: settings,
        into: output.rows(first..<first + length))
    }
    let pass = AttentionPass(
      inputs: inputs, output: output, outputGradient: try random.floats(tokens, wide),
      sequences: sequences)
    // What was there before must not show through.
    let gradients = AttentionInputs(
      queries: try random.floats(tokens, wide), keys: try random.floats(tokens, narrow),
      values: try random.floats(tokens, narrow))
    backend.attentionBackward(pass, settings: settings, into: gradients)
    return [gradients.queries.floats(), gradients.keys.floats(), gradients.values.floats()]
  }

  @Test("attention", arguments: exactSets, attentionCases)
  func attention(_ set: InstructionSet, _ test: AttentionCase) throws {
    let expected = try attend(test, reference)
    let exact = try attend(test, try backend(set))
    let mixed = try attend(test, try backend(set, .mixed))
    for i in 0..<3 {
      // One key, one weight: nothing to learn for it.
      if test.lengths == [1] || test.window == 1, i < 2 {
        #expect((exact[i] + mixed[i]).allSatisfy { abs($0) < 0.1 })
        continue
      }
      #expect(relativeError(exact[i], expected[i]) < Self.tolerance, "\(i) in f32")
      #expect(relativeError(mixed[i], expected[i]) < Self.bf16Tolerance, "\(i) in bf16")
    }
  }

  @Test("attention does not depend on threads or time", arguments: exactSets)
  func determinism(_ set: InstructionSet) throws {
    let test = Self.attentionCases[1]
    let results = try [1, 2, 2, 5].map { try attend(test, backend(set, .mixed, threads: $0)) }
    #expect(results.dropFirst().allSatisfy { $0 == results[0] })
  }
}
