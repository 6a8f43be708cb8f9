// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Text as Python sees it: a row of code points, compared one by one.
///
/// Swift's own operations work on whole characters and hold canonically equivalent texts equal; either
/// would change prompts and scores.
enum PythonText {
  /// Whether `str.isspace` holds of the code point.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1c...0x1f).contains(scalar.value)
  }

  /// `str.strip`.
  static func strip(_ text: String) -> String { leftStrip(rightStrip(text)) }

  /// `str.lstrip`.
  static func leftStrip(_ text: String) -> String {
    String(text.unicodeScalars.drop(while: isSpace))
  }

  /// `str.rstrip`.
  static func rightStrip(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let last = scalars.lastIndex(where: { !isSpace($0) }) else { return "" }
    return String(scalars[...last])
  }

  /// `str.replace`.
  static func replace(_ text: String, _ old: String, _ new: String) -> String {
    let pattern = Array(old.utf8)
    guard !pattern.isEmpty else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var start = 0
    while start < bytes.count {
      if bytes[start] == pattern[0], bytes[start...].starts(with: pattern) {
        result += new.utf8
        start += pattern.count
      } else {
        result.append(bytes[start])
        start += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Where `part` first stands in `text`, counted in bytes of UTF-8.
  static func find(_ part: String, in text: String) -> Int? {
    let pattern = Array(part.utf8)
    let bytes = Array(text.utf8)
    guard !pattern.isEmpty else { return 0 }
    return bytes.indices.first { bytes[$0...].starts(with: pattern) }
  }

  /// Whether `part` stands somewhere in `text`.
  static func contains(_ part: String, in text: String) -> Bool { find(part, in: text) != nil }

  /// `str.split(separator)`.
  static func split(_ text: String, _ separator: String) -> [String] {
    var rest = Array(text.utf8)[...]
    let pattern = Array(separator.utf8)
    var parts: [String] = []
    while !pattern.isEmpty,
      let at = rest.indices.first(where: { rest[$0...].starts(with: pattern) })
    {
      parts.append(String(decoding: rest[..<at], as: UTF8.self))
      rest = rest[(at + pattern.count)...]
    }
    return parts + [String(decoding: rest, as: UTF8.self)]
  }

  /// `str.capitalize`: the first code point as in a title, the others lower.
  static func capitalize(_ text: String) -> String {
    guard let first = text.unicodeScalars.first else { return "" }
    let rest = String(text.unicodeScalars.dropFirst())
    return first.properties.titlecaseMapping + rest.lowercased()
  }

  /// `str.translate` that takes away Python's `string.punctuation`.
  static func withoutPunctuation(_ text: String) -> String {
    let marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".unicodeScalars
    var result = String.UnicodeScalarView()
    result.append(contentsOf: text.unicodeScalars.filter { !marks.contains($0) })
    return String(result)
  }

  /// `len`.
  static func count(_ text: String) -> Int { text.unicodeScalars.count }

  /// `==`.
  static func areEqual(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}
