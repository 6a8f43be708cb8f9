// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// Both moments of AdamW in 8 bits a number, with a factor for each block of 256.
///
/// docs/numerics.md says what a code stands for. Four codes lie in the bytes of one f32 of a tensor.
package struct MomentBytes: Sendable {
  package static let block = Int(FK_MOMENT_BLOCK)

  /// The codes of the first and of the second moment.
  package let first: Tensor
  package let second: Tensor
  /// The factors of each block: of its first moments, of its second.
  package let units: Tensor

  /// Moments of `count` numbers, all zero.
  package init(count: Int) throws(TensorError) {
    let blocks = (count + Self.block - 1) / Self.block
    first = try .zeros(rows: blocks, columns: Self.block / 4)
    second = try .zeros(rows: blocks, columns: Self.block / 4)
    units = try .zeros(rows: blocks, columns: 2)
  }
}

extension CPUBackend {
  /// One step of AdamW with moments of 8 bits, which are rounded after the step that uses them.
  package func adamW(
    _ parameters: Tensor, moments: MomentBytes, gradient: Tensor, step: AdamWStep
  ) {
    let count = parameters.count
    precondition(
      gradient.count == count && step.number > 0
        && moments.units.rows == (count + MomentBytes.block - 1) / MomentBytes.block,
      "step \(step.number) of \(count) parameters")
    let constants = step.constants
    unsafe overGradient(gradient) { numbers, _, gradient in
      var constants = constants
      let at = numbers.lowerBound  // A range is whole blocks.
      var bytes = unsafe fk_moment_bytes(
        first: (moments.first.pointer + at).assumingMemoryBound(to: UInt8.self),
        second: (moments.second.pointer + at).assumingMemoryBound(to: UInt8.self),
        units: moments.units.floatPointer + at / MomentBytes.block * 2)
      unsafe kernels.pointee.adamw_bytes(
        &constants, parameters.floatPointer + at, &bytes, gradient, Int64(numbers.count))
    }
  }
}
