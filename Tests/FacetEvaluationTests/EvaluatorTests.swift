// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetGeneration
import FacetTestSupport
import Foundation
import Testing

@Suite("Evaluator")
struct EvaluatorTests {
  /// A run of arc_easy's committed rows on a tiny model.
  private static func run(
    _ model: LanguageModel, shots: Int = 0, answers: String? = nil, limit: Int? = nil,
    context: Int? = nil
  ) async throws -> Evaluator.Outcome {
    var options = Evaluator.Options(dataDirectory: HarnessGolden.rows)
    options.answerPath = answers
    options.limit = limit
    options.contextLength = context
    let task = try TaskCatalogue().tasks(named: "arc_easy")[0]
    let evaluator = try Evaluator(model, options: options)
    return try await evaluator.run(task, shots: shots)
  }

  private static func likelihoods(_ outcome: Evaluator.Outcome) -> [[Double]] {
    outcome.score.documents.map(\.responses.likelihoods)
  }

  private static func largestDifference(_ a: Evaluator.Outcome, _ b: Evaluator.Outcome) -> Double {
    zip(likelihoods(a).joined(), likelihoods(b).joined()).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test("a run that was killed goes on from the answers that it kept, half a line left aside")
  func resumption() async throws {
    let model = try TinyModels.load("gemma3")
    let path = NSTemporaryDirectory() + "facet-answers-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let whole = try await Self.run(model, answers: path)
    #expect(whole.kept == 0 && whole.isComplete)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == whole.score.documents.reduce(0) { $0 + $1.requests.count })

    // As if the process had been killed inside the fifteenth line.
    let cut = lines[..<14].joined(separator: "\n") + "\n" + lines[14].prefix(20)
    try Data(cut.utf8).write(to: URL(fileURLWithPath: path))
    let again = try await Self.run(model, answers: path)
    #expect(again.kept == 3)
    // What is read anew is batched otherwise, so it may differ in its last bits.
    #expect(Self.largestDifference(again, whole) < 1e-3)
    #expect(again.score.metrics == whole.score.metrics)
    let third = try await Self.run(model, answers: path)
    #expect(third.kept == whole.score.documents.count)
    #expect(Self.likelihoods(third) == Self.likelihoods(again))
  }

  @Test("a task that runs programs is refused unless somebody allows it")
  func programs() async throws {
    let evaluator = try Evaluator(
      TinyModels.load("gemma3"), options: Evaluator.Options(dataDirectory: HarnessGolden.rows))
    let task = try TaskCatalogue().tasks(named: "humaneval")[0]
    let error = await #expect(throws: EvaluationError.self) { try await evaluator.run(task) }
    #expect(
      error?.message
        == "Task 'humaneval' runs programs that the model writes. --allow-programs lets it, in processes "
        + "without network, files or privileges.")
  }

  @Test("several answers to a question are drawn, voted on, kept, and not drawn again")
  func votes() async throws {
    let model = try TinyModels.load("gemma3")
    let text =
      #"{"task":"votes","kind":"generation","data":{"folder":"arc_easy","documents":["test"]},"text":"{question}","target":"{answerKey}","generation":{"temperature":1,"repeats":5,"most_tokens":4},"filters":[{"name":"maj@5","steps":[{"step":"majority"},{"step":"take_first"}]}],"metrics":["exact_match"]}"#
    let task = try TaskDefinition.read([UInt8](text.utf8), path: "votes.json").tasks[0]
    let path = NSTemporaryDirectory() + "facet-votes-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    func run() async throws -> Evaluator.Outcome {
      var options = Evaluator.Options(dataDirectory: HarnessGolden.rows)
      options.answerPath = path
      options.limit = 7
      return try await Evaluator(model, options: options).run(task)
    }
    let first = try await run()
    #expect(first.score.documents.allSatisfy { $0.responses.count == 5 })
    #expect(first.score.documents.contains { Set($0.responses).count > 1 })
    for document in first.score.documents {
      let verdict = document.verdicts[0]
      #expect(verdict.filter == "maj@5" && verdict.filtered.count == 1)
      let votes = Dictionary(grouping: document.responses) { $0 }.mapValues(\.count)
      #expect(votes[.text(verdict.filtered[0])] == votes.values.max())
    }
    let second = try await run()
    #expect(second.kept == 7)
    #expect(second.score.documents.map(\.responses) == first.score.documents.map(\.responses))
  }

  @Test("answers of one model or precision are not another's")
  func keys() {
    let request = DocumentScore.Request(context: "a", continuation: "b")
    let keys = [
      AnswerCache.key(model: "1", request, settings: "x"),
      AnswerCache.key(model: "2", request, settings: "x"),
      AnswerCache.key(model: "1", request, settings: "y"),
      AnswerCache.key(
        model: "1", DocumentScore.Request(context: "ab", continuation: ""), settings: "x"),
      AnswerCache.key(
        model: "1", DocumentScore.Request(context: "a", continuation: nil), settings: "x"),
    ]
    #expect(Set(keys).count == keys.count)
  }

  @Test("the prompts of the first documents do not depend on how many follow")
  func limit() async throws {
    let model = try TinyModels.load("gemma1")
    let few = try await Self.run(model, shots: 2, limit: 3)
    let all = try await Self.run(model, shots: 2)
    #expect(
      few.score.documents.map(\.promptHash) == all.score.documents.prefix(3).map(\.promptHash))
    #expect(few.wanted == 3 && few.score.documentCount == all.score.documents.count)
  }

  @Test("documents longer than the context are cut at the front and counted")
  func truncation() async throws {
    let model = try TinyModels.load("llama")
    let outcome = try await Self.run(model, shots: 3, context: 64)
    #expect(outcome.truncated == outcome.score.documents.count)
    let short = try await Self.run(model, limit: 1)
    #expect(short.truncated == 0)
    let error = await #expect(throws: EvaluationError.self) {
      try await Self.run(model, context: 1_000_000)
    }
    #expect(error?.message.hasPrefix("A context of 1000000 tokens is asked for; ") == true)
  }
}
