// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Foundation
import Testing

/// The plain twin's way back through attention against central differences in double precision.
@Suite("The gradient of attention is its derivative")
struct AttentionGradientTests {
  static let width = 4

  struct Shape: CustomTestStringConvertible {
    var heads: (query: Int, key: Int)
    var window: Int?
    var cap: Double?
    var testDescription: String { "\(heads), window \(window ?? 0), cap \(cap ?? 0)" }
  }

  static let shapes = [
    Shape(heads: (1, 1), window: nil, cap: nil),
    Shape(heads: (4, 2), window: 3, cap: nil),
    Shape(heads: (2, 1), window: nil, cap: 1.5),
    Shape(heads: (3, 1), window: 2, cap: 2),
  ]
  static let sequences = [0..<1, 1..<6, 6..<9]

  /// softmax(QKᵀ)V, causal, each sequence by itself.
  func attend(_ q: [Double], _ k: [Double], _ v: [Double], _ shape: Shape) -> [Double] {
    let (width, group) = (Self.width, shape.heads.query / shape.heads.key)
    var output = q
    for rows in Self.sequences {
      for row in rows {
        for head in 0..<shape.heads.query {
          let at = (row * shape.heads.query + head) * width
          let seen = rows.filter { $0 <= row && row - $0 < shape.window ?? .max }
          let keys = seen.map { ($0 * shape.heads.key + head / group) * width }
          let weights = keys.map { key in
            let score = 0.7 * (0..<width).reduce(0) { $0 + q[at + $1] * k[key + $1] }
            return exp(shape.cap.map { $0 * tanh(score / $0) } ?? score)
          }
          let sum = weights.reduce(0, +)
          for i in 0..<width {
            output[at + i] = zip(weights, keys).reduce(0) { $0 + $1.0 / sum * v[$1.1 + i] }
          }
        }
      }
    }
    return output
  }

  @Test(arguments: shapes)
  func attention(_ shape: Shape) throws {
    var random = RandomTensors(seed: 61)
    let (wide, narrow) = (shape.heads.query * Self.width, shape.heads.key * Self.width)
    let inputs = AttentionInputs(
      queries: try random.floats(9, wide, scale: 2), keys: try random.floats(9, narrow, scale: 2),
      values: try random.floats(9, narrow))
    let back = try random.floats(9, wide)
    let x = [inputs.queries, inputs.keys, inputs.values].map { $0.floats().map(Double.init) }
    let output = attend(x[0], x[1], x[2], shape)
    let gradients = AttentionInputs(
      queries: try Tensor.zeros(rows: 9, columns: wide),
      keys: try Tensor.zeros(rows: 9, columns: narrow),
      values: try Tensor.zeros(rows: 9, columns: narrow))
    ReferenceBackend().attentionBackward(
      AttentionPass(
        inputs: inputs, output: try Tensor.floats(output.map { Float($0) }, rows: 9, columns: wide),
        outputGradient: back, sequences: Self.sequences),
      settings: AttentionSettings(
        headWidth: Self.width, queryHeads: shape.heads.query, window: shape.window, scale: 0.7,
        softCap: shape.cap.map { Float($0) }),
      into: gradients)
    let dy = back.floats().map(Double.init)
    func loss(_ x: [[Double]]) -> Double {
      zip(attend(x[0], x[1], x[2], shape), dy).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let found = [gradients.queries, gradients.keys, gradients.values].map { $0.floats() }
    for which in 0..<3 {
      for i in x[which].indices {
        var (above, below) = (x, x)
        above[which][i] += 1e-5
        below[which][i] -= 1e-5
        let slope = (loss(above) - loss(below)) / 2e-5
        #expect(abs(Double(found[which][i]) - slope) < 1e-5, "input \(which), place \(i)")
      }
    }
  }
}
