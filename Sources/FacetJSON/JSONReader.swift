// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads JSON text (RFC 8259).
///
/// Nesting is limited, so that no text can exhaust the stack.
package struct JSONReader {
  private let bytes: [UInt8]
  private let path: String
  private let numbers: Numbers
  private var offset = 0

  /// Which numbers a text may hold.
  package enum Numbers: Sendable {
    /// Those of RFC 8259.
    case finite
    /// Python's NaN, Infinity and -Infinity as well.
    case python
  }

  private static let depthLimit = 64
  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  /// Reads the whole of `bytes`, the content of the file at `path`.
  package static func read(
    _ bytes: [UInt8], path: String, numbers: Numbers = .finite
  ) throws(JSONError) -> JSON {
    var reader = JSONReader(bytes: bytes, path: path, numbers: numbers)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.offset == bytes.count else { throw reader.malformed("more text follows") }
    return value
  }

  private init(bytes: [UInt8], path: String, numbers: Numbers) {
    self.bytes = bytes
    self.path = path
    self.numbers = numbers
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard depth < JSONReader.depthLimit else { throw malformed("it is nested too deeply") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "N") where numbers == .python: return try word("NaN", .number(.nan))
    case UInt8(ascii: "I") where numbers == .python: return try word("Infinity", .number(.infinity))
    case UInt8(ascii: "-")
    where numbers == .python && offset + 1 < bytes.count
      && bytes[offset + 1] == UInt8(ascii: "I"):
      return try word("-Infinity", .number(-.infinity))
    case let byte? where byte == UInt8(ascii: "-") || JSONReader.digits.contains(byte):
      return try number()
    default: throw malformed("a value is missing")
    }
  }

  private mutating func word(
    _ word: StaticString, _ value: JSON
  ) throws(JSONError) -> JSON {
    for expected in word.description.utf8 {
      guard next == expected else { throw malformed("a value is misspelt") }
      offset += 1
    }
    return value
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    offset += 1
    var values: [JSON] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      offset += 1
      return .array([])
    }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      guard try separator(closing: UInt8(ascii: "]")) else { return .array(values) }
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    offset += 1
    var object = JSONObject()
    skipSpace()
    if next == UInt8(ascii: "}") {
      offset += 1
      return .object(object)
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw malformed("a key is missing") }
      let key = try string()
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw malformed("a colon is missing") }
      offset += 1
      let member = try value(depth: depth + 1)
      guard object.append(key, member) else { throw malformed("'\(key)' comes twice") }
      skipSpace()
      guard try separator(closing: UInt8(ascii: "}")) else { return .object(object) }
    }
  }

  /// Passes a comma (true) or the closing bracket (false).
  private mutating func separator(closing: UInt8) throws(JSONError) -> Bool {
    guard let byte = next, byte == UInt8(ascii: ",") || byte == closing else {
      throw malformed("a comma or a bracket is missing")
    }
    offset += 1
    return byte != closing
  }

  /// A number by the grammar: sign, digits without a leading zero, fraction, exponent.
  private mutating func number() throws(JSONError) -> JSON {
    let start = offset
    _ = pass { $0 == UInt8(ascii: "-") }
    let leadingZero = next == UInt8(ascii: "0")
    let whole = try passDigits()
    guard !leadingZero || whole == 1 else { throw malformed("a number begins with 0") }
    var isWhole = true
    if pass({ $0 == UInt8(ascii: ".") }) {
      isWhole = false
      _ = try passDigits()
    }
    if pass({ $0 | 0x20 == UInt8(ascii: "e") }) {
      isWhole = false
      _ = pass { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
      _ = try passDigits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isWhole, let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else {
      throw malformed("'\(text)' is not a number")
    }
    return .number(number)
  }

  /// Passes the next byte when it is one of those.
  private mutating func pass(_ isOne: (UInt8) -> Bool) -> Bool {
    guard let byte = next, isOne(byte) else { return false }
    offset += 1
    return true
  }

  /// Passes one digit or more and says how many.
  private mutating func passDigits() throws(JSONError) -> Int {
    let start = offset
    while pass({ JSONReader.digits.contains($0) }) {}
    guard offset > start else { throw malformed("a digit is missing") }
    return offset - start
  }

  private mutating func string() throws(JSONError) -> String {
    offset += 1
    var result: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      offset += 1
      if byte == UInt8(ascii: "\\") {
        result.append(contentsOf: try escape())
      } else if byte >= 0x20 {
        result.append(byte)
      } else {
        throw malformed("a string holds a control character")
      }
    }
    guard next != nil else { throw malformed("a string does not end") }
    offset += 1
    guard let text = String(validating: result, as: UTF8.self) else {
      throw malformed("a string is not UTF-8")
    }
    return text
  }

  /// The UTF-8 of what a backslash introduces; half a surrogate pair becomes U+FFFD.
  private mutating func escape() throws(JSONError) -> [UInt8] {
    guard let byte = next else { throw malformed("a string does not end") }
    offset += 1
    switch byte {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw malformed("an escape is unknown")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> [UInt8] {
    var code = try fourDigits()
    let isHigh = (0xD800..<0xDC00).contains(code)
    if isHigh, next == UInt8(ascii: "\\"), offset + 1 < bytes.count,
      bytes[offset + 1] == UInt8(ascii: "u")
    {
      let mark = offset
      offset += 2
      let low = try fourDigits()
      if (0xDC00..<0xE000).contains(low) {
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      } else {
        offset = mark
      }
    }
    return Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
  }

  private mutating func fourDigits() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw malformed("an escape is incomplete")
      }
      code = code << 4 | UInt32(digit)
      offset += 1
    }
    return code
  }

  private func malformed(_ what: String) -> JSONError {
    JSONError("'\(path)' is not JSON: \(what) at byte \(offset).")
  }
}
