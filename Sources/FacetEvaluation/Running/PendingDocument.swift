// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTokenizer

/// A document with its prompts, on its way to be answered.
struct PendingDocument {
  let index: Int
  let row: DataFile.Row
  let requests: [DocumentScore.Request]
  let target: String
  /// The texts whose likelihood is asked for: one a request, or the windows of a whole text.
  private(set) var texts: [ScoredText] = []
  /// The tokens to write on after.
  private(set) var prompt: [TokenID] = []
  /// Whether something was left out for want of room.
  private(set) var isTruncated = false

  init(
    _ index: Int, _ row: DataFile.Row,
    _ prompt: (requests: [DocumentScore.Request], target: String), _ task: TaskDefinition,
    _ encoder: RequestEncoder?, _ contextLength: Int
  ) throws(EvaluationError) {
    self.index = index
    self.row = row
    requests = prompt.requests
    target = prompt.target
    // A server makes tokens of the texts itself.
    guard let encoder else { return }
    do {
      try encode(task, encoder, contextLength)
    } catch { throw row.placing(error) }
  }

  private mutating func encode(
    _ task: TaskDefinition, _ encoder: RequestEncoder, _ contextLength: Int
  ) throws(EvaluationError) {
    switch task.kind {
    case .perplexity:
      texts = try encoder.windows(requests[0].context, contextLength: contextLength)
    case .choice:
      texts = try encoder.scored(requests.map { ($0.context, $0.continuation ?? "") })
      for index in texts.indices {
        if texts[index].truncate(to: contextLength) { isTruncated = true }
      }
    case .generation:
      let room = contextLength - task.generation.mostTokens
      guard room > 0 else {
        throw EvaluationError(
          .invalidSetting,
          "Answers of \(task.generation.mostTokens) tokens leave nothing of a context of "
            + "\(contextLength) for the question.")
      }
      let tokens = encoder.context(requests[0].context)
      isTruncated = tokens.count > room
      prompt = Array(tokens.suffix(room))
    }
  }

  /// Settings that the answers depend on.
  private func settings(_ task: TaskDefinition) -> String {
    var kind =
      task.kind == .generation
      ? "\(task.generation.stops)+\(task.generation.mostTokens)" : task.kind.rawValue
    if task.generation.temperature > 0 { kind += "+\(task.generation.temperature)" }
    let tokens = texts.first?.tokens.count ?? prompt.count
    return isTruncated || task.kind == .perplexity ? "\(kind)+\(tokens)" : kind
  }

  /// The keys under which its answers are kept.
  func keys(_ model: String, _ task: TaskDefinition) -> [String] {
    let settings = settings(task)
    let requests = requests.flatMap { Array(repeating: $0, count: task.generation.repeats) }
    return requests.enumerated().map { place, request in
      let draw = task.generation.temperature > 0 ? "\(settings)+draw \(place)" : settings
      return AnswerCache.key(model: model, request, settings: draw)
    }
  }

  /// The answers that were kept; nil unless all of them were.
  func cached(
    _ model: String, _ task: TaskDefinition, _ answers: AnswerCache?
  ) -> [DocumentScore.Response]? {
    guard let answers, answers.count > 0 else { return nil }
    let keys = keys(model, task)
    let found = keys.compactMap { answers.answer($0) }
    return found.count == keys.count ? found : nil
  }

  /// The document with its answers, scored.
  func scored(
    _ responses: [DocumentScore.Response], _ task: TaskDefinition, _ sandbox: ProgramSandbox?
  ) throws(EvaluationError) -> DocumentScore {
    do {
      return DocumentScore(
        index: index, document: row.json, target: target, requests: requests,
        responses: responses, verdicts: try task.verdicts(row.json, responses, sandbox: sandbox))
    } catch { throw row.placing(error) }
  }
}
