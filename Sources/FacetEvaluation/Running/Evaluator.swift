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

  let model: LanguageModel
  let options: Options
  let encoder: RequestEncoder
  let answers: AnswerCache?
  let identity: String

  /// Runs on `model`.
  public init(_ model: LanguageModel, options: Options) throws {
    self.model = model
    self.options = options
    encoder = RequestEncoder(model.tokenizer)
    answers = try options.answerPath.map { try AnswerCache(path: $0) }
    let adapters = model.adapters.map { "\($0.identity)" }.joined(separator: "+")
    identity =
      "\(model.transformer.identity)+\(adapters)+\(model.transformer.precision)+"
      + "\(model.transformer.cacheDType)"
    let most = model.configuration.contextLength
    if let length = options.contextLength, length < 2 || length > most {
      throw EvaluationError(
        .invalidSetting,
        "A context of \(length) tokens is asked for; \(model.card.name) takes between 2 and \(most)."
      )
    }
  }

  /// Tokens that the model sees.
  var contextLength: Int { options.contextLength ?? model.configuration.contextLength }

  /// Why `task` cannot be run: it runs programs and may not, or its data are not there; nil when it can.
  public func obstacle(to task: TaskDefinition) -> EvaluationError? {
    if task.scorer == .program, options.sandbox == nil {
      return EvaluationError(
        .invalidSetting,
        "Task '\(task.name)' runs programs that the model writes. --allow-programs lets it, in processes "
          + "without network, files or privileges.")
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
  ) throws -> Outcome {
    if let obstacle = obstacle(to: task) { throw obstacle }
    let shots = shots ?? task.shots
    let rows = try TaskRows(
      task, directory: options.dataDirectory, shots: shots,
      tolerance: options.skipsBadRows ? .skipping : .none)
    let count = min(rows.documents.count, options.limit ?? .max)
    var prompts = PromptAssembly(task, rows, shots: shots)
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
    try answer(documents, task, &outcome, progress)
    outcome.score.metrics = task.figures(outcome.score.documents)
    return outcome
  }

  /// Answers the documents, some at once, in their order.
  private func answer(
    _ documents: [PendingDocument], _ task: TaskDefinition, _ outcome: inout Outcome,
    _ progress: (Progress) throws -> Void
  ) throws {
    let open = documents.filter { $0.cached(identity, task, answers) == nil }
    let runner = open.isEmpty ? nil : RequestRunner(model, task, open)
    var rest = documents[...]
    do {
      while !rest.isEmpty {
        try Task.checkCancellation()
        let part = rest.prefix(runner?.batchCount ?? rest.count)
        rest = rest.dropFirst(part.count)
        for (document, responses) in zip(part, try responses(Array(part), task, runner, &outcome)) {
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

  /// The responses to some documents: kept ones, and those of the model for the others.
  private func responses(
    _ documents: [PendingDocument], _ task: TaskDefinition, _ runner: RequestRunner?,
    _ outcome: inout Outcome
  ) throws -> [[DocumentScore.Response]] {
    var result = documents.map { $0.cached(identity, task, answers) }
    let missing = documents.indices.filter { result[$0] == nil }
    outcome.kept += documents.count - missing.count
    if let runner, !missing.isEmpty {
      let new = try runner.answer(missing.map { documents[$0] })
      for (index, responses) in zip(missing, new) { result[index] = responses }
      try answers?.keep(
        zip(missing, new).flatMap { index, responses in
          zip(documents[index].keys(identity, task), responses).map { ($0, $1) }
        })
    }
    return result.map { $0 ?? [] }
  }
}
