// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

/// The share of an adapter's inputs that is set to zero in one training step.
///
/// Which ones follows from the step's seed and the matrix, so that a layer that is computed again
/// drops the same.
struct AdapterDropout: Hashable {
  /// Between 0 and 1, 1 left out.
  var rate: Float
  /// Of the step.
  var seed: UInt64

  /// The seed of one matrix.
  func seed(of name: TensorName) -> UInt64 {
    let role = TensorRole.allCases.firstIndex(of: name.role) ?? 0
    var generator = RandomGenerator(
      seed: seed &+ UInt64(truncatingIfNeeded: (name.layer ?? 0) * 64 + role))
    return generator.next()
  }
}

extension Pass {
  /// `input` [T, in] of the matrix `name` without what dropout takes; `input` itself without dropout.
  func dropped(
    _ input: Tensor, _ name: TensorName, _ backend: any TrainingBackend
  ) throws -> Tensor {
    guard let dropout else { return input }
    let kept = try tensor(rows: input.rows, input.columns)
    backend.dropout(input, rate: dropout.rate, seed: dropout.seed(of: name), into: kept)
    return kept
  }
}
