// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// Keys and values of one layer and one sequence, in a ring of blocks of 64 positions.
///
/// A layer with a sliding window keeps only as many blocks as its window and one prefill chunk can
/// touch.
package struct LayerCache: Sendable {
  package let keys: Tensor
  package let values: Tensor
  /// Positions in the ring; a multiple of ``blockSize``.
  package let ringPositions: Int
  package let headCount: Int
  package let headWidth: Int

  /// Positions in a block.
  package static var blockSize: Int { Int(FK_KV_BLOCK) }

  package var byteCount: Int { keys.byteCount + values.byteCount }

  /// Values are padded to whole vectors of 16.
  private static func valueWidth(_ headWidth: Int) -> Int { (headWidth + 15) / 16 * 16 }

  /// Bytes that a cache of these sizes takes, for planning.
  package static func byteCount(
    positions: Int, headCount: Int, headWidth: Int, dtype: DType
  ) -> Int {
    let rounded = (positions + blockSize - 1) / blockSize * blockSize
    return rounded * headCount * (headWidth + valueWidth(headWidth)) * dtype.blockByteCount
  }

  /// A cache for at least `positions` positions; `dtype` is f32 or f16.
  package init(
    positions: Int, headCount: Int, headWidth: Int, dtype: DType
  ) throws(TensorError) {
    precondition(dtype == .f32 || dtype == .f16, "a \(dtype) cache")
    precondition(positions > 0 && headCount > 0 && headWidth > 0, "an empty cache")
    let blocks = (positions + Self.blockSize - 1) / Self.blockSize
    ringPositions = blocks * Self.blockSize
    self.headCount = headCount
    self.headWidth = headWidth
    let rows = ringPositions * headCount
    keys = try Tensor.zeros(rows: rows, columns: headWidth, dtype: dtype)
    values = try Tensor.zeros(rows: rows, columns: Self.valueWidth(headWidth), dtype: dtype)
  }

  /// Where element `element` of the key of `position` lies: a column per position in each block.
  func keyIndex(position: Int, head: Int, element: Int) -> Int {
    let block = position / Self.blockSize % (ringPositions / Self.blockSize)
    return ((block * headCount + head) * headWidth + element) * Self.blockSize
      + position % Self.blockSize
  }

  /// Where element `element` of the value of `position` lies: a row per position in each block.
  func valueIndex(position: Int, head: Int, element: Int) -> Int {
    let block = position / Self.blockSize % (ringPositions / Self.blockSize)
    return ((block * headCount + head) * Self.blockSize + position % Self.blockSize)
      * values.columns + element
  }

  var kernelView: fk_kv {
    unsafe fk_kv(
      keys: keys.pointer, values: values.pointer,
      ring_blocks: Int64(ringPositions / Self.blockSize), kv_heads: Int32(headCount),
      head_width: Int32(headWidth), value_width: Int32(Self.valueWidth(headWidth)),
      dtype: keys.dtype.rawValue)
  }
}
