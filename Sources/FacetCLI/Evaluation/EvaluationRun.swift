// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetEvaluation
import Foundation

/// Runs tasks one after the other and shows what they give.
struct EvaluationRun {
  private let evaluator: Evaluator
  private let catalogue: TaskCatalogue
  private let result: EvaluationResult
  private let output: String?

  /// Runs tasks of `catalogue`; `result` says of which model and how, and goes into `output`.
  init(
    _ evaluator: Evaluator, _ catalogue: TaskCatalogue, _ result: EvaluationResult,
    output: String?
  ) {
    self.evaluator = evaluator
    self.catalogue = catalogue
    self.result = result
    self.output = output
  }

  /// Runs `entries` and prints the table; what was interrupted is in it as far as it came.
  func run(_ entries: [(task: TaskDefinition, shots: Int?)]) async throws {
    var scores: [TaskScore] = []
    for (task, shots) in entries {
      let start = ContinuousClock.now
      var line = ProgressLine()
      let outcome: Evaluator.Outcome
      do {
        outcome = try await evaluator.run(task, shots: shots) { progress in
          line.show(
            Self.text(progress, since: start), progress.done, of: progress.total)
        }
      } catch is CancellationError {
        break
      }
      Self.tell(outcome, since: start)
      if !outcome.score.documents.isEmpty { scores.append(outcome.score) }
      if !outcome.isComplete { break }
    }
    guard !scores.isEmpty else { throw CancellationError() }
    try finish(scores)
    try Task.checkCancellation()
  }

  /// Prints the tables, and writes the files where there is a place for them.
  private func finish(_ scores: [TaskScore]) throws {
    var result = result
    result.tasks = scores
    result.groups = catalogue.groupResults(scores)
    result.seconds = Date().timeIntervalSince1970 - result.start
    if let output {
      let paths = try ResultWriter(output: output).write(result)
      let page = "\(paths.folder)/report_\(paths.stamp).html"
      try ReportPage(result).write(to: page)
      OutputFile.error.tell("\(paths.results)\n\(page)")
    }
    try OutputFile.standard.write(ResultTable(result).text)
    if !result.groups.isEmpty {
      try OutputFile.standard.write("\n" + ResultTable(result, .groups).text)
    }
  }

  /// Task, documents, the first figure with its error, and the time that is left.
  private static func text(_ progress: Evaluator.Progress, since start: ContinuousClock.Instant)
    -> String
  {
    let figure = progress.metrics.first.map { "  \($0.name) \(Self.text($0))" } ?? ""
    let left = ProgressLine.left(since: start, progress.done, of: progress.total)
    return "\(progress.task)  \(progress.done) of \(progress.total)\(figure)  \(left)"
  }

  private static func text(_ metric: TaskScore.Metric) -> String {
    let error = metric.standardError.map { String(format: " ± %.4f", $0) } ?? ""
    return String(format: "%.4f", metric.value) + error
  }

  /// Says what a table does not.
  private static func tell(_ outcome: Evaluator.Outcome, since start: ContinuousClock.Instant) {
    let score = outcome.score
    var said: [String] = []
    if !outcome.isComplete {
      said.append("stopped after \(score.documents.count) of \(outcome.wanted) documents")
    }
    if outcome.kept > 0 { said.append("\(outcome.kept) documents answered before") }
    if outcome.truncated > 0 {
      said.append("\(outcome.truncated) documents cut at the front: longer than the context")
    }
    if let first = outcome.problems.first {
      said.append("\(outcome.problems.count) rows left out, the first: \(first.message)")
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    said.append(String(format: "%d documents in %.1f s", score.documents.count, seconds))
    OutputFile.error.tell("\(score.task): " + said.joined(separator: "; "))
  }
}
