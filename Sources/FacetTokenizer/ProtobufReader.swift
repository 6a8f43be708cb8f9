// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads Protocol Buffers' wire format, field by field, and trusts nothing in it.
struct ProtobufReader {
  /// One field of a message.
  struct Field {
    var number: Int
    var value: Value
  }

  /// A field's value as the wire has it.
  enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(Range<Int>)
  }

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  private let file: String

  /// Reads the message that `range` of `bytes` holds; `file` names it in errors.
  init(_ bytes: [UInt8], _ range: Range<Int>, file: String) {
    self.bytes = bytes
    self.file = file
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end of the message.
  mutating func next() throws(TokenizerError) -> Field? {
    guard position < end else { return nil }
    let key = try varint()
    guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw damaged("has an impossible field number") }
    let value: Value
    switch key & 7 {
    case 0: value = .varint(try varint())
    case 1: value = .fixed64(try fixed(8))
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else {
        throw damaged("says that \(length) bytes follow where \(end - position) are left")
      }
      value = .bytes(position..<position + Int(length))
      position += Int(length)
    case 5: value = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
    default: throw damaged("has a field of unknown wire type \(key & 7)")
    }
    return Field(number: Int(key >> 3), value: value)
  }

  private mutating func varint() throws(TokenizerError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw damaged("ends inside a number") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw damaged("has a number of more than ten bytes")
  }

  private mutating func fixed(_ size: Int) throws(TokenizerError) -> UInt64 {
    guard size <= end - position else { throw damaged("ends inside a number") }
    defer { position += size }
    return (0..<size).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
  }

  private func damaged(_ what: String) -> TokenizerError {
    TokenizerError(
      .malformed,
      "\(file) \(what) at byte \(position); it is damaged or is no SentencePiece model. Download it "
        + "again.")
  }
}
