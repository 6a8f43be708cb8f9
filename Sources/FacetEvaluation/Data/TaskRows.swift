// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// The rows of a task: documents, and examples to draw from.
package struct TaskRows: Sendable {
  /// What becomes of rows that are no good.
  public enum Tolerance: Sendable, Hashable {
    /// The first ends the run.
    case none
    /// They are left out and counted.
    case skipping
  }

  /// What is asked.
  package private(set) var documents: [DataFile.Row] = []
  /// What examples are drawn from.
  package private(set) var examples: [JSON] = []
  /// The text that has all examples, where the task has one.
  package private(set) var preamble: String?
  /// What was wrong with rows that are left out.
  package private(set) var problems: [EvaluationError] = []

  /// Reads the rows of `task` below `directory`; examples only where there are to be some.
  package init(
    _ task: TaskDefinition, directory: String, shots: Int, tolerance: Tolerance
  ) throws(EvaluationError) {
    documents = try read(task, task.source.documents, directory, tolerance)
    guard shots > 0 else { return }
    if task.sampler == .preamble {
      preamble = try Self.preamble(task, directory: directory, shots: shots)
    } else if let own = task.ownExamples {
      examples = own
    } else {
      guard !task.source.examples.isEmpty else {
        throw EvaluationError(
          .invalidSetting, "Task '\(task.name)' has no rows to draw examples from; use --shots 0.")
      }
      examples = try read(task, task.source.examples, directory, tolerance).map(\.json)
    }
  }

  private mutating func read(
    _ task: TaskDefinition, _ splits: [String], _ directory: String, _ tolerance: Tolerance
  ) throws(EvaluationError) -> [DataFile.Row] {
    var rows: [DataFile.Row] = []
    let folder = directory + "/" + task.source.folder
    for path in try DataFile.paths(in: folder, splits: splits) {
      let file = try DataFile(path: path)
      if tolerance == .none, let problem = file.problems.first { throw problem }
      problems += file.problems
      for row in file.rows {
        var prepared = row
        do {
          if let preparation = task.preparation {
            prepared.json = try preparation.prepared(row.json)
          }
          guard task.source.conditions.allSatisfy({ $0.holds(for: prepared.json) }) else {
            continue
          }
          try task.check(prepared.json)
          rows.append(prepared)
        } catch {
          if tolerance == .none { throw row.placing(error) }
          problems.append(row.placing(error))
        }
      }
    }
    guard !rows.isEmpty else {
      throw EvaluationError(.invalidData, "'\(folder)' has no rows for task '\(task.name)'.")
    }
    return rows
  }

  /// The text of a file with all its examples, after the line that ends its head.
  private static func preamble(
    _ task: TaskDefinition, directory: String, shots: Int
  ) throws(EvaluationError) -> String {
    guard shots == task.shots else {
      throw EvaluationError(
        .invalidSetting,
        "The \(task.shots) examples of task '\(task.name)' belong together; it takes --shots "
          + "\(task.shots) or 0, not \(shots).")
    }
    let path = directory + "/" + (task.preamble ?? "")
    let text = String(decoding: try DataFile.bytes(at: path), as: UTF8.self)
    let preamble = PythonText.strip(PythonText.split(text, "-----\n").last ?? "")
    guard task.preambleReplacement.count == 2 else { return preamble }
    return PythonText.split(preamble, task.preambleReplacement[0])
      .joined(separator: task.preambleReplacement[1])
  }
}

extension TaskDefinition {
  /// Refuses a row that lacks something, or whose right answer is none of the choices.
  func check(_ row: JSON) throws(EvaluationError) {
    _ = try text.text(row)
    switch kind {
    case .choice: _ = try goldIndex(row)
    case .generation: _ = try targets(row)
    case .perplexity: break
    }
  }

  /// The choices of a row; for a choice of contexts, those.
  func choiceTexts(_ row: JSON) throws(EvaluationError) -> [String] {
    if let contexts { return try ChoiceTemplate.all(contexts).values(row) }
    guard let choices else { return [] }
    return try choices.values(row)
  }

  /// Which choice is right; the first where several are.
  package func goldIndex(_ row: JSON) throws(EvaluationError) -> Int {
    try goldIndices(row)[0]
  }

  /// Which choices are right: one, or several where the row has a list of them.
  package func goldIndices(_ row: JSON) throws(EvaluationError) -> [Int] {
    let value = try gold?.value(row) ?? .null
    let choices = try choiceTexts(row)
    guard let several = value.array else { return [try Self.index(of: value, among: choices)] }
    guard !several.isEmpty else { throw EvaluationError(.invalidData, "There is no right answer.") }
    var indices: [Int] = []
    for value in several { indices.append(try Self.index(of: value, among: choices)) }
    return indices
  }

  private static func index(
    of value: JSON, among choices: [String]
  ) throws(EvaluationError) -> Int {
    let index: Int?
    if let number = value.integer ?? value.string.flatMap({ Int($0) }) {
      index = number
    } else {
      index = value.string.flatMap { text in
        choices.firstIndex { PythonText.areEqual($0, text) }
      }
    }
    guard let index, choices.indices.contains(index) else {
      throw EvaluationError(
        .invalidData,
        "The right answer is \(value.text), which is none of the \(choices.count) choices.")
    }
    return index
  }

  /// The right answers of a row, in words.
  package func targets(_ row: JSON) throws(EvaluationError) -> [String] {
    let value = try target?.value(row) ?? .null
    guard let elements = value.array else { return [try Template.text(of: value, "target")] }
    var texts: [String] = []
    for element in elements { texts.append(try Template.text(of: element, "target")) }
    guard !texts.isEmpty else { throw EvaluationError(.invalidData, "There is no right answer.") }
    return texts
  }
}
