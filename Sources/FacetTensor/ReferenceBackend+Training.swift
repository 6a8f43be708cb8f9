// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The way back, as calculus has it: plain loops, sums in double.
extension ReferenceBackend: TrainingBackend {
  package func linearBackward(
    _ outputs: [Tensor], _ weights: [Tensor], adding: Bool, into input: Tensor
  ) {
    var sums = adding ? input.floats().map(Double.init) : zeros(input)
    for (output, matrix) in zip(outputs, weights) {
      let (dy, w) = (output.floats(), Self.dequantized(matrix))
      for t in 0..<input.rows {
        for r in 0..<matrix.rows {
          let scale = Double(dy[t * matrix.rows + r])
          for k in 0..<input.columns {
            sums[t * input.columns + k] += scale * Double(w[r * input.columns + k])
          }
        }
      }
    }
    input.write(sums.map { Float($0) })
  }

  package func weightGradient(
    _ output: Tensor, _ input: Tensor, scale: Float, into gradient: Tensor
  ) {
    let (dy, x) = (output.floats(), input.floats())
    var sums = zeros(gradient)
    for t in 0..<input.rows {
      for r in 0..<output.columns {
        for k in 0..<input.columns {
          sums[r * input.columns + k] +=
            Double(dy[t * output.columns + r]) * Double(x[t * input.columns + k])
        }
      }
    }
    gradient.write(zip(gradient.floats(), sums).map { $0 + Float(Double(scale) * $1) })
  }

  package func rmsNormBackward(
    _ output: Tensor, input: Tensor, weight: Tensor, epsilon: Float, adding: Bool,
    into inputGradient: Tensor, weightGradient: Tensor?
  ) {
    let (dy, x, w) = (output.floats(), input.floats(), weight.floats())
    let width = input.columns
    var dx = adding ? inputGradient.floats().map(Double.init) : zeros(inputGradient)
    var dw = (weightGradient?.floats() ?? w).map(Double.init)
    for row in stride(from: 0, to: input.count, by: width) {
      let squares = (row..<row + width).reduce(0.0) { $0 + Double(x[$1]) * Double(x[$1]) }
      let inverse = 1 / (squares / Double(width) + Double(epsilon)).squareRoot()
      // With n = x / rms: dx = (g - n · mean(g · n)) / rms, where g = dy · w.
      let mean =
        (0..<width).reduce(0.0) { sum, i in
          sum + Double(dy[row + i]) * Double(w[i]) * Double(x[row + i]) * inverse
        } / Double(width)
      for i in 0..<width {
        let normed = Double(x[row + i]) * inverse
        dx[row + i] += inverse * (Double(dy[row + i]) * Double(w[i]) - normed * mean)
        dw[i] += Double(dy[row + i]) * normed
      }
    }
    inputGradient.write(dx.map { Float($0) })
    weightGradient?.write(dw.map { Float($0) })
  }

  package func gate(_ gate: Tensor, _ up: Tensor, activation: Activation, into output: Tensor) {
    output.write(
      zip(gate.floats(), up.floats()).map { Float(activation.exact(Double($0)) * Double($1)) })
  }

  package func gateBackward(_ output: Tensor, gate: Tensor, up: Tensor, activation: Activation) {
    let (dy, gates, ups) = (output.floats(), gate.floats(), up.floats())
    gate.write(
      dy.indices.map {
        Float(Double(dy[$0]) * Double(ups[$0]) * activation.slope(Double(gates[$0])))
      })
    up.write(dy.indices.map { Float(Double(dy[$0]) * activation.exact(Double(gates[$0]))) })
  }

  package func rotateBackward(
    _ heads: Tensor, input: Tensor?, headWidth: Int, norm: Tensor?, epsilon: Float,
    cosines: Tensor, sines: Tensor, layout: RotaryLayout, normGradient: Tensor?
  ) {
    // The way back through a rotation is the rotation by the opposite angle.
    guard let opposite = try? Tensor.zeros(rows: sines.rows, columns: sines.columns) else {
      preconditionFailure("no memory for \(sines.count) sines")
    }
    opposite.write(sines.floats().map { -$0 })
    rotate(
      heads, headWidth: headWidth, norm: nil, epsilon: epsilon, cosines: cosines, sines: opposite,
      layout: layout)
    guard let norm, let input else { return }
    let perHead = heads.reshaped(columns: headWidth)
    rmsNormBackward(
      perHead, input: input.reshaped(columns: headWidth), weight: norm, epsilon: epsilon,
      adding: false, into: perHead, weightGradient: normGradient)
  }

