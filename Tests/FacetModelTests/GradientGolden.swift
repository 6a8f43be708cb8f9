// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTestSupport
import Foundation

/// What PyTorch's autograd makes of a fixture (Tests/Goldens/PROVENANCE.md).
struct GradientGolden: Decodable {
  /// A gradient, told by its length and its sums with 16 patterns of signs.
  struct Told: Decodable {
    let norm: Double
    let projections: [Double]

    /// An estimate of ‖g - g'‖ / ‖g‖: projections of the difference have its length on average.
    func distance(to gradient: [Float]) -> Double {
      let squares = projections.enumerated().map { index, projection in
        var sum = 0.0
        for (place, value) in gradient.enumerated() {
          sum += Hash.mix(UInt64(index), place) >> 63 == 0 ? Double(value) : -Double(value)
        }
        return (sum - projection) * (sum - projection)
      }
      let mean = squares.reduce(0, +) / Double(projections.count)
      return mean.squareRoot() / max(norm, 1e-12)
    }
  }

  struct Adapted: Decodable {
    let logProbabilities: [Float]
    let gradients: [String: Told]
  }

  let tokens: [Int32]
  let lengths: [Int]
  let targets: [[Int32]]
  let coefficients: [Float]
  let logProbabilities: [Float]
  let gradients: [String: Told]
  let adapters: [String: Adapted]
  let curve: [Float]

  init(_ family: String) throws {
    let url = URL(fileURLWithPath: Goldens.path("fixtures/\(family)/gradients.json"))
    self = try JSONDecoder().decode(GradientGolden.self, from: Data(contentsOf: url))
  }

  var batch: TargetBatch {
    TargetBatch(
      tokens: tokens, lengths: lengths,
      targets: targets.map { TargetBatch.Target(row: Int($0[0]), token: $0[1]) })
  }
}

/// The hash that the goldens' script draws its numbers from: SplitMix64's mix.
enum Hash {
  static func mix(_ seed: UInt64, _ index: Int) -> UInt64 {
    var z = seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Numbers between -1 and 1.
  static func noise(_ seed: UInt64, _ count: Int) -> [Float] {
    (0..<count).map { Float(Double(mix(seed, $0) >> 40) * 0x1p-23 - 1) }
  }
}

extension Adapter {
  /// The adapter that the goldens' script gives to PEFT: rank 4, alpha 6, noise for both factors, and
  /// for "dora" magnitudes near the lengths of the rows of the model's matrices.
  static func golden(_ kind: String, for transformer: Transformer) throws -> Adapter {
    let order: [TensorRole] = [
      .embedding, .head, .finalNorm, .attentionNorm, .query, .key, .value, .attentionOutput,
      .queryNorm, .keyNorm, .postAttentionNorm, .feedForwardNorm, .gate, .up, .down,
      .postFeedForwardNorm,
    ]
    var modules: [TensorName: AdapterMatrices] = [:]
    for (name, matrix) in transformer.weights.named
    where AdapterConfiguration.linearRoles.contains(name.role) {
      guard let layer = name.layer, let role = order.firstIndex(of: name.role) else { continue }
      func noise(_ part: Int, _ rows: Int, _ columns: Int) throws -> Tensor {
        let seed = UInt64(100_000 * part + 100 * layer + role)
        return try .floats(
          Hash.noise(seed, rows * columns).map { 0.2 * $0 }, rows: rows, columns: columns)
      }
      let a = try noise(0, 4, matrix.columns)
      let b = try noise(1, matrix.rows, 4)
      let factors = Hash.noise(UInt64(200_000 + 100 * layer + role), matrix.rows)
      let norms = ReferenceBackend.dequantized(matrix).lengths(columns: matrix.columns)
      modules[name] = AdapterMatrices(
        a: a, b: b,
        magnitude: kind == "dora"
          ? try .vector(zip(norms, factors).map { $0 * (1 + 0.1 * $1) }) : nil,
        scale: kind == "rslora" ? 3 : 1.5)
    }
    return Adapter(modules: modules)
  }
}

extension [Float] {
  /// The length of each row of `columns`.
  func lengths(columns: Int) -> [Float] {
    stride(from: 0, to: count, by: columns).map { row in
      Float(self[row..<row + columns].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
    }
  }
}
