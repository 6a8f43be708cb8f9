// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Blocks of the ring as bytes, whatever the numbers in them are: for copies, and for files.
extension LayerCache {
  /// Blocks of the ring.
  package var blockCount: Int { ringPositions / Self.blockSize }

  /// Bytes of the first `blocks` blocks, keys and values.
  package func byteCount(blocks: Int) -> Int { parts(blocks).reduce(0) { $0 + $1.byteCount } }

  /// An empty cache of the same shape.
  package func emptyTwin() throws(TensorError) -> LayerCache {
    try LayerCache(
      positions: ringPositions, headCount: headCount, headWidth: headWidth, dtype: keys.dtype)
  }

  /// Overwrites the first `blocks` blocks with those of `other`, which has the same shape.
  package func copy(_ blocks: Int, from other: LayerCache) {
    for (to, from) in zip(parts(blocks), other.parts(blocks)) {
      precondition(to.byteCount == from.byteCount, "caches of different shapes")
      unsafe memcpy(to.pointer, from.pointer, to.byteCount)
    }
  }

  /// Lends the bytes of the first `blocks` blocks to `body`: the keys, then the values.
  package func forEachPart<E: Error>(_ blocks: Int, _ body: (RawSpan) throws(E) -> Void) throws(E) {
    for part in parts(blocks) { try body(part.bytes) }
  }

  /// Overwrites the first `blocks` blocks with `bytes` from `offset` on.
  package func read(_ blocks: Int, from bytes: RawSpan, at offset: Int) {
    precondition(
      offset >= 0 && offset + byteCount(blocks: blocks) <= bytes.byteCount,
      "\(blocks) blocks at byte \(offset) of \(bytes.byteCount)")
    var offset = offset
    for part in parts(blocks) {
      // In bounds: checked above for both parts together.
      unsafe bytes.withUnsafeBytes { buffer in
        if let base = buffer.baseAddress {
          unsafe memcpy(part.pointer, base + offset, part.byteCount)
        }
      }
      offset += part.byteCount
    }
  }

  /// The rows of keys and of values that the first `blocks` blocks take.
  private func parts(_ blocks: Int) -> [Tensor] {
    precondition(blocks >= 0 && blocks <= blockCount, "\(blocks) blocks of \(blockCount)")
    return [keys, values].map { $0.rows(0..<$0.rows / blockCount * blocks) }
  }
}
