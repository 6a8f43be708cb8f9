// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// What is made of rows before templates see them, where a template is not enough.
///
/// Each adds fields and changes none. docs/evaluation.md says what they add.
package enum RowPreparation: String, Sendable {
  case boolq, winogrande, hellaswag, truthfulqa, bbq, wikitext, math, winobias, toxigen
  /// HellaSwag with its context in one piece and without the activity.
  case hellaswagContext = "hellaswag_ctx"

  /// `row` with the fields that the preparation adds.
  package func prepared(_ row: JSON) throws(EvaluationError) -> JSON {
    switch self {
    case .boolq: try Self.boolq(row)
    case .winogrande: try Self.winogrande(row)
    case .hellaswag: try Self.hellaswag(row, hasActivity: true)
    case .hellaswagContext: try Self.hellaswag(row, hasActivity: false)
    case .truthfulqa: try Self.truthfulqa(row)
    case .bbq: try BBQRow.prepared(row)
    case .winobias: try WinoBiasRow.prepared(row)
    case .toxigen: try Self.toxigen(row)
    case .math: try MathAnswer.prepared(row)
    case .wikitext: try row.adding([("facet_text", .string(WikiText.joined(row.needed("page"))))])
    }
  }

  /// `label` from `answer`, which is what the set had before it became part of SuperGLUE.
  private static func boolq(_ row: JSON) throws(EvaluationError) -> JSON {
    guard row["label"] == nil, let answer = row["answer"]?.bool else { return row }
    return try row.adding([("label", .integer(answer ? 1 : 0))])
  }

  /// `facet_label`: 1 where the ratings of machine and people, of 5 each, sum to more than 5.5.
  private static func toxigen(_ row: JSON) throws(EvaluationError) -> JSON {
    var sum = 0.0
    for key in ["toxicity_ai", "toxicity_human"] {
      guard let value = row[key]?.number ?? row[key]?.string.flatMap({ Double($0) }) else {
        throw EvaluationError(.invalidData, "The field '\(key)' is missing, or no number.")
      }
      sum += value
    }
    return try row.adding([("facet_label", .integer(sum > 5.5 ? 1 : 0))])
  }

  /// `contexts`: the sentence up to its blank, filled with each option; `ending`: what follows.
  private static func winogrande(_ row: JSON) throws(EvaluationError) -> JSON {
    let sentence = try row.needed("sentence").unicodeScalars
    guard let blank = sentence.firstIndex(of: "_") else {
      throw EvaluationError(.invalidData, "'sentence' has no blank '_'.")
    }
    let beginning = String(sentence[..<blank])
    let ending = String(sentence[sentence.index(after: blank)...])
    let options = [try row.needed("option1"), try row.needed("option2")]
    return try row.adding([
      ("contexts", .array(options.map { .string(beginning + $0) })),
      ("ending", .string(PythonText.strip(ending))),
    ])
  }

  /// `query`, `choices` and `gold`, with what is left of WikiHow's markup taken away.
  private static func hellaswag(_ row: JSON, hasActivity: Bool) throws(EvaluationError) -> JSON {
    let query: String
    if hasActivity {
      let second = PythonText.capitalize(try row.needed("ctx_b"))
      query =
        try row.needed("activity_label") + ": " + (try row.needed("ctx_a")) + " " + second
    } else {
      query = try row.needed("ctx")
    }
    guard let endings = row["endings"]?.array, endings.allSatisfy({ $0.string != nil }) else {
      throw EvaluationError(.invalidData, "The field 'endings' is missing, or no list of texts.")
    }
    guard let label = row["label"]?.integer ?? row["label"]?.string.flatMap({ Int($0) }) else {
      throw EvaluationError(.invalidData, "The field 'label' is missing, or no whole number.")
    }
    var choices: [JSON] = []
    for ending in endings { choices.append(.string(try cleaned(ending.string ?? ""))) }
    return try row.adding([
      ("query", .string(try cleaned(query))), ("choices", .array(choices)),
      ("gold", .integer(label)),
    ])
  }

  private static func cleaned(_ text: String) throws(EvaluationError) -> String {
    let text = PythonText.replace(PythonText.strip(text), " [title]", ". ")
    return PythonText.replace(try Pattern("\\[.*?\\]").replacing(in: text, with: ""), "  ", " ")
  }

  /// From the columns of the original table, where the choices are not there already.
  private static func truthfulqa(_ row: JSON) throws(EvaluationError) -> JSON {
    if row["mc1_targets"] != nil || row["mc2_targets"] != nil { return row }
    func list(_ key: String) throws(EvaluationError) -> [String] {
      PythonText.split(try row.needed(key), ";").map { PythonText.strip($0) }
        .filter { !$0.isEmpty }
    }
    func targets(_ right: [String], _ wrong: [String]) throws(EvaluationError) -> JSON {
      let labels = right.map { _ in JSON.integer(1) } + wrong.map { _ in JSON.integer(0) }
      return try JSON.object(JSONObject()).adding([
        ("choices", .array((right + wrong).map { .string($0) })), ("labels", .array(labels)),
      ])
    }
    let wrong = try list("Incorrect Answers")
    return try row.adding([
      ("question", .string(try row.needed("Question"))),
      ("mc1_targets", try targets([try row.needed("Best Answer")], wrong)),
      ("mc2_targets", try targets(try list("Correct Answers"), wrong)),
    ])
  }
}

extension JSON {
  /// The text in a field that must be there.
  func needed(_ key: String) throws(EvaluationError) -> String {
    guard let value = self[key] else {
      throw EvaluationError(.invalidData, "The field '\(key)' is missing.")
    }
    guard let text = value.string else {
      throw EvaluationError(.invalidData, "The field '\(key)' is no text.")
    }
    return text
  }

  /// The row with more fields.
  func adding(_ fields: [(String, JSON)]) throws(EvaluationError) -> JSON {
    var object = object ?? JSONObject()
    for (key, value) in fields where !object.append(key, value) {
      throw EvaluationError(
        .invalidData, "The row has a field '\(key)' already, which the task adds itself.")
    }
    return .object(object)
  }
}
