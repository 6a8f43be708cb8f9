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

  /// Bytes of memory that `blocks` blocks have needed so far: the system gives big tensors pages only as
  /// they are touched (``TensorStorage/allocate(byteCount:)``).
  package func touchedByteCount(blocks: Int) -> Int {
    let used = min(blocks, blockCount)
    return [keys, values].reduce(0) { sum, tensor in
      sum
        + TensorStorage.touchedByteCount(tensor.byteCount / blockCount * used, of: tensor.byteCount)
    }
  }

  /// The types that keys and values may have, the most exact first.
  package static let dtypes: [DType] = [.f32, .f16, .bf16, .q8_0, .q4_0]

  /// Values are padded to whole vectors of 16, in the block types to whole blocks, and so are keys.
  private static func widths(_ headWidth: Int, _ dtype: DType) -> (key: Int, value: Int) {
    let whole = dtype.isQuantized ? dtype.blockSize : 16
    let padded = (headWidth + whole - 1) / whole * whole
    return (dtype.isQuantized ? padded : headWidth, padded)
  }

  /// Bytes that a cache of these sizes takes, for planning.
  package static func byteCount(
    positions: Int, headCount: Int, headWidth: Int, dtype: DType
  ) -> Int {
    let rounded = (positions + blockSize - 1) / blockSize * blockSize
    let (key, value) = widths(headWidth, dtype)
    return rounded * headCount * ((key + value) / dtype.blockSize * dtype.blockByteCount)
  }

  /// A cache for at least `positions` positions; `dtype` is one of ``dtypes``.
  package init(
    positions: Int, headCount: Int, headWidth: Int, dtype: DType
  ) throws(TensorError) {
    precondition(Self.dtypes.contains(dtype), "a \(dtype) cache")
    precondition(positions > 0 && headCount > 0 && headWidth > 0, "an empty cache")
    let blocks = (positions + Self.blockSize - 1) / Self.blockSize
    ringPositions = blocks * Self.blockSize
    self.headCount = headCount
    self.headWidth = headWidth
    let rows = ringPositions * headCount
    let (key, value) = Self.widths(headWidth, dtype)
    // In the block types these tensors are only as large as their rows would be: within each block of
    // positions, numbers and scales lie apart (`fk_kv`).
    keys = try Tensor.zeros(rows: rows, columns: key, dtype: dtype)
    values = try Tensor.zeros(rows: rows, columns: value, dtype: dtype)
  }

  /// Where element `element` of the key of `position` lies: a column per position in each block.
  func keyIndex(position: Int, head: Int, element: Int) -> Int {
    let block = position / Self.blockSize % (ringPositions / Self.blockSize)
    return ((block * headCount + head) * headWidth + element) * Self.blockSize
      + position % Self.blockSize
  }

  /// Where element `element` of the value of `position` lies: strips of up to 64 elements in each block,
  /// a row per position in each strip.
  func valueIndex(position: Int, head: Int, element: Int) -> Int {
    let block = position / Self.blockSize % (ringPositions / Self.blockSize)
    let strip = element / Self.stripWidth * Self.stripWidth
    let width = min(Self.stripWidth, values.columns - strip)
    return (block * headCount + head) * Self.blockSize * values.columns + strip * Self.blockSize
      + position % Self.blockSize * width + element - strip
  }

  private static var stripWidth: Int { Int(FK_KV_STRIP) }

  var kernelView: fk_kv {
    unsafe fk_kv(
      keys: keys.pointer, values: values.pointer,
      ring_blocks: Int64(ringPositions / Self.blockSize), kv_heads: Int32(headCount),
      head_width: Int32(headWidth), value_width: Int32(values.columns),
      dtype: keys.dtype.rawValue)
  }
}
