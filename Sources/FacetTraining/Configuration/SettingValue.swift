// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A value of a setting as it stands in a file or after `--set`: what it means is for its key to say.
public enum SettingValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([SettingValue])
  case map([String: SettingValue])
}

extension SettingValue: CustomStringConvertible {
  /// The value as YAML has it in a line.
  public var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): Self.text(value)
    case .text(let value): "'\(value)'"
    case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
    case .map(let values):
      "{\(values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
    }
  }

  /// A number without the decimals of a whole one.
  static func text(_ value: Double) -> String {
    if let whole = Int(exactly: value) { return "\(whole)" }
    return "\(value)"
  }
}

extension SettingValue {
  /// As a whole number; `8.0` and `"8"` are one, and `1e3`.
  var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    case .text(let text): Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
    default: nil
    }
  }

  /// As a finite number; `"1e-4"`, which YAML takes for text, is one.
  var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value.isFinite ? value : nil
    case .text(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }

  /// As truth.
  var bool: Bool? {
    switch self {
    case .bool(let value): value
    case .text(let text):
      switch text.lowercased() {
      case "true", "yes", "on": true
      case "false", "no", "off": false
      default: nil
      }
    default: nil
    }
  }

  /// As text: what was meant as a name may look like a number.
  var text: String? {
    switch self {
    case .text(let value): value
    case .integer(let value): "\(value)"
    case .number(let value): Self.text(value)
    case .bool(let value): value ? "yes" : "no"
    default: nil
    }
  }

  /// As a list; a single value is one of one.
  var list: [SettingValue] {
    switch self {
    case .list(let values): values
    case .null: []
    default: [self]
    }
  }
}
