// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
public import FacetGeneration
import FacetModel
import FacetTokenizer

/// Runs tasks on a model.
public final class Evaluator {
  /// What a run is to do.
  public struct Options: Sendable {
    /// The directory with the sets of data.
    public var dataDirectory: String
    /// Documents of each task at most.
    public var limit: Int?
    /// The file that keeps answers; nil: they are not kept.
    public var answerPath: String?
    /// Whether bad rows end the run.
    public var skipsBadRows = false
    /// Where programs that the model writes are run; nil: tasks that need it are refused.
    public var sandbox: ProgramSandbox?
    /// Tokens that the model sees; nil: all that it was made for.
    public var contextLength: Int?

    /// A run over the data in `dataDirectory`.
    public init(dataDirectory: String) { self.dataDirectory = dataDirectory }
  }

  /// How far a task is.
  public struct Progress: Sendable {
    /// The task.
    public var task: String
    /// Documents that are scored.
    public var done: Int
    /// Documents in all.
    public var total: Int
    /// Its figures so far.
    public var metrics: [TaskScore.Metric]
  }

  /// What a task gave, and what happened on the way.
  public struct Outcome: Sendable {
    /// The figures.
    public var score: TaskScore
    /// Documents that the run was to score.
    public var wanted: Int
    /// Documents some of whose text was left out because the model sees no more.
    public var truncated: Int
    /// Rows that were left out, and why.
    public var problems: [EvaluationError]
    /// Requests whose answers were kept from a run before.
    public var kept: Int

    /// Whether every document was scored.
    public var isComplete: Bool { score.documents.count == wanted }
  }

  /// Who answers.
  private enum Subject {
    case model(LanguageModel)
    case server(CompletionServer)
  }

  private let subject: Subject
  let options: Options
  let answers: AnswerCache?
  let identity: String
  /// Tokens that the model sees.
  private let contextLength: Int

  /// Runs on `model`.
  public init(_ model: LanguageModel, options: Options) throws {
    subject = .model(model)
    self.options = options
    answers = try options.answerPath.map { try AnswerCache(path: $0) }
    let adapters = model.adapters.map { "\($0.identity)" }.joined(separator: "+")
    identity =
      "\(model.transformer.identity)+\(adapters)+\(model.transformer.precision)+"
      + "\(model.transformer.cacheDType)"
    let most = model.configuration.contextLength
    contextLength = options.contextLength ?? most
    guard (2...max(2, most)).contains(contextLength) else {
      throw EvaluationError(
        .invalidSetting,
        "A context of \(contextLength) tokens is asked for; \(model.card.name) takes between 2 and "
          + "\(most).")
    }
  }

  /// Runs on a model behind a server, which alone knows how much it sees.
  public init(_ server: CompletionServer, options: Options) throws {
    subject = .server(server)
    self.options = options
    answers = try options.answerPath.map { try AnswerCache(path: $0) }
    identity = "\(server.model) at \(server.address)"
    contextLength = .max
  }

  /// Why `task` cannot be run: it runs programs and may not, or its data are not there, or the server cannot;
  /// nil when it can be.
  public func obstacle(to task: TaskDefinition) -> EvaluationError? {
    if task.scorer == .program, options.sandbox == nil {
      return EvaluationError(
        .invalidSetting,
        "Task '\(task.name)' runs programs that the model writes. --allow-programs lets it, in processes "
          + "without network, files or privileges.")
    }
    if case .server(let server) = subject, task.kind == .perplexity {
      return EvaluationError(
        .invalidSetting,
        "Task '\(task.name)' scores whole texts in windows of tokens, which needs the model here, not "
          + "behind \(server.address).")
    }
    let folder = options.dataDirectory + "/" + task.source.folder
    do {
      _ = try DataFile.paths(in: folder, splits: task.source.documents)
    } catch { return error }
    return nil
  }

  /// Scores `task` with `shots` examples before each question; nil: as many as the task has by default.
  ///
  /// Cancelling ends it early with what there is.
  public func run(
    _ task: TaskDefinition, shots: Int? = nil, progress: (Progress) throws -> Void = { _ in }
  ) async throws -> Outcome {
    if let obstacle = obstacle(to: task) { throw obstacle }
    let shots = shots ?? task.shots
    let rows = try TaskRows(
      task, directory: options.dataDirectory, shots: shots,
      tolerance: options.skipsBadRows ? .skipping : .none)
    let count = min(rows.documents.count, options.limit ?? .max)
    var prompts = PromptAssembly(task, rows, shots: shots)
    let encoder: RequestEncoder? =
      if case .model(let model) = subject { RequestEncoder(model.tokenizer) } else { nil }
    var documents: [PendingDocument] = []
    for index in 0..<count {
      try Task.checkCancellation()
      let prompt = try prompts.document(index)
      documents.append(
        try PendingDocument(index, rows.documents[index], prompt, task, encoder, contextLength))
    }
    var outcome = Outcome(
      score: TaskScore(
        task: task.name, alias: task.alias, group: task.group, version: task.version, shots: shots,
        documentCount: rows.documents.count, configuration: task.json),
      wanted: count, truncated: documents.count(where: \.isTruncated), problems: rows.problems,
      kept: 0)
    try await answer(documents, task, &outcome, progress)
    outcome.score.metrics = task.figures(outcome.score.documents)
    return outcome
  }

  /// Answers the documents, some at once, in their order.
  private func answer(
    _ documents: [PendingDocument], _ task: TaskDefinition, _ outcome: inout Outcome,
    _ progress: (Progress) throws -> Void
  ) async throws {
    let open = documents.filter { $0.cached(identity, task, answers) == nil }
    let runner = open.isEmpty ? nil : runner(task, open)
    var rest = documents[...]
    do {
      while !rest.isEmpty {
        try Task.checkCancellation()
        let part = rest.prefix(runner?.batchCount ?? rest.count)
        rest = rest.dropFirst(part.count)
        let answered = try await responses(Array(part), task, runner, &outcome)
        for (document, responses) in zip(part, answered) {
          outcome.score.documents.append(try document.scored(responses, task, options.sandbox))
        }
        try progress(
          Progress(
            task: task.name, done: outcome.score.documents.count, total: documents.count,
            metrics: task.figures(outcome.score.documents)))
      }
    } catch is CancellationError {
      // What was scored until now is the answer.
      return
    }
  }

  /// What answers `documents`, of which there is at least one.
  private func runner(
    _ task: TaskDefinition, _ documents: [PendingDocument]
  ) -> any RequestAnswering {
    switch subject {
    case .model(let model): RequestRunner(model, task, documents)
    case .server(let server): ServerRunner(server: server, task: task)
    }
  }

  /// The responses to some documents: kept ones, and those of the model for the others.
  private func responses(
    _ documents: [PendingDocument], _ task: TaskDefinition, _ runner: (any RequestAnswering)?,
    _ outcome: inout Outcome
  ) async throws -> [[DocumentScore.Response]] {
    var result = documents.map { $0.cached(identity, task, answers) }
    let missing = documents.indices.filter { result[$0] == nil }
    outcome.kept += documents.count - missing.count
    if let runner, !missing.isEmpty {
      let new = try await runner.answer(missing.map { documents[$0] })
      for (index, responses) in zip(missing, new) { result[index] = responses }
      try answers?.keep(
        zip(missing, new).flatMap { index, responses in
          zip(documents[index].keys(identity, task), responses).map { ($0, $1) }
        })
    }
    return result.map { $0 ?? [] }
  }
}
