// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
public import FacetTensor

extension ModelWeights {
  /// The same weights in memory of their own, the matrices as `dtype`; norms stay f32.
  ///
  /// What is trained must be f32. Another floating-point type suits a base that only adapters change.
  public func rewritten(_ dtype: DType, on backend: CPUBackend) throws -> ModelWeights {
    try mapped { name, tensor in
      let type = name.role.isNorm ? .f32 : dtype
      let copy = try Tensor.zeros(rows: tensor.rows, columns: tensor.columns, dtype: type)
      guard let row = backend.rewrite(tensor, into: copy) else { return copy }
      throw ModelError(
        .unsupported,
        "Row \(row) of the tensor '\(name)' holds a number that \(type) cannot hold.")
    }
  }
}
