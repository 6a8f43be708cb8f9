// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTokenizer

/// Puts the requests of a task's documents to a model.
final class RequestRunner: RequestAnswering {
  private enum Engine {
    case likelihood(LikelihoodEngine)
    case writing(WritingEngine)
  }

  private let engine: Engine
  private let kind: TaskDefinition.Kind
  /// Answers to each question.
  private let repeats: Int

  /// Shared beginnings shorter than this are not worth a cache of their own.
  private static let leastPrefix = 8

  /// A runner for `documents`, at least one.
  init(_ model: LanguageModel, _ task: TaskDefinition, _ documents: [PendingDocument]) {
    kind = task.kind
    repeats = task.generation.repeats
    if task.kind == .generation {
      let longest = documents.reduce(0) { max($0, $1.prompt.count) } + task.generation.mostTokens
      engine = .writing(
        WritingEngine(
          model, prefix: Self.prefix(documents.map { $0.prompt.dropLast() }),
          longest: longest, task.generation))
    } else {
      let groups = documents.flatMap { Self.groups($0, task.kind) }
      let shared = groups.map { $0.shared.dropLast() }
      // A row of the beginning that somebody asks about has to be read for everybody anew.
      let asked = groups.flatMap(\.texts).reduce(Int.max) { min($0, $1.contextCount - 1) }
      engine = .likelihood(
        LikelihoodEngine(
          model, prefix: Array(Self.prefix(shared).prefix(max(0, asked))),
          longest: groups.reduce(0) { max($0, $1.longest) }))
    }
  }

  /// What all of `texts` begin with.
  private static func prefix(_ texts: [ArraySlice<TokenID>]) -> [TokenID] {
    guard let first = texts.first, texts.count > 1 else { return [] }
    let count = texts.dropFirst().reduce(first.count) { count, text in
      count == 0 ? 0 : min(count, zip(first, text).prefix { $0 == $1 }.count)
    }
    return count >= leastPrefix ? Array(first.prefix(count)) : []
  }

  /// Documents that are best given at once.
  var batchCount: Int {
    switch engine {
    case .likelihood(let engine): engine.batchCount
    case .writing(let engine): max(1, engine.batchCount / repeats)
    }
  }

  /// The texts of a document that are scored together: the windows of a whole text share nothing.
  private static func groups(
    _ document: PendingDocument, _ kind: TaskDefinition.Kind
  ) -> [ScoredGroup] {
    kind == .perplexity
      ? document.texts.map { ScoredGroup([$0]) } : [ScoredGroup(document.texts)]
  }

  /// What answer number `draw` to a document is drawn with: the same in every run and batch.
  private func seed(_ document: PendingDocument, _ draw: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: document.index) << 16 | UInt64(truncatingIfNeeded: draw)
  }

  /// The responses to at most ``batchCount`` documents.
  func answer(_ documents: [PendingDocument]) throws -> [[DocumentScore.Response]] {
    switch engine {
    case .writing(let engine):
      var rest = documents.flatMap { document in
        (0..<repeats).map { WritingEngine.Order(prompt: document.prompt, seed: seed(document, $0)) }
      }[...]
      var texts: [String] = []
      while !rest.isEmpty {
        texts += try engine.write(Array(rest.prefix(engine.batchCount)))
        rest = rest.dropFirst(engine.batchCount)
      }
      return documents.indices.map { index in
        texts[(index * repeats)..<((index + 1) * repeats)].map { .text($0) }
      }
    case .likelihood(let engine):
      var groups = documents.flatMap { Self.groups($0, kind) }[...]
      var answers: [[LikelihoodEngine.Answer]] = []
      while !groups.isEmpty {
        let part = groups.prefix(engine.batchCount)
        groups = groups.dropFirst(part.count)
        answers += try engine.score(Array(part))
      }
      if kind != .perplexity { return answers.map { $0.map(\.response) } }
      var rest = answers[...]
      return documents.map { document in
        let windows = rest.prefix(document.texts.count).joined()
        rest = rest.dropFirst(document.texts.count)
        let sum = windows.reduce(into: LikelihoodEngine.Answer()) { sum, window in
          sum.logProbability += window.logProbability
          sum.isGreedy = sum.isGreedy && window.isGreedy
        }
        return [sum.response]
      }
    }
  }
}

extension LikelihoodEngine.Answer {
  /// The same as a response.
  var response: DocumentScore.Response {
    .likelihood(logProbability: logProbability, isGreedy: isGreedy)
  }
}
