// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
public import FacetTensor

extension ModelConfiguration {
  /// Weights that have learned nothing: matrices of the normal distribution with mean 0 and `deviation`,
  /// norms that multiply by 1, as transformers begins.
  ///
  /// Each tensor follows from `seed` and its own name.
  public func randomTensors(
    seed: UInt64, deviation: Float = 0.02
  ) throws(TensorError) -> [TensorName: Tensor] {
    var tensors: [TensorName: Tensor] = [:]
    for (index, role) in TensorRole.allCases.enumerated() {
      let owners: [Int?] = role.isGlobal ? [nil] : (0..<layers).map { $0 }
      for layer in owners {
        let name = TensorName(role, layer: layer)
        guard let shape = shape(of: name) else { continue }
        let tensor = try Tensor.zeros(rows: shape.rows, columns: shape.columns)
        if role.isNorm {
          tensor.fill(1)
        } else {
          let place = UInt64(index) << 32 | UInt64((layer ?? -1) + 1)
          tensor.fillNormal(seed: seed &+ place &* 0x9e37_79b9_7f4a_7c15, deviation: deviation)
        }
        tensors[name] = tensor
      }
    }
    return tensors
  }
}

extension Tensor {
  /// Fills an f32 tensor with numbers of the normal distribution.
  fileprivate func fillNormal(seed: UInt64, deviation: Float) {
    var random = RandomGenerator(seed: seed)
    withMutableFloats { span in
      for index in stride(from: 0, to: span.count, by: 2) {
        let (first, second) = random.normals()
        span[index] = deviation * Float(first)
        if index + 1 < span.count { span[index + 1] = deviation * Float(second) }
      }
    }
  }
}