  package func scoreTargets(
    _ targets: [Int32], logits: Tensor, softCap: Float?, coefficients: [Float]?
  ) -> [TargetScore] {
    var z = logits.floats()
    let width = logits.columns
    let scores = targets.enumerated().map { row, target in
      let range = row * width..<(row + 1) * width
      let maximum = Double(z[range].max() ?? 0)
      let exponentials = range.map { exp(Double(z[$0]) - maximum) }
      let sum = exponentials.reduce(0, +)
      let logSum = maximum + log(sum)
      let mean = zip(range, exponentials).reduce(0.0) { $0 + Double(z[$1.0]) * $1.1 / sum }
      let held = z[range.lowerBound + Int(target)]
      if let coefficients {
        for (token, at) in range.enumerated() {
          let cap = softCap.map { 1 - (Double(z[at]) / Double($0)) * (Double(z[at]) / Double($0)) }
          let excess = exponentials[token] / sum - (token == Int(target) ? 1 : 0)
          z[at] = Float(Double(coefficients[row]) * excess * (cap ?? 1))
        }
      }
      return TargetScore(
        logProbability: Float(Double(held) - logSum), isTop: Double(held) == maximum,
        entropy: Float(logSum - mean))
    }
    if coefficients != nil { logits.write(z) }
    return scores
  }

  package func embedBackward(
    _ tokens: [Int32], _ output: Tensor, scale: Float, into gradient: Tensor
  ) {
    var sums = gradient.floats()
    let (dy, width) = (output.floats(), output.columns)
    for (row, token) in tokens.enumerated() {
      for i in 0..<width { sums[Int(token) * width + i] += scale * dy[row * width + i] }
    }
    gradient.write(sums)
  }

  package func addLinear(_ input: Tensor, _ weights: Tensor, to output: Tensor) {
    output.write(zip(output.floats(), product(input, weights)).map(+))
  }

  package func add(_ y: Tensor, scale: Float, to x: Tensor) {
    x.write(zip(x.floats(), y.floats()).map { $0 + scale * $1 })
  }

  package func scale(_ x: Tensor, by factor: Float) { x.write(x.floats().map { factor * $0 }) }

  package func copy(_ input: Tensor, to output: Tensor) { output.write(input.floats()) }

  package func dropout(_ input: Tensor, rate: Float, seed: UInt64, into output: Tensor) {
    let keep = 1 / (1 - rate)
    output.write(
      input.floats().enumerated().map { Dropout.drops($0, seed: seed, rate: rate) ? 0 : keep * $1 })
  }

  package func scaleColumns(_ input: Tensor, by factors: Tensor, into output: Tensor) {
    let factor = factors.floats()
    output.write(input.floats().enumerated().map { $1 * factor[$0 % factor.count] })
  }

  package func addColumnProducts(_ x: Tensor, _ y: Tensor, to sums: Tensor) {
    var total = sums.floats().map(Double.init)
    for (index, pair) in zip(x.floats(), y.floats()).enumerated() {
      total[index % x.columns] += Double(pair.0) * Double(pair.1)
    }
    sums.write(total.map { Float($0) })
  }

  package func rowNorms(
    of weights: Tensor, a: Tensor, b: Tensor, scale: Float, into norms: Tensor
  ) {
    let (w, a, b) = (Self.dequantized(weights), a.floats(), b.floats())
    let width = weights.columns
    let rank = b.count / weights.rows
    norms.write(
      (0..<weights.rows).map { row in
        let squares = (0..<width).reduce(0.0) { sum, column in
          let change = (0..<rank).reduce(0.0) {
            $0 + Double(b[row * rank + $1]) * Double(a[$1 * width + column])
          }
          let value = Double(w[row * width + column]) + Double(scale) * change
          return sum + value * value
        }
        return Float(squares.squareRoot())
      })
  }

  private func zeros(_ tensor: Tensor) -> [Double] { [Double](repeating: 0, count: tensor.count) }
}

/// Which elements dropout sets to zero.
package enum Dropout {
  /// Whether element `index` goes: the top 24 bits of SplitMix64's mix of `seed` and the index, as a
  /// fraction, lie below `rate`.
  package static func drops(_ index: Int, seed: UInt64, rate: Float) -> Bool {
    var z = seed &+ UInt64(truncatingIfNeeded: index) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    return Float(z >> 40) * 0x1p-24 < rate
  }
}

extension Activation {
  /// The derivative of the function.
  package func slope(_ z: Double) -> Double {
    switch self {
    case .geluTanh:
      let root = (2 / Double.pi).squareRoot()
      let t = tanh(root * (z + 0.044715 * z * z * z))
      return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * root * (1 + 3 * 0.044715 * z * z)
    case .silu:
      let sigmoid = 1 / (1 + exp(-z))
      return sigmoid * (1 + z * (1 - sigmoid))
    }
  }
}
