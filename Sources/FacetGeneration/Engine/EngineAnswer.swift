// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTokenizer

/// An answer in one of an engine's places: the same steps as ``Session/generate(_:options:onEvent:)``, with
/// the passes left to the engine.
final class EngineAnswer: EngineWork {
  private var answer: Answer
  private let options: GenerationOptions
  private let context: Int
  private let events: EngineRequest.Events
  private var summary: GenerationSummary
  private let clock = ContinuousClock()
  private var start: ContinuousClock.Instant
  private var prefilled: ContinuousClock.Instant?
  /// Tokens that the guide forces next, while each needs the logits before it.
  private var forced: ArraySlice<TokenID> = []

  init(
    to prompt: Prompt, _ options: GenerationOptions, model: LanguageModel, context: Int,
    _ events: EngineRequest.Events
  ) throws(GenerationError) {
    answer = try Answer(to: prompt, options, model: model)
    self.options = options
    self.context = context
    self.events = events
    start = clock.now
    summary = GenerationSummary(
      reason: .cancelled, promptTokens: prompt.tokens.count, cachedTokens: 0, generatedTokens: 0,
      prefillTime: .zero, decodeTime: .zero, seed: answer.seed)
  }

  var mostTokens: Int { .max }

  func asked(in range: Range<Int>, isLast: Bool) -> Range<Int> {
    isLast ? range.upperBound - 1..<range.upperBound : range.upperBound..<range.upperBound
  }

  func begin(cached: Int) {
    start = clock.now
    summary.cachedTokens = cached
    events.yield(.prefill(done: cached, total: summary.promptTokens))
  }

  func progress(to done: Int) {
    guard prefilled == nil else { return }
    events.yield(.prefill(done: done, total: summary.promptTokens))
    guard done == summary.promptTokens else { return }
    let now = clock.now
    summary.prefillTime = now - start
    prefilled = now
  }

  func take(_ logits: Tensor, after positions: Range<Int>) throws -> EngineStep {
    if let end = try next(logits, at: positions.upperBound) { return .end(finish(end.reason)) }
    return .read(unread)
  }

  func cancel() -> EngineReport { finish(.cancelled) }

  func fail(_ error: any Error) -> EngineReport {
    events.finish(throwing: error)
    return EngineReport(outcome: .failed, generatedTokens: answer.count)
  }

  // MARK: Steps

  /// Why the answer ended.
  private struct End { var reason: FinishReason }
  /// Tokens that are part of the answer, and have not been read.
  private var unread: [TokenID] = []

  /// Goes on after `count` tokens, as far as these logits bring it.
  private func next(_ logits: Tensor, at count: Int) throws -> End? {
    unread = []
    if answer.isGuided, answer.count == 0, forced.isEmpty {
      if let end = force(at: count) { return end }
      if !unread.isEmpty { return nil }
    }
    if let token = forced.popFirst() {
      let step = logits.withFloats { answer.force(token, $0) }
      events.yield(.token(step.token))
      if let end = step.end { return End(reason: end) }
      if count >= context { return End(reason: .contextFull) }
      unread = [token]
      return nil
    }
    let step = try logits.withFloats { try answer.next($0) }
    events.yield(.token(step.token))
    if let end = step.end { return End(reason: end) }
    if summary.promptTokens + answer.count > context { return End(reason: .contextFull) }
    unread = [step.token.id]
    return answer.isGuided ? force(at: count) : nil
  }

  /// Takes what the guide leaves no choice about after ``unread``.
  private func force(at count: Int) -> End? {
    let room = context - count - unread.count
    let tokens = answer.forced(most: min(room + 1, Session.chunk - 1))
    if options.logProbabilities != nil {
      forced = tokens[...]
      return nil
    }
    for token in tokens {
      let step = answer.force(token, nil)
      events.yield(.token(step.token))
      if let end = step.end { return End(reason: end) }
    }
    if tokens.count > room { return End(reason: .contextFull) }
    unread += tokens
    return nil
  }

  private func finish(_ reason: FinishReason) -> EngineReport {
    let rest = answer.finish(reason)
    if !rest.isEmpty { events.yield(.rest(rest)) }
    summary.reason = reason
    summary.generatedTokens = answer.count
    summary.forcedTokens = answer.forcedCount
    summary.decodeTime = prefilled.map { clock.now - $0 } ?? .zero
    events.yield(.finished(summary))
    events.finish()
    return EngineReport(outcome: EngineStatus.Outcome(reason), generatedTokens: answer.count)
  }
}
