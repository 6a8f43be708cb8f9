// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// Puts prompts together as lm-eval does: description, examples, question.
///
/// Examples are drawn document after document from one row of random numbers, so the prompts of the first
/// documents are the same however many follow.
package struct PromptAssembly: Sendable {
  /// What lm-eval seeds its examples with.
  package static let seed: UInt32 = 1234

  private let task: TaskDefinition
  private let rows: TaskRows
  private let shots: Int
  private var random = PythonRandom(seed: PromptAssembly.seed)

  /// Prompts with `shots` examples.
  package init(_ task: TaskDefinition, _ rows: TaskRows, shots: Int) {
    self.task = task
    self.rows = rows
    self.shots = shots
  }

  /// The requests of the next document; its target, as lm-eval writes it.
  package mutating func document(
    _ index: Int
  ) throws(EvaluationError) -> (requests: [DocumentScore.Request], target: String) {
    let row = rows.documents[index]
    do {
      return (try requests(row.json), try task.writtenTarget(row.json))
    } catch { throw row.placing(error) }
  }

  private mutating func requests(_ row: JSON) throws(EvaluationError) -> [DocumentScore.Request] {
    switch task.kind {
    case .perplexity:
      return [DocumentScore.Request(context: try task.text.text(row), continuation: nil)]
    case .generation:
      let context = try beginning(row) + task.text.text(row)
      return [DocumentScore.Request(context: context, continuation: nil)]
    case .choice:
      let beginning = try beginning(row)
      let text = try task.text.text(row)
      let isInContext = task.contexts != nil
      let choices = try task.choiceTexts(row)
      return choices.map {
        DocumentScore.Request(
          context: beginning + (isInContext ? $0 : text),
          continuation: task.targetDelimiter + (isInContext ? text : $0))
      }
    }
  }

  /// Description and examples.
  private mutating func beginning(_ row: JSON) throws(EvaluationError) -> String {
    if let preamble = rows.preamble { return preamble + task.exampleDelimiter }
    var result = task.description
    for example in try examples(row) {
      let text: String
      let target: String
      switch task.kind {
      case .choice where task.contexts != nil:
        text = try task.rightChoice(example)
        target = try task.text.text(example)
      case .choice:
        text = try task.text.text(example)
        target = try task.rightChoice(example)
      case .generation, .perplexity:
        text = try task.text.text(example)
        target = try task.exampleAnswer(example)
      }
      result += text + (target.isEmpty ? "" : task.targetDelimiter + target + task.exampleDelimiter)
    }
    return result
  }

  /// The rows of the examples before `row`.
  private mutating func examples(_ row: JSON) throws(EvaluationError) -> [JSON] {
    guard shots > 0 else { return [] }
    let pool = rows.examples
    let isExcluding = task.sampler == .randomOthers
    let count = shots + (isExcluding ? 1 : 0)
    guard count <= pool.count else {
      throw EvaluationError(
        .invalidSetting,
        "Task '\(task.name)' draws \(count) examples from \(pool.count) rows; use fewer --shots.")
    }
    if task.sampler == .first { return Array(pool.prefix(shots)) }
    let drawn = random.sample(pool.count, count).map { pool[$0] }
    guard isExcluding else { return drawn }
    let others = Array(drawn.filter { $0 != row }.prefix(shots))
    if others.count == shots { return others }
    let rest = pool.filter { $0 != row }
    guard shots <= rest.count else {
      throw EvaluationError(.invalidSetting, "Task '\(task.name)' has too few examples.")
    }
    return random.sample(rest.count, shots).map { rest[$0] }
  }
}

extension TaskDefinition {
  /// The text of the right choice.
  fileprivate func rightChoice(_ row: JSON) throws(EvaluationError) -> String {
    let choices = try choiceTexts(row)
    return choices[try goldIndex(row)]
  }

  /// The answer that an example shows: its own template's, or the first right one.
  fileprivate func exampleAnswer(_ row: JSON) throws(EvaluationError) -> String {
    if let exampleTarget { return try exampleTarget.text(row) }
    return try targets(row).first ?? ""
  }

  /// The target as Python's `str` writes it.
  func writtenTarget(_ row: JSON) throws(EvaluationError) -> String {
    switch kind {
    case .perplexity: return try text.text(row)
    case .choice where contexts != nil: return try text.text(row)
    case .choice:
      let value = try gold?.value(row) ?? .null
      guard let several = value.array else { return try Template.text(of: value, "gold") }
      var texts: [String] = []
      for value in several { texts.append(try Template.text(of: value, "gold")) }
      return "[" + texts.joined(separator: ", ") + "]"
    case .generation:
      let value = try target?.value(row) ?? .null
      guard value.array != nil else { return try Template.text(of: value, "target") }
      return "[" + (try targets(row)).map(PythonText.quoted).joined(separator: ", ") + "]"
    }
  }
}

extension PythonText {
  /// `repr` of a text.
  static func quoted(_ text: String) -> String {
    let quote: Unicode.Scalar = contains("'", in: text) && !contains("\"", in: text) ? "\"" : "'"
    var result = String.UnicodeScalarView([quote])
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", quote:
        result.append("\\")
        result.append(scalar)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\r": result.append(contentsOf: "\\r".unicodeScalars)
      case "\t": result.append(contentsOf: "\\t".unicodeScalars)
      case _ where !isPrintable(scalar):
        let digits = String(scalar.value, radix: 16)
        let (letter, width) =
          scalar.value <= 0xff ? ("x", 2) : scalar.value <= 0xffff ? ("u", 4) : ("U", 8)
        let zeros = String(repeating: "0", count: width - digits.count)
        result.append(contentsOf: "\\\(letter)\(zeros)\(digits)".unicodeScalars)
      default: result.append(scalar)
      }
    }
    result.append(quote)
    return String(result)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }
}
