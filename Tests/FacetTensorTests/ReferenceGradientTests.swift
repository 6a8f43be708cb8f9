// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Foundation
import Testing

/// Each way back of the plain twin is the derivative of the function that the field's papers write,
/// by central differences in double precision of functions written here once more.
@Suite("Gradients of ReferenceBackend are derivatives")
struct ReferenceGradientTests {
  let reference = ReferenceBackend()

  /// Checks `gradient` against (f(x + h) − f(x − h)) / 2h in every place.
  func expectGradient(
    _ gradient: [Float], of x: [Double], _ what: String, _ function: ([Double]) -> Double
  ) {
    let step = 1e-5
    let scale = max(1e-3, gradient.map { abs(Double($0)) }.max() ?? 0)
    for i in x.indices {
      var (above, below) = (x, x)
      above[i] += step
      below[i] -= step
      let slope = (function(above) - function(below)) / (2 * step)
      #expect(abs(Double(gradient[i]) - slope) < 2e-6 * scale + 1e-7, "\(what), place \(i)")
    }
  }

  func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

  func doubles(_ tensor: Tensor) -> [Double] { tensor.floats().map(Double.init) }

  /// [T, in] · [out, in]ᵀ.
  func product(_ x: [Double], _ w: [Double], _ columns: Int) -> [Double] {
    stride(from: 0, to: x.count, by: columns).flatMap { t in
      stride(from: 0, to: w.count, by: columns).map { r in
        dot(Array(x[t..<t + columns]), Array(w[r..<r + columns]))
      }
    }
  }

  @Test func productsOfWeights() throws {
    var random = RandomTensors(seed: 51)
    let (x, w) = (try random.floats(3, 5), try random.floats(4, 5))
    let dy = try random.floats(3, 4)
    let (dx, dw) = (try Tensor.zeros(rows: 3, columns: 5), try Tensor.zeros(rows: 4, columns: 5))
    reference.linearBackward([dy], [w], adding: false, into: dx)
    reference.weightGradient(dy, x, scale: 1, into: dw)
    let (inputs, weights, back) = (doubles(x), doubles(w), doubles(dy))
    expectGradient(dx.floats(), of: inputs, "input") { dot(product($0, weights, 5), back) }
    expectGradient(dw.floats(), of: weights, "weights") { dot(product(inputs, $0, 5), back) }
    // Twice, once added to what is there.
    reference.linearBackward([dy], [w], adding: true, into: dx)
    reference.weightGradient(dy, x, scale: 1, into: dw)
    expectGradient(dx.floats(), of: inputs, "sum") { 2 * dot(product($0, weights, 5), back) }
    expectGradient(dw.floats(), of: weights, "sum") { 2 * dot(product(inputs, $0, 5), back) }
  }

  func normed(_ x: [Double], _ weight: [Double], _ epsilon: Double) -> [Double] {
    let width = weight.count
    return stride(from: 0, to: x.count, by: width).flatMap { row in
      let values = Array(x[row..<row + width])
      let rms = (dot(values, values) / Double(width) + epsilon).squareRoot()
      return (0..<width).map { values[$0] / rms * weight[$0] }
    }
  }

  @Test func norms() throws {
    var random = RandomTensors(seed: 52)
    let (x, weight) = (try random.floats(3, 7), try random.floats(1, 7))
    let dy = try random.floats(3, 7)
    let (dx, dw) = (try Tensor.zeros(rows: 3, columns: 7), try Tensor.zeros(rows: 1, columns: 7))
    reference.rmsNormBackward(
      dy, input: x, weight: weight, epsilon: 0.01, adding: false, into: dx, weightGradient: dw)
    let (inputs, weights, back) = (doubles(x), doubles(weight), doubles(dy))
    let epsilon = Double(Float(0.01))
    expectGradient(dx.floats(), of: inputs, "input") { dot(normed($0, weights, epsilon), back) }
    expectGradient(dw.floats(), of: weights, "weight") { dot(normed(inputs, $0, epsilon), back) }
  }

