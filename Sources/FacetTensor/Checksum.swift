// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A 64-bit sum over bytes that tells damage and mix-ups, not forgery.
///
/// Eight bytes a step, and each step is a bijection: a change of one word is always seen.
package struct Checksum: Sendable {
  /// The sum of what was added so far.
  package private(set) var value: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// The sum of nothing.
  package init() {}

  /// Adds a number.
  package mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0xff51_afd7_ed55_8ccd
    value ^= value >> 32
  }

  /// Adds `bytes`, and how many they are.
  package mutating func add(_ bytes: RawSpan) {
    let whole = bytes.byteCount / 8 * 8
    for offset in stride(from: 0, to: whole, by: 8) {
      // In bounds: offset + 8 ≤ whole.
      add(
        UInt64(
          littleEndian: unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset, as: UInt64.self)))
    }
    var rest: UInt64 = 0
    for offset in whole..<bytes.byteCount {
      rest = rest << 8 | UInt64(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
    }
    add(rest)
    add(UInt64(bytes.byteCount))
  }

  /// Adds `bytes`, as their span.
  package mutating func add(_ bytes: [UInt8]) { add(unsafe bytes.span.bytes) }

  /// Adds the bytes of `values`, in the machine's order.
  package mutating func add<T: FixedWidthInteger & BitwiseCopyable>(values: [T]) {
    add(unsafe values.span.bytes)
  }

  /// Adds the UTF-8 of `text`.
  package mutating func add(_ text: String) {
    for byte in text.utf8 { add(UInt64(byte)) }
    add(UInt64(text.utf8.count))
  }
}
