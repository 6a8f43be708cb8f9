// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A position in the bytes of a file that never leaves them: every read is checked first.
///
/// The one place of this module that loads numbers from raw bytes.
struct ByteCursor: ~Escapable {
  /// All bytes of the file.
  let bytes: RawSpan
  /// The file's path, for messages.
  let path: String
  /// Where the next read begins.
  private(set) var offset: Int

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, path: String, at offset: Int = 0) {
    precondition(offset >= 0 && offset <= bytes.byteCount, "cursor at \(offset)")
    self.bytes = bytes
    self.path = path
    self.offset = offset
  }

  /// Bytes that are left.
  var remaining: Int { bytes.byteCount - offset }

  /// Reads a little-endian integer; `what` names it in the error.
  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ what: StaticString
  ) throws(CheckpointError) -> T {
    guard remaining >= MemoryLayout<T>.size else { throw ended(what, MemoryLayout<T>.size) }
    // In bounds: checked on the line above; unsafeLoadUnaligned checks it again.
    let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
    offset += MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  /// Reads a little-endian f32.
  mutating func float(_ what: StaticString) throws(CheckpointError) -> Float {
    Float(bitPattern: try integer(UInt32.self, what))
  }

  /// Reads a 64-bit count of things that take at least `bytesEach` bytes of the rest of the file.
  mutating func count(_ what: StaticString, bytesEach: Int) throws(CheckpointError) -> Int {
    let value = try integer(UInt64.self, what)
    guard value <= UInt64(remaining / bytesEach) else {
      throw CheckpointError(
        .truncated,
        "\(what) of '\(path)' is \(value), more than the file's \(bytes.byteCount) bytes can hold. "
          + "Download it again.")
    }
    return Int(value)
  }

  /// Passes over `count` bytes.
  mutating func skip(_ count: Int, _ what: StaticString) throws(CheckpointError) {
    guard count >= 0, count <= remaining else { throw ended(what, count) }
    offset += count
  }

  /// Reads `count` bytes.
  mutating func byteArray(_ count: Int, _ what: StaticString) throws(CheckpointError) -> [UInt8] {
    let start = offset
    try skip(count, what)
    return bytes.copy(start..<start + count)
  }

  /// Reads a string of `count` bytes of UTF-8.
  mutating func string(_ count: Int, _ what: StaticString) throws(CheckpointError) -> String {
    let start = offset
    guard let text = String(validating: try byteArray(count, what), as: UTF8.self) else {
      throw CheckpointError(
        .malformed, "\(what) at offset \(start) of '\(path)' is not UTF-8. Download it again.")
    }
    return text
  }

  /// Appends the next `count` bytes to `array`.
  mutating func append(_ count: Int, to array: inout [UInt8]) throws(CheckpointError) {
    guard count >= 0, count <= remaining else { throw ended("A string", count) }
    for index in offset..<offset + count {
      array.append(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
    }
    offset += count
  }

  @inline(never)
  private func ended(_ what: StaticString, _ needed: Int) -> CheckpointError {
    CheckpointError(
      .truncated,
      "\(what) needs \(needed) bytes at offset \(offset) of '\(path)'; the file ends at "
        + "\(bytes.byteCount). Download it again.")
  }
}

extension RawSpan {
  /// The bytes of `range` as an array.
  package func copy(_ range: Range<Int>) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes \(range)")
    return [UInt8](capacity: range.count) { output in
      for index in range {
        output.append(unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self))
      }
    }
  }
}
