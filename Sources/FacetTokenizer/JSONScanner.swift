// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A value of JSON, for the small parts of a file.
indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  var string: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  var array: [JSONValue]? {
    guard case .array(let values) = self else { return nil }
    return values
  }

  /// A number that is a token id.
  var token: TokenID? {
    guard case .number(let value) = self else { return nil }
    return TokenID(exactly: value)
  }
}

/// Reads JSON from bytes, one step at a time: large members straight into packed strings, small ones
/// as values.
struct JSONScanner {
  let bytes: [UInt8]
  private(set) var position = 0
  private let file: String
  /// Deeper nesting than any tokenizer has; it bounds the recursion.
  private static let deepest = 64

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  /// Goes back to a place that was read before.
  mutating func rewind(to position: Int) { self.position = position }

  /// The next byte that is not white space, without taking it.
  mutating func peek() throws(TokenizerError) -> UInt8 {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position += 1
    }
    throw damaged("ends too early")
  }

  /// Takes `byte` if it comes next.
  mutating func skip(_ byte: UInt8) throws(TokenizerError) -> Bool {
    guard try peek() == byte else { return false }
    position += 1
    return true
  }

  mutating func expect(_ byte: UInt8) throws(TokenizerError) {
    guard try skip(byte) else {
      throw damaged("lacks '\(Character(Unicode.Scalar(byte)))'")
    }
  }

  /// Calls `member` for each member of an object with its key, at its value.
  mutating func readObject(
    _ member: (inout JSONScanner, String) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    try expect(0x7B)
    if try skip(0x7D) { return }
    repeat {
      let key = try readString()
      try expect(0x3A)
      try member(&self, key)
    } while try skip(0x2C)
    try expect(0x7D)
  }

  /// Calls `element` at each element of an array.
  mutating func readArray(
    _ element: (inout JSONScanner) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    try expect(0x5B)
    if try skip(0x5D) { return }
    repeat { try element(&self) } while try skip(0x2C)
    try expect(0x5D)
  }

  mutating func readString() throws(TokenizerError) -> String {
    var packed = PackedStrings()
    try readString(into: &packed)
    return String(decoding: packed.bytes, as: UTF8.self)
  }

  /// Adds the bytes of a string to those that `packed` has not ended yet.
  mutating func readString(into packed: inout PackedStrings) throws(TokenizerError) {
    try expect(0x22)
    while position < bytes.count {
      let start = position
      while position < bytes.count, Self.isPlain(bytes[position]) { position += 1 }
      packed.appendBytes(bytes[start..<position])
      guard position < bytes.count else { break }
      let byte = bytes[position]
      position += 1
      if byte == 0x22 { return }
      guard byte == 0x5C else { throw damaged("has a control character in a string") }
      try readEscape(into: &packed)
    }
    throw damaged("ends inside a string")
  }

  /// Whether a byte stands for itself in a string.
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x22 && byte != 0x5C
  }

  private mutating func readEscape(into packed: inout PackedStrings) throws(TokenizerError) {
    guard position < bytes.count else { throw damaged("ends inside a string") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case 0x22, 0x5C, 0x2F: packed.appendByte(byte)
    case 0x62: packed.appendByte(0x08)
    case 0x66: packed.appendByte(0x0C)
    case 0x6E: packed.appendByte(0x0A)
    case 0x72: packed.appendByte(0x0D)
    case 0x74: packed.appendByte(0x09)
    case 0x75:
      for unit in String(try readEscapedScalar()).utf8 { packed.appendByte(unit) }
    default: throw damaged("has an unknown escape in a string")
    }
  }

  /// The scalar of `\uXXXX`, or of two that are a surrogate pair; U+FFFD for half a pair.
  private mutating func readEscapedScalar() throws(TokenizerError) -> Unicode.Scalar {
    let first = try readHex()
    guard first & 0xFC00 == 0xD800 else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
    guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75 else {
      return "\u{FFFD}"
    }
    let before = position
    position += 2
    let second = try readHex()
    guard second & 0xFC00 == 0xDC00 else {
      position = before
      return "\u{FFFD}"
    }
    let value = 0x10000 + (first & 0x3FF) << 10 + second & 0x3FF
    return Unicode.Scalar(value) ?? "\u{FFFD}"
  }

  private mutating func readHex() throws(TokenizerError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw damaged("has a broken \\u escape") }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  mutating func readNumber() throws(TokenizerError) -> Double {
    _ = try peek()
    let start = position
    while position < bytes.count, Self.isNumberByte(bytes[position]) { position += 1 }
    guard position - start <= 64,
      let value = Double(String(decoding: bytes[start..<position], as: UTF8.self))
    else { throw damaged("has something that is no value") }
    return value
  }

  /// A number that is a token id.
  mutating func readToken() throws(TokenizerError) -> TokenID {
    _ = try peek()
    let start = position
    var value: Int64 = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]), position - start < 10 {
      value = value * 10 + Int64(bytes[position] - 0x30)
      position += 1
    }
    guard position > start, let token = TokenID(exactly: value),
      position == bytes.count || !Self.isNumberByte(bytes[position])
    else { throw damaged("has something that is no token id") }
    return token
  }

  private static func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
    default: false
    }
  }

  /// Any value.
  mutating func readValue(depth: Int = 0) throws(TokenizerError) -> JSONValue {
    guard depth < Self.deepest else { throw damaged("nests deeper than \(Self.deepest) levels") }
    switch try peek() {
    case 0x22: return .string(try readString())
    case 0x7B:
      var members: [String: JSONValue] = [:]
      try readObject { scanner, key throws(TokenizerError) in
        members[key] = try scanner.readValue(depth: depth + 1)
      }
      return .object(members)
    case 0x5B:
      var values: [JSONValue] = []
      try readArray { scanner throws(TokenizerError) in
        values.append(try scanner.readValue(depth: depth + 1))
      }
      return .array(values)
    case 0x74: return try readWord("true", .bool(true))
    case 0x66: return try readWord("false", .bool(false))
    case 0x6E: return try readWord("null", .null)
    default: return .number(try readNumber())
    }
  }

  /// Passes over a value without keeping it.
  mutating func skipValue(depth: Int = 0) throws(TokenizerError) {
    guard depth < Self.deepest else { throw damaged("nests deeper than \(Self.deepest) levels") }
    switch try peek() {
    case 0x22:
      var ignored = PackedStrings()
      try readString(into: &ignored)
    case 0x7B:
      try readObject { scanner, _ throws(TokenizerError) in
        try scanner.skipValue(depth: depth + 1)
      }
    case 0x5B:
      try readArray { scanner throws(TokenizerError) in try scanner.skipValue(depth: depth + 1) }
    default: _ = try readValue(depth: depth)
    }
  }

  private mutating func readWord(_ word: String, _ value: JSONValue) throws(TokenizerError)
    -> JSONValue
  {
    guard bytes[position...].starts(with: word.utf8) else {
      throw damaged("has something that is no value")
    }
    position += word.utf8.count
    return value
  }

  func damaged(_ what: String) -> TokenizerError {
    TokenizerError(
      .malformed,
      "\(file) \(what) at byte \(position); it is damaged or is no tokenizer. Download it again.")
  }
}
