// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension RawSpan {
  /// `count` values that lie one after the other from `offset` on, aligned or not, in the machine's byte
  /// order.
  ///
  /// Only for types of which all bit patterns are values: the integers.
  package func values<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, at offset: Int, count: Int
  ) -> [T] {
    precondition(
      count >= 0 && offset >= 0 && offset <= byteCount
        && count <= (byteCount - offset) / MemoryLayout<T>.stride,
      "RawSpan.values: \(count) of \(type) at \(offset) of \(byteCount) bytes")
    return unsafe withUnsafeBytes { source in
      unsafe [T](unsafeUninitializedCapacity: count) { values, filled in
        // The range was checked above; both pointers live for the call.
        unsafe UnsafeMutableRawBufferPointer(values).copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: source[offset..<offset + count * MemoryLayout<T>.stride]))
        filled = count
      }
    }
  }
}
