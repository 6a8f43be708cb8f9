// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import Testing

/// On what lm-eval wrote of two runs of its `dummy` model.
@Suite("ResultComparison")
struct ResultComparisonTests {
  private func both() throws -> (EvaluationResult, EvaluationResult) {
    (try ResultGolden.result("first"), try ResultGolden.result("second"))
  }

  private func sentence(_ first: EvaluationResult, _ second: EvaluationResult) -> String {
    do throws(EvaluationError) {
      _ = try ResultComparison(first, second)
      return "none"
    } catch {
      return error.message
    }
  }

  @Test("means, differences and flips of lm-eval's own files follow from its own values")
  func lines() throws {
    let (first, second) = try both()
    let comparison = try ResultComparison(first, second)
    #expect(comparison.onlyInFirst == ["toy_written", "toy_whole"])
    #expect(comparison.onlyInSecond == [])
    // Groups first: both metrics of the whole, one of the inner group; then both of each task.
    #expect(comparison.lines.map(\.name).prefix(3) == ["toys", "toys", "toys::toys_inner"])
    #expect(comparison.lines.count == 3 + 6)
    for line in comparison.lines where !line.isGroup {
      let metric = first.task(line.name)?.metrics.first { $0.name == line.metric }
      let other = second.task(line.name)?.metrics.first { $0.name == line.metric }
      #expect(line.first == metric?.value)
      #expect(line.second == other?.value)
      #expect(line.count == 24)
      let test = try #require(line.test)
      #expect(abs(line.difference.mean - Double(test.won - test.lost) / 24) < 1e-12)
      #expect(line.difference.interval.contains(line.difference.mean))
    }
    let flips = comparison.flips.filter { $0.task == "toy_a" }
    let test = try #require(comparison.lines.first { $0.name == "toy_a" }?.test)
    #expect(flips.count == test.lost + test.won)
    for flip in flips {
      let one = try #require(first.task("toy_a")?.documents[flip.index].verdicts[0].values["acc"])
      let other = try #require(
        second.task("toy_a")?.documents[flip.index].verdicts[0].values["acc"])
      #expect(one + other == 1)
      #expect(flip.isWon == (other == 1))
    }
    #expect(comparison.flips.contains { $0.question == "Q: Plain words" })
  }

  @Test("a group counts all documents of its tasks, those of inner groups included")
  func groups() throws {
    let (first, second) = try both()
    let comparison = try ResultComparison(first, second)
    let group = try #require(comparison.lines.first { $0.name == "toys" && $0.metric == "acc" })
    let parts = comparison.lines.filter { !$0.isGroup && $0.metric == "acc" }
    #expect(group.count == 72)
    #expect(group.test?.lost == parts.compactMap(\.test?.lost).reduce(0, +))
    #expect(group.test?.won == parts.compactMap(\.test?.won).reduce(0, +))
  }

  @Test("a result compared with itself differs in nothing")
  func same() throws {
    let (first, _) = try both()
    let comparison = try ResultComparison(first, first)
    #expect(comparison.flips == [])
    for line in comparison.lines {
      #expect(line.difference.interval == 0...0)
      #expect(line.test?.probability == 1)
    }
    // Likelihoods of whole texts are means by words, not by documents.
    #expect(!comparison.lines.contains { $0.name == "toy_whole" })
  }

  @Test("documents that were asked otherwise are refused, and the first of them is named")
  func otherPrompt() throws {
    var (first, second) = try both()
    second.tasks[1].documents[2].requests[0].context += " "
    #expect(
      sentence(first, second)
        == "Task 'toy_b': document 2 ('Q: Plain words') has another prompt in the second result; "
        + "measure both with the same data, shots and template.")
    first.tasks[0].documents.removeLast()
    #expect(
      sentence(first, second)
        == "Task 'toy_a': only the second result has document 23; measure both with the same limit."
    )
  }

  @Test("results without documents, and results with nothing in common, are refused")
  func nothingInCommon() throws {
    var (first, second) = try both()
    second.tasks[2].documents = []
    #expect(
      sentence(first, second)
        == "Task 'toy_c': the second result has no documents; samples_toy_c_….jsonl must lie beside "
        + "its results_….json (lm-eval writes it with --log_samples).")
    second.tasks = []
    #expect(
      sentence(first, second)
        == "The two results have no task in common: the first has toy_a, toy_b, toy_c, toy_written, "
        + "toy_whole, the second none.")
    first.tasks = []
    #expect(sentence(first, second).hasPrefix("The two results have no task in common"))
  }
}
