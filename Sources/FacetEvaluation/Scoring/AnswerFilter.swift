// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// What is taken from written answers before they are scored.
package struct AnswerFilter: Sendable {
  private enum Step: Sendable {
    case regex(Pattern, match: Int, fallback: String)
    case removeWhitespace
    case takeFirst
    case takeFirstOf(Int)
    case majority
    case prepend(field: String)
  }

  /// The name that figures carry.
  package let name: String
  private let steps: [Step]

  /// The first answer as it is.
  static let first = AnswerFilter(name: "none", steps: [.takeFirst])

  private init(name: String, steps: [Step]) {
    self.name = name
    self.steps = steps
  }

  /// Reads the filters of a task.
  static func read(_ json: JSON?, path: String) throws(EvaluationError) -> [AnswerFilter] {
    var filters: [AnswerFilter] = []
    for value in json?.array ?? [] {
      var reader = try TaskReader(value, place: "\(path), 'filters'")
      let name = try reader.needed("name")
      var steps: [Step] = []
      for step in reader.value("steps")?.array ?? [] {
        steps.append(try Self.step(step, path: path))
      }
      try reader.finish()
      filters.append(AnswerFilter(name: name, steps: steps))
    }
    return filters
  }

  private static func step(_ json: JSON, path: String) throws(EvaluationError) -> Step {
    var reader = try TaskReader(json, place: "\(path), 'filters'")
    let kind = try reader.needed("step")
    let step: Step
    switch kind {
    case "regex":
      step = .regex(
        try Pattern(reader.needed("pattern")), match: reader.value("match")?.integer ?? 0,
        fallback: try reader.text("fallback") ?? "[invalid]")
    case "remove_whitespace": step = .removeWhitespace
    case "take_first": step = .takeFirst
    case "take_first_of": step = .takeFirstOf(max(1, try reader.count("count") ?? 1))
    case "majority": step = .majority
    case "prepend": step = .prepend(field: try reader.needed("field"))
    default:
      throw EvaluationError(
        .invalidTask,
        "\(path), 'filters': '\(kind)' is no step; docs/evaluation.md lists them.")
    }
    try reader.finish()
    return step
  }

  /// What is left of `answers` to a row.
  package func apply(_ answers: [String], row: JSON) -> [String] {
    steps.reduce(answers) { answers, step in
      switch step {
      case .regex(let pattern, let match, let fallback):
        answers.map { Self.find(pattern, match, fallback, in: $0) }
      case .removeWhitespace: answers.map { PythonText.strip($0) }
      case .takeFirst: Array(answers.prefix(1))
      case .takeFirstOf(let count): Array(answers.prefix(count))
      case .majority: Self.majority(answers)
      case .prepend(let field): answers.map { (row[field]?.string ?? "") + $0 }
      }
    }
  }

  /// The match with that index, counted from the end where it is negative; of its groups the first
  /// that is not empty.
  private static func find(
    _ pattern: Pattern, _ index: Int, _ fallback: String, in answer: String
  ) -> String {
    let matches = pattern.matches(in: answer)
    let place = index < 0 ? matches.count + index : index
    guard matches.indices.contains(place) else { return fallback }
    let groups = matches[place]
    if groups.count == 1 { return PythonText.strip(groups[0]) }
    return groups.first { !$0.isEmpty }.map { PythonText.strip($0) } ?? fallback
  }

  /// The answer that comes most often; of several the one that came first.
  private static func majority(_ answers: [String]) -> [String] {
    var counts: [[UInt8]: Int] = [:]
    for answer in answers { counts[Array(answer.utf8), default: 0] += 1 }
    let most = counts.values.max() ?? 0
    return answers.first { counts[Array($0.utf8)] == most }.map { [$0] } ?? []
  }
}
