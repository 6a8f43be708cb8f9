// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// Text as Python writes it: lm-eval's hashes are over such text, so it must agree to the letter.
package enum PythonOutput {
  /// Python's `repr` of a float.
  ///
  /// The digits are the shortest that read back, as in Swift. The exponent differs: Python uses
  /// one from 1e16 on and below 1e-4.
  package static func repr(_ value: Double) -> String {
    guard value.isFinite else {
      return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
    }
    let sign = value.sign == .minus ? "-" : ""
    var (digits, point) = decimal(value.magnitude)
    guard !digits.isEmpty else { return sign + "0.0" }
    if point <= -4 || point > 16 {
      let exponent = point - 1
      let rest = digits.dropFirst()
      let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
        + (exponent < 0 ? "e-" : "e+") + size
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    if digits.count <= point {
      digits += String(repeating: "0", count: point - digits.count)
      return sign + digits + ".0"
    }
    return sign + digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// The digits of `value`, without zeros at either end, and where the point stands among them.
  private static func decimal(_ value: Double) -> (digits: String, point: Int) {
    let parts = "\(value)".split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(mantissa[0])
    let all = whole + (mantissa.count > 1 ? mantissa[1] : "")
    let leading = all.prefix { $0 == "0" }.count
    var digits = String(all.dropFirst(leading))
    while digits.last == "0" { digits.removeLast() }
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    return (digits, whole.count - leading + exponent)
  }

  /// Python's `str` of a truth.
  package static func repr(_ value: Bool) -> String { value ? "True" : "False" }

  /// `json.dumps(value, ensure_ascii=False)`: one line, or lines indented by `indent` spaces a level.
  package static func dumps(_ value: JSON, indent: Int? = nil) -> String {
    var text = ""
    write(value, indent, 0, to: &text)
    return text
  }

  private static func write(_ value: JSON, _ indent: Int?, _ depth: Int, to text: inout String) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value):
      text +=
        value.isNaN
        ? "NaN"
        : value.isInfinite
          ? (value < 0 ? "-Infinity" : "Infinity")
          : repr(value)
    case .string(let value): quote(value, to: &text)
    case .array(let values):
      list(values, "[", "]", indent, depth, to: &text) { value, text in
        write(value, indent, depth + 1, to: &text)
      }
    case .object(let object):
      list(object.members, "{", "}", indent, depth, to: &text) { member, text in
        quote(member.key, to: &text)
        text += ": "
        write(member.value, indent, depth + 1, to: &text)
      }
    }
  }

  private static func list<T>(
    _ elements: [T], _ open: String, _ close: String, _ indent: Int?, _ depth: Int,
    to text: inout String, _ write: (T, inout String) -> Void
  ) {
    text += open
    for (index, element) in elements.enumerated() {
      if let indent {
        text += (index > 0 ? ",\n" : "\n") + String(repeating: " ", count: indent * (depth + 1))
      } else if index > 0 {
        text += ", "
      }
      write(element, &text)
    }
    if let indent, !elements.isEmpty {
      text += "\n" + String(repeating: " ", count: indent * depth)
    }
    text += close
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
      case "\u{8}": text += "\\b"
      case "\u{C}": text += "\\f"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSON {
  /// An object of these members, in this order; the first of two with one name stays.
  package static func members(_ members: [(String, JSON)]) -> JSON {
    var object = JSONObject()
    for (key, value) in members { _ = object.append(key, value) }
    return .object(object)
  }

  /// `text`, or null.
  package static func optional(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }

  /// `value`, or null.
  package static func optional(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
}
