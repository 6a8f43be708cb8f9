// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Testing

/// The optimiser's kernels against their definitions in double precision.
@Suite("Optimiser")
struct OptimiserTests {
  static let exactSets = InstructionSet.available

  @Test("AdamW takes the steps of its algorithm in double precision", arguments: exactSets)
  func adamW(_ set: InstructionSet) throws {
    for count in [1, 7, 16, 33, 257, 70_000] {
      var random = RandomTensors(seed: 31)
      let backend = try #require(CPUBackend(threads: 2, instructionSet: set))
      let parameters = try random.floats(1, count)
      let start = parameters.floats().map(Double.init)
      var (p, m, v) = (start, start.map { _ in 0.0 }, start.map { _ in 0.0 })
      let first = try Tensor.zeros(rows: 1, columns: count)
      let second = try Tensor.zeros(rows: 1, columns: count)
      for number in 1...3 {
        let gradient = try random.floats(1, count, scale: 3)
        backend.adamW(
          parameters, first: first, second: second, gradient: gradient,
          step: AdamWStep(
            learningRate: 0.01, weightDecay: 0.1, number: number, gradientScale: 0.25))
        for (i, value) in gradient.floats().enumerated() {
          let g = 0.25 * Double(value)
          (m[i], v[i]) = (0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g * g)
          var (power1, power2) = (1.0, 1.0)
          for _ in 0..<number { (power1, power2) = (0.9 * power1, 0.999 * power2) }
          let step = m[i] / (1 - power1) / ((v[i] / (1 - power2)).squareRoot() + 1e-8)
          p[i] -= 0.01 * 0.1 * p[i] + 0.01 * step
        }
      }
      // β in f32 is 0.999 within 6e-8, so 1 - β within 6e-5 of itself.
      #expect(relativeError(second.floats(), v.map { Float($0) }) < 1e-4)
      #expect(relativeError(first.floats(), m.map { Float($0) }) < 1e-6)
      let moved = zip(parameters.floats(), start).map { Float(Double($0) - $1) }
      let expected = zip(p, start).map { Float($0 - $1) }
      #expect(relativeError(moved, expected) < 1e-4, "\(count) parameters")
    }
  }

  @Test("every rule takes a gradient in bf16 for the numbers it holds", arguments: exactSets)
  func halfGradients(_ set: InstructionSet) throws {
    let backend = try #require(CPUBackend(threads: 2, instructionSet: set))
    for count in [1, 100, 70_001] {
      var random = RandomTensors(seed: 33)
      let half = try random.weights(.bf16, 1, count)
      let wide = try Tensor.zeros(rows: 1, columns: count)
      #expect(backend.rewrite(half, into: wide) == nil)
      #expect(backend.sumOfSquares(half) == backend.sumOfSquares(wide))
      let start = random.values(count)
      func steps(_ gradient: Tensor) throws -> [[Float]] {
        let values = try (0..<4).map { _ in try Tensor.floats(start, rows: 1, columns: count) }
        let zeros = try (0..<4).map { _ in try Tensor.zeros(rows: 1, columns: count) }
        let step = AdamWStep(learningRate: 0.01, weightDecay: 0.1, number: 1, gradientScale: 0.5)
        backend.adamW(values[0], first: zeros[0], second: zeros[1], gradient: gradient, step: step)
        backend.adamW(
          values[1], moments: try MomentBytes(count: count), gradient: gradient, step: step)
        let momentum = MomentumStep(learningRate: 0.01, firstDecay: 0.9, secondDecay: 0.99)
        backend.sgd(values[2], momentum: zeros[2], gradient: gradient, step: momentum)
        backend.lion(values[3], momentum: zeros[3], gradient: gradient, step: momentum)
        return values.map { $0.floats() }
      }
      let (expected, actual) = (try steps(wide), try steps(half))
      #expect(expected == actual)
      #expect(expected.allSatisfy { $0 != start })
    }
  }

  @Test("sums of squares and scaling, on any number of threads", arguments: exactSets)
  func sums(_ set: InstructionSet) throws {
    var random = RandomTensors(seed: 32)
    for count in [1, 15, 16, 100, 32_768, 100_001] {
      let x = try random.floats(1, count)
      let expected = x.floats().reduce(0.0) { $0 + Double($1) * Double($1) }
      var sums: [Double] = []
      for threads in [1, 2, 3] {
        let backend = try #require(CPUBackend(threads: threads, instructionSet: set))
        sums.append(backend.sumOfSquares(x))
      }
      #expect(abs(sums[0] - expected) < 1e-12 * expected)
      #expect(sums[0] == sums[1] && sums[0] == sums[2])
      let values = x.floats()
      let backend = try #require(CPUBackend(threads: 2, instructionSet: set))
      backend.scale(x, by: 0.3)
      #expect(x.floats() == values.map { 0.3 * $0 })
    }
  }
}
