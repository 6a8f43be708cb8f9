// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A JSON value, as the headers and configurations of Hugging Face directories hold them.
///
/// Own reader and writer: it starts in no time, keeps the order of keys and tells whole numbers
/// from others, which Foundation's does not.
package enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)

  /// The value under `key`; nil when this is no object, has no such key, or null under it.
  package subscript(key: String) -> JSON? {
    guard case .object(let object) = self, let value = object[key], value != .null else {
      return nil
    }
    return value
  }

  /// The value as text, nil when it is none.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The value as truth, nil when it is none.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements, nil when it is no array.
  package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
  /// The members, nil when it is no object.
  package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

  /// The value as a whole number; `8.0` is one.
  package var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The value as a number, nil when it is none.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}

/// The members of a JSON object in their order; no key comes twice.
package struct JSONObject: Sendable, Hashable {
  package struct Member: Sendable, Hashable {
    package let key: String
    package let value: JSON
  }

  package private(set) var members: [Member] = []
  private var index: [String: Int] = [:]

  /// An object without members.
  package init() {}

  /// The value under `key`.
  package subscript(key: String) -> JSON? { index[key].map { members[$0].value } }

  /// Adds a member; false when the key is taken.
  package mutating func append(_ key: String, _ value: JSON) -> Bool {
    guard index.updateValue(members.count, forKey: key) == nil else { return false }
    members.append(Member(key: key, value: value))
    return true
  }
}

extension JSON {
  /// The value as compact JSON text.
  package var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): JSON.quote(value, to: &text)
    case .array(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let object):
      text += "{"
      for (index, member) in object.members.enumerated() {
        if index > 0 { text += "," }
        JSON.quote(member.key, to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