  @Test(arguments: Activation.allCases)
  func gates(_ activation: Activation) throws {
    var random = RandomTensors(seed: 53)
    let (gate, up) = (try random.floats(3, 7, scale: 4), try random.floats(3, 7))
    let dy = try random.floats(3, 7)
    let (gates, ups, back) = (doubles(gate), doubles(up), doubles(dy))
    reference.gateBackward(dy, gate: gate, up: up, activation: activation)
    func value(_ z: Double) -> Double {
      switch activation {
      case .silu: z / (1 + exp(-z))
      case .geluTanh: z / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (z + 0.044715 * z * z * z)))
      }
    }
    expectGradient(gate.floats(), of: gates, "gate") { z in
      back.indices.reduce(0) { $0 + back[$1] * value(z[$1]) * ups[$1] }
    }
    expectGradient(up.floats(), of: ups, "up") { u in
      back.indices.reduce(0) { $0 + back[$1] * value(gates[$1]) * u[$1] }
    }
  }

  @Test(arguments: RotaryLayout.allCases, [false, true])
  func rotation(_ layout: RotaryLayout, _ isNormed: Bool) throws {
    var random = RandomTensors(seed: 54)
    let (width, half) = (6, 3)
    let (input, weight) = (try random.floats(2, 2 * width), try random.floats(1, width))
    let angles = random.values(2 * half, scale: 3).map(Double.init)
    let cosines = try Tensor.floats(angles.map { Float(cos($0)) }, rows: 2, columns: half)
    let sines = try Tensor.floats(angles.map { Float(sin($0)) }, rows: 2, columns: half)
    let heads = try random.floats(2, 2 * width)
    let (inputs, weights, back) = (doubles(input), doubles(weight), doubles(heads))
    let (c, s) = (doubles(cosines), doubles(sines))
    func rotated(_ x: [Double]) -> [Double] {
      var y = x
      for head in 0..<4 {
        for pair in 0..<half {
          let (i, j) = layout == .halfSplit ? (pair, pair + half) : (2 * pair, 2 * pair + 1)
          let (a, b) = (x[head * width + i], x[head * width + j])
          let at = head / 2 * half + pair
          y[head * width + i] = a * c[at] - b * s[at]
          y[head * width + j] = b * c[at] + a * s[at]
        }
      }
      return y
    }
    let normGradient = try Tensor.zeros(rows: 1, columns: width)
    reference.rotateBackward(
      heads, input: isNormed ? input : nil, headWidth: width, norm: isNormed ? weight : nil,
      epsilon: 0, cosines: cosines, sines: sines, layout: layout,
      normGradient: isNormed ? normGradient : nil)
    expectGradient(heads.floats(), of: inputs, "heads") {
      dot(rotated(isNormed ? normed($0, weights, 0) : $0), back)
    }
    guard isNormed else { return }
    expectGradient(normGradient.floats(), of: weights, "norm") {
      dot(rotated(normed(inputs, $0, 0)), back)
    }
  }

  @Test(arguments: [Double?.none, 2])
  func scores(_ cap: Double?) throws {
    var random = RandomTensors(seed: 55)
    let raw = random.values(2 * 9, scale: 3).map(Double.init)
    func capped(_ z: Double) -> Double { cap.map { $0 * tanh(z / $0) } ?? z }
    let targets: [Int32] = [4, 8]
    let coefficients: [Float] = [0.5, -1.25]
    func probabilities(_ z: [Double], _ row: Int) -> [Double] {
      let values = (0..<9).map { exp(capped(z[row * 9 + $0])) }
      let sum = values.reduce(0, +)
      return values.map { $0 / sum }
    }
    let logits = try Tensor.floats(raw.map { Float(capped($0)) }, rows: 2, columns: 9)
    let scores = reference.scoreTargets(
      targets, logits: logits, softCap: cap.map { Float($0) }, coefficients: coefficients)
    for (row, score) in scores.enumerated() {
      let p = probabilities(raw, row)
      #expect(abs(Double(score.logProbability) - log(p[Int(targets[row])])) < 1e-5)
      #expect(abs(Double(score.entropy) + p.reduce(0) { $0 + $1 * log($1) }) < 1e-5)
      #expect(score.isTop == (p.max() == p[Int(targets[row])]))
    }
    expectGradient(logits.floats(), of: raw, "logits") { z in
      (0..<2).reduce(0) {
        $0 - Double(coefficients[$1]) * log(probabilities(z, $1)[Int(targets[$1])])
      }
    }
  }
}
