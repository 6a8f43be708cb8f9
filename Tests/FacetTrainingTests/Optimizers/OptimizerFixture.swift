// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTestSupport

/// Parameters and gradients that the tests of optimizers share.
enum OptimizerFixture {
  /// The path of a golden, from this folder inside the tests of the module.
  static func golden(_ name: String, file: String = #filePath) -> String {
    let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return Goldens.path(name, file: folder.joined(separator: "/"))
  }

  /// The hash that the goldens' script draws its numbers from, between -1 and 1: SplitMix64's mix.
  static func noise(_ seed: Int, _ count: Int) -> [Float] {
    (0..<count).map { index in
      var z = UInt64(seed) &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return Float(Double((z ^ (z >> 31)) >> 40) * 0x1p-23 - 1)
    }
  }

  /// The factors and the magnitudes of an adapter to a matrix [height, width]; only factors decay.
  static func gradients(rank: Int = 5, width: Int = 33, height: Int = 20) throws -> Gradients {
    func tensor(_ seed: Int, _ rows: Int, _ columns: Int) throws -> Tensor {
      try .floats(noise(seed, rows * columns), rows: rows, columns: columns)
    }
    let matrices = AdapterMatrices(
      a: try tensor(0, rank, width), b: try tensor(1, height, rank),
      magnitude: try tensor(2, 1, height), scale: 1)
    return try Gradients(
      adapter: Adapter(modules: [TensorName(.query, layer: 0): matrices]))
  }

  /// Writes the gradients of step `number`, as the goldens' script has them.
  static func write(step number: Int, _ parameters: [Parameter]) {
    for (index, parameter) in parameters.enumerated() {
      let size: Float = number == 4 ? 0.02 : 1
      parameter.gradient.write(
        noise(100 * number + index, parameter.gradient.count).map { $0 * size })
    }
  }

  static func copy(_ tensor: Tensor) throws -> Tensor {
    let copy = try Tensor.zeros(rows: tensor.rows, columns: tensor.columns, dtype: tensor.dtype)
    copy.overwrite(with: tensor)
    return copy
  }

  /// The bits of all values.
  static func bits(_ parameters: [Parameter]) -> [UInt32] {
    parameters.flatMap { $0.value.floats().map(\.bitPattern) }
  }

  /// ‖a − b‖.
  static func distance(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0.0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
      .squareRoot()
  }
}
