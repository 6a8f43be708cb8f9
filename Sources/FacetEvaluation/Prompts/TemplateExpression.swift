// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// A field of a row and what is made of it: `choices.text.0|strip`.
package struct TemplateExpression: Sendable {
  /// What is made of a value.
  private enum Step: Sendable {
    case strip, stripLeft, stripRight, lower, capitalize, letters, integer
    case replace(String, String)
    case substitute(Pattern, String)
    case join(String)
    case item(Int)
    case plus(Int)
    /// Where the value stands in the list at this path.
    case position(String)
  }

  /// The expression as it was written.
  let source: String
  private let path: [String]
  private let steps: [Step]

  /// Reads what stands between the braces.
  init(_ source: String) throws(EvaluationError) {
    self.source = source
    var parts = Self.split(source, at: "|")
    let path = PythonText.strip(parts.removeFirst())
    guard !path.isEmpty else {
      throw EvaluationError(.invalidTask, "'{\(source)}' names no field.")
    }
    self.path = path.split(separator: ".").map(String.init)
    var steps: [Step] = []
    for part in parts { steps.append(try Self.step(part, in: source)) }
    self.steps = steps
  }

  /// The parts between separators that are not in quotes.
  private static func split(_ text: String, at separator: Unicode.Scalar) -> [String] {
    var parts = [String.UnicodeScalarView()]
    var isQuoted = false
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if scalar == separator, !isQuoted {
        parts.append(String.UnicodeScalarView())
        continue
      }
      if scalar == "\"", !isEscaped { isQuoted.toggle() }
      isEscaped = scalar == "\\" && !isEscaped
      parts[parts.count - 1].append(scalar)
    }
    return parts.map { String($0) }
  }

  private static func step(_ text: String, in source: String) throws(EvaluationError) -> Step {
    let parts = split(text, at: ":").map { PythonText.strip($0) }
    let arguments = parts.dropFirst().map { part in
      (try? JSONReader.read([UInt8](part.utf8), path: source)) ?? .null
    }
    let strings = arguments.compactMap(\.string)
    let numbers = arguments.compactMap(\.integer)
    switch (parts[0], strings.count, numbers.count, arguments.count) {
    case ("strip", _, _, 0): return .strip
    case ("lstrip", _, _, 0): return .stripLeft
    case ("rstrip", _, _, 0): return .stripRight
    case ("lower", _, _, 0): return .lower
    case ("capitalize", _, _, 0): return .capitalize
    case ("letters", _, _, 0): return .letters
    case ("int", _, _, 0): return .integer
    case ("replace", 2, _, 2): return .replace(strings[0], strings[1])
    case ("substitute", 2, _, 2): return .substitute(try Pattern(strings[0]), strings[1])
    case ("join", 1, _, 1): return .join(strings[0])
    case ("item", _, 1, 1): return .item(numbers[0])
    case ("plus", _, 1, 1): return .plus(numbers[0])
    case ("position", 1, _, 1): return .position(strings[0])
    default:
      throw EvaluationError(
        .invalidTask,
        "'\(PythonText.strip(text))' in '{\(source)}' is no step of a template; docs/evaluation.md lists them."
      )
    }
  }

  /// The value for `row`.
  func value(_ row: JSON) throws(EvaluationError) -> JSON {
    var value = try Self.field(path, of: row)
    for step in steps { value = try apply(step, to: value, row) }
    return value
  }

  private static func field(_ path: [String], of row: JSON) throws(EvaluationError) -> JSON {
    var value = row
    for key in path {
      if case .array(let elements) = value, let index = Int(key) {
        guard elements.indices.contains(index) else {
          throw EvaluationError(
            .invalidData, "'\(path.joined(separator: "."))' has only \(elements.count) elements.")
        }
        value = elements[index]
      } else if let member = value[key] {
        value = member
      } else {
        throw EvaluationError(
          .invalidData, "The field '\(path.joined(separator: "."))' is missing.")
      }
    }
    return value
  }

  private func apply(_ step: Step, to value: JSON, _ row: JSON) throws(EvaluationError) -> JSON {
    switch step {
    case .join, .letters, .item: return try applyToList(step, value)
    case .plus(let number):
      guard let integer = value.integer else { throw mismatch("is no whole number") }
      return .integer(integer &+ number)
    case .integer:
      guard let number = value.integer ?? value.string.flatMap({ Int(PythonText.strip($0)) }) else {
        throw mismatch("is no whole number")
      }
      return .integer(number)
    case .position(let path):
      let list = try Self.field(path.split(separator: ".").map(String.init), of: row).array ?? []
      guard let index = list.firstIndex(of: value) else {
        throw mismatch("is \(value.text), which is not in '\(path)'")
      }
      return .integer(index)
    default: return .string(try applyToText(step, Template.text(of: value, source)))
    }
  }

  private func applyToList(_ step: Step, _ value: JSON) throws(EvaluationError) -> JSON {
    guard let elements = value.array else { throw mismatch("is no list") }
    if case .item(let index) = step {
      guard elements.indices.contains(index) else {
        throw mismatch("has only \(elements.count) elements")
      }
      return elements[index]
    }
    var texts: [String] = []
    for element in elements { texts.append(try Template.text(of: element, source)) }
    if case .join(let separator) = step { return .string(texts.joined(separator: separator)) }
    guard texts.count <= 26 else { throw mismatch("has more elements than there are letters") }
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return .string(zip(letters, texts).map { "\($0). \($1)" }.joined(separator: "\n"))
  }

  private func applyToText(_ step: Step, _ text: String) -> String {
    switch step {
    case .strip: PythonText.strip(text)
    case .stripLeft: PythonText.leftStrip(text)
    case .stripRight: PythonText.rightStrip(text)
    case .lower: text.lowercased()
    case .capitalize: PythonText.capitalize(text)
    case .replace(let old, let new): PythonText.replace(text, old, new)
    case .substitute(let pattern, let new): pattern.replacing(in: text, with: new)
    default: text
    }
  }

  private func mismatch(_ what: String) -> EvaluationError {
    EvaluationError(.invalidData, "'\(source)' \(what).")
  }
}
