// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTokenizer

/// One of the sequences that an engine works on together.
final class EnginePlace {
  let request: EngineRequest
  let work: any EngineWork
  /// Most tokens that need not be read when a cache holds them.
  let mostCached: Int
  /// Its cache, once it is its turn.
  var sequence: CachedSequence?
  /// Tokens that are to be read, after those of the sequence.
  var unread: [TokenID]
  /// Whether tokens of the prompt are still to be read.
  var isReading = true
  /// What the last logits brought.
  var result: Result<EngineStep, any Error>?
  /// Tokens found in a cache.
  var cachedCount = 0

  init(_ request: EngineRequest, model: LanguageModel, context: Int) throws {
    self.request = request
    switch request.work {
    case .answer(let prompt, let options, let events):
      work = try EngineAnswer(to: prompt, options, model: model, context: context, events)
      unread = request.tokens
      mostCached = request.tokens.count - 1
    case .score(let first, let alternatives, let reply):
      let first = min(first, request.tokens.count - 1)
      work = EngineScore(
        request.tokens, from: first, alternatives: alternatives,
        vocabulary: model.configuration.vocabulary, reply)
      // Nothing is asked after the last token.
      unread = request.tokens.dropLast()
      mostCached = max(0, first - 1)
    }
  }

  /// Takes up a cache that holds the beginning of the prompt.
  func begin(in sequence: CachedSequence) {
    self.sequence = sequence
    cachedCount = sequence.tokens.count
    unread.removeFirst(cachedCount)
    sequence.anchor(at: cachedCount + unread.count)
    work.begin(cached: cachedCount)
  }

  /// Notes that the next `count` tokens went through the model.
  func advance(by count: Int) {
    sequence?.append(unread.prefix(count))
    unread.removeFirst(count)
    guard isReading, let done = sequence?.tokens.count else { return }
    work.progress(to: done)
    if unread.isEmpty { isReading = false }
  }
}

extension EngineRequest {
  /// Tells whoever asked that there will be no answer.
  func fail(_ error: any Error) {
    switch work {
    case .answer(_, _, let events): events.finish(throwing: error)
    case .score(_, _, let reply): reply(.failure(error))
    }
  }
}
