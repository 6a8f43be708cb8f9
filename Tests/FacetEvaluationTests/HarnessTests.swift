// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetEvaluation
import FacetGeneration
import FacetTensor
import FacetTestSupport
import Testing

@Suite("Prompts and scores against lm-eval 0.4.13")
struct HarnessTests {
  static let all =
    HarnessGolden.likelihood.runs + HarnessGolden.generation.runs + HarnessGolden.answers.runs
  /// Programs have to be run, which not every machine can.
  static let programs = HarnessGolden.answers.runs.filter(writesPrograms)
  static let unprogrammed = all.filter { !writesPrograms($0) }
  static let sandbox = try? ProgramSandbox()

  private static func writesPrograms(_ run: HarnessGolden.Run) -> Bool {
    ["humaneval", "mbpp"].contains(run.task)
  }

  /// Whether a model may do the task here.
  static func mayRun(_ run: HarnessGolden.Run) -> Bool { sandbox != nil || !writesPrograms(run) }

  @Test("the goldens are there")
  func areThere() {
    #expect(HarnessGolden.likelihood.runs.count == 27)
    #expect(HarnessGolden.generation.runs.count == 4)
    #expect(HarnessGolden.answers.runs.count == 16)
    #expect(Self.programs.count == 2)
  }

  @Test("every document's prompt_hash and target_hash are lm-eval's", arguments: all)
  func hashes(_ run: HarnessGolden.Run) throws { try Self.compareHashes(run) }

  static func compareHashes(_ run: HarnessGolden.Run) throws {
    let task = try run.definition()
    let rows = try TaskRows(
      task, directory: run.directory, shots: run.shots, tolerance: .none)
    var prompts = PromptAssembly(task, rows, shots: run.shots)
    #expect(!run.documents.isEmpty)
    for document in run.documents {
      let prompt = try prompts.document(document.index)
      let hash = PromptHash.of(prompt.requests[0].context)
      #expect(
        hash.hasPrefix(document.promptHash),
        "document \(document.index): \(prompt.requests[0].context)")
      #expect(
        PromptHash.of(prompt.target).hasPrefix(document.targetHash),
        "document \(document.index): \(prompt.target)")
      if !document.likelihoods.isEmpty {
        #expect(prompt.requests.count == document.likelihoods.count)
      }
    }
  }

  @Test(
    "programs pass and fail as they do for code_eval",
    .enabled(if: sandbox != nil, "needs python3 and a Linux with Landlock"), arguments: programs)
  func programFigures(_ run: HarnessGolden.Run) throws { try Self.compareFigures(run) }

  @Test(
    "from lm-eval's own answers come lm-eval's scores, metrics and errors", arguments: unprogrammed)
  func figures(_ run: HarnessGolden.Run) throws { try Self.compareFigures(run) }

  private static func compareFigures(_ run: HarnessGolden.Run) throws {
    let task = try run.definition()
    let rows = try TaskRows(
      task, directory: run.directory, shots: run.shots, tolerance: .none)
    var prompts = PromptAssembly(task, rows, shots: run.shots)
    var documents: [DocumentScore] = []
    for golden in run.documents {
      let row = rows.documents[golden.index].json
      let (requests, target) = try prompts.document(golden.index)
      let responses: [DocumentScore.Response] =
        golden.texts.isEmpty
        ? golden.likelihoods.map { .likelihood(logProbability: $0, isGreedy: false) }
        : golden.texts.map { .text($0) }
      documents.append(
        DocumentScore(
          index: golden.index, document: row, target: target, requests: requests,
          responses: responses, verdicts: try task.verdicts(row, responses, sandbox: Self.sandbox)))
    }
    compare(documents, task.figures(documents), run, tolerance: 2e-4)
  }

  /// Document by document and figure by figure; `tolerance` is for figures that are made of
  /// likelihoods themselves.
  static func compare(
    _ documents: [DocumentScore], _ figures: [TaskScore.Metric], _ run: HarnessGolden.Run,
    tolerance: Double
  ) {
    for (place, filter) in run.filters.enumerated() {
      for (document, golden) in zip(documents, filter.documents) where !golden.hasOtherTokens {
        let verdict = document.verdicts[place]
        #expect(verdict.filter == filter.name)
        for (name, value) in golden.values {
          let found = verdict.values[name] ?? .nan
          #expect(abs(found - value) <= tolerance, "\(document.index), \(name): \(found), \(value)")
        }
      }
    }
    for figure in figures {
      let key = "\(figure.name),\(figure.filter)"
      if let value = run.metrics[key], !value.isNaN {
        let most = tolerance * max(1, abs(value))
        #expect(abs(figure.value - value) <= most, "\(key): \(figure.value), lm-eval \(value)")
      } else {
        #expect(figure.value.isNaN, "\(key): \(figure.value), lm-eval has none")
      }
      if let error = run.metrics["\(figure.name)_stderr,\(figure.filter)"] {
        let found = figure.standardError ?? .nan
        #expect(abs(found - error) <= tolerance, "\(key): ± \(found), lm-eval ± \(error)")
      }
    }
  }
}

