// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// How guided answers write JSON: one line, a space after each comma and colon, none elsewhere.
enum JSONForm {
  /// The text of `value`.
  static func text(_ value: JSON) -> [UInt8] {
    switch value {
    case .array(let values):
      return [0x5B] + Array(values.map(text).joined(separator: [0x2C, 0x20])) + [0x5D]
    case .object(let object):
      let members = object.members.map { quote($0.key) + [0x3A, 0x20] + text($0.value) }
      return [0x7B] + Array(members.joined(separator: [0x2C, 0x20])) + [0x7D]
    case .string(let value): return quote(value)
    default: return Array(value.text.utf8)
    }
  }

  /// `text` in quotation marks, with the escapes that it needs and no others.
  static func quote(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = [0x22]
    for scalar in text.unicodeScalars { bytes += escape(scalar) ?? Array(String(scalar).utf8) }
    bytes.append(0x22)
    return bytes
  }

  /// What stands for a scalar that cannot stand in a string itself.
  static func escape(_ scalar: Unicode.Scalar) -> [UInt8]? {
    switch scalar {
    case "\"": return Array("\\\"".utf8)
    case "\\": return Array("\\\\".utf8)
    case "\n": return Array("\\n".utf8)
    case "\r": return Array("\\r".utf8)
    case "\t": return Array("\\t".utf8)
    case "\u{08}": return Array("\\b".utf8)
    case "\u{0C}": return Array("\\f".utf8)
    case "\u{00}"..<"\u{20}":
      let digits = String(scalar.value, radix: 16)
      return Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
    default: return nil
    }
  }

  /// Scalars that need an escape in a string.
  static let escaped = ScalarSet([0...0x1F, 0x22...0x22, 0x5C...0x5C])

  /// One scalar of `set` inside a string, written in the one way that `quote` writes it.
  static func scalar(of set: ScalarSet) -> GrammarExpression {
    let special = set.intersection(escaped).ranges.flatMap { $0 }.compactMap(Unicode.Scalar.init)
    let plain = GrammarExpression.scalars(set.subtracting(escaped))
    guard !special.isEmpty else { return plain }
    return .choice([plain, .oneOf(special.compactMap(escape))])
  }

  /// One scalar inside a string, in any way that JSON allows; halves of surrogate pairs stand together.
  static let anyScalar: GrammarExpression = {
    let hex = digits("0-9a-fA-F")
    func repeated(_ count: Int) -> GrammarExpression { .repeated(hex, min: count, max: count) }
    let escapes = ScalarSet("\"\\/bfnrt".unicodeScalars.map { $0.value...$0.value })
    return .choice([
      .scalars(escaped.inverted),
      .sequence([.text("\\"), .scalars(escapes)]),
      .sequence([
        .text("\\u"),
        .choice([
          .sequence([digits("0-9a-cA-CefEF"), repeated(3)]),
          .sequence([digits("dD"), digits("0-7"), repeated(2)]),
          .sequence([
            digits("dD"), digits("89abAB"), repeated(2), .text("\\u"), digits("dD"),
            digits("c-fC-F"), repeated(2),
          ]),
        ]),
      ]),
    ])
  }()

  /// A class of ASCII characters, spelt as in a regular expression.
  static func digits(_ text: String) -> GrammarExpression {
    let bytes = Array(text.utf8)
    var ranges: [ClosedRange<UInt32>] = []
    var index = 0
    while index < bytes.count {
      let isRange = index + 2 < bytes.count && bytes[index + 1] == 0x2D
      ranges.append(UInt32(bytes[index])...UInt32(bytes[isRange ? index + 2 : index]))
      index += isRange ? 3 : 1
    }
    return .scalars(ScalarSet(ranges))
  }
}
