// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// A text with places for fields of a row: `Question: {question|strip}`.
///
/// The language is small on purpose and described in docs/evaluation.md. A field that a row lacks is an
/// error, never an empty text.
package struct Template: Sendable {
  private enum Part: Sendable {
    case text(String)
    case expression(TemplateExpression)
  }

  private let parts: [Part]

  /// Reads a template; `{{` and `}}` stand for the braces themselves.
  package init(_ source: String) throws(EvaluationError) {
    var parts: [Part] = []
    var literal = String.UnicodeScalarView()
    var rest = source.unicodeScalars[...]
    func flush() {
      if !literal.isEmpty { parts.append(.text(String(literal))) }
      literal = String.UnicodeScalarView()
    }
    while let scalar = rest.popFirst() {
      guard scalar == "{" || scalar == "}" else {
        literal.append(scalar)
        continue
      }
      if rest.first == scalar {
        rest.removeFirst()
        literal.append(scalar)
        continue
      }
      guard scalar == "{", let inside = Self.expression(&rest) else {
        throw EvaluationError(
          .invalidTask, "The template '\(source)' has a brace without its partner.")
      }
      flush()
      parts.append(.expression(try TemplateExpression(inside)))
    }
    flush()
    self.parts = parts
  }

  /// What stands before the next closing brace that is not in quotes.
  private static func expression(_ rest: inout Substring.UnicodeScalarView) -> String? {
    var inside = String.UnicodeScalarView()
    var isQuoted = false
    while let scalar = rest.popFirst() {
      if scalar == "}", !isQuoted { return String(inside) }
      if scalar == "\"" { isQuoted.toggle() }
      inside.append(scalar)
      if scalar == "\\", isQuoted, let next = rest.popFirst() { inside.append(next) }
    }
    return nil
  }

  /// The text for `row`.
  package func text(_ row: JSON) throws(EvaluationError) -> String {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .expression(let expression):
        result += try Self.text(of: expression.value(row), expression.source)
      }
    }
    return result
  }

  /// The value for `row`: of whatever kind, where the template is one expression and no more.
  package func value(_ row: JSON) throws(EvaluationError) -> JSON {
    if parts.count == 1, case .expression(let expression) = parts[0] {
      return try expression.value(row)
    }
    return .string(try text(row))
  }

  /// How Python writes a value into a text.
  static func text(of value: JSON, _ source: String) throws(EvaluationError) -> String {
    switch value {
    case .string(let text): return text
    case .integer(let number): return "\(number)"
    case .number(let number): return "\(number)"
    case .bool(let truth): return truth ? "True" : "False"
    case .null, .array, .object:
      throw EvaluationError(.invalidData, "'\(source)' is no text.")
    }
  }
}