@Suite("Gemma 3 270M against lm-eval 0.4.13 with transformers", .serialized)
struct HarnessModelTests {
  static let path = StoredModels.path(sha256: StoredModels.gemma3Hash)

  private static let exact = Result {
    try LanguageModel.load(
      path: path ?? "", options: LanguageModel.LoadOptions(precision: .exact))
  }

  @Test(
    "log-likelihoods are within 0.01 of lm-eval's, and every metric is equal",
    .enabled(if: path != nil, Comment(rawValue: StoredModels.needsGemma3)),
    arguments: HarnessGolden.asked)
  func likelihoods(_ run: HarnessGolden.Run) async throws { try await Self.compare(run) }

  @Test(
    "written answers are lm-eval's",
    .enabled(if: path != nil, Comment(rawValue: StoredModels.needsGemma3)),
    arguments: HarnessGolden.isEverythingAsked
      ? HarnessGolden.generation.runs
      : HarnessGolden.generation.runs.filter { $0.task == "triviaqa" })
  func answers(_ run: HarnessGolden.Run) async throws { try await Self.compare(run) }

  @Test(
    "some hundreds of documents a task have lm-eval's prompts, likelihoods, answers and metrics",
    .enabled(if: path != nil, Comment(rawValue: StoredModels.needsGemma3)),
    .enabled(
      if: HarnessGolden.many != nil,
      "FACET_EVALUATION_DATA does not name the rows that tools/evaluation_rows.py makes"),
    arguments: (HarnessGolden.many?.runs ?? []).filter { HarnessTests.mayRun($0) })
  func many(_ run: HarnessGolden.Run) async throws {
    try HarnessTests.compareHashes(run)
    try await Self.compare(run)
  }

  static func compare(_ run: HarnessGolden.Run) async throws {
    var options = Evaluator.Options(dataDirectory: run.directory)
    options.limit = run.documents.count
    options.contextLength = 8192
    options.sandbox = HarnessTests.sandbox
    let evaluator = try Evaluator(exact.get(), options: options)
    let outcome = try await evaluator.run(run.definition(), shots: run.shots)
    #expect(outcome.isComplete)
    let documents = outcome.score.documents
    #expect(documents.count == run.documents.count)
    for (document, golden) in zip(documents, run.documents) where !golden.hasOtherTokens {
      for (index, value) in golden.likelihoods.enumerated() {
        let found = document.responses.likelihoods[index]
        #expect(
          abs(found - value) <= 0.01, "document \(golden.index), \(index): \(found), \(value)")
      }
      let texts = document.responses.compactMap { response in
        if case .text(let text) = response { text } else { nil }
      }
      if golden.textHashes.isEmpty {
        #expect(texts == golden.texts, "document \(golden.index)")
      } else {
        #expect(texts.count == golden.textHashes.count)
        for (text, hash) in zip(texts, golden.textHashes) {
          #expect(PromptHash.of(text).hasPrefix(hash), "document \(golden.index): \(text)")
        }
      }
    }
    HarnessTests.compare(documents, outcome.score.metrics, run, tolerance: 0.01)
  }
}
