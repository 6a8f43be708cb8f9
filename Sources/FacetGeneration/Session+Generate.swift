// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTokenizer

extension Session {
  /// Answers `prompt`, token by token; every event goes to `onEvent` as it happens.
  ///
  /// Cancelling the task ends the answer at the next token, with what there is of it. An error that
  /// `onEvent` throws ends it too, and is thrown on.
  @discardableResult
  public mutating func generate(
    _ prompt: Prompt, options: GenerationOptions = GenerationOptions(),
    onEvent: (GenerationEvent) throws -> Void
  ) throws -> GenerationSummary {
    var answer = try Answer(to: prompt, options, tokenizer: model.tokenizer)
    let clock = ContinuousClock()
    let start = clock.now
    var cached: Int?

    var logits = try prefillUnlessCancelled(prompt.tokens) { done in
      if cached == nil { cached = done }
      try onEvent(.prefill(done: done, total: prompt.tokens.count))
    }
    let prefilled = clock.now

    var reason: FinishReason?
    while reason == nil {
      guard let row = logits, !Task.isCancelled else {
        reason = .cancelled
        break
      }
      let step = try row.withFloats { try answer.next($0) }
      try onEvent(.token(step.token))
      reason = step.end ?? (tokens.count >= contextLength ? .contextFull : nil)
      if reason == nil { logits = try decode(step.token.id) }
    }

    let end = reason ?? .cancelled
    let rest = answer.finish(end)
    if !rest.isEmpty { try onEvent(.rest(rest)) }
    let summary = GenerationSummary(
      reason: end, promptTokens: prompt.tokens.count, cachedTokens: cached ?? 0,
      generatedTokens: answer.count, prefillTime: prefilled - start,
      decodeTime: clock.now - prefilled, seed: answer.seed)
    try onEvent(.finished(summary))
    return summary
  }

  /// Reads the prompt; nil when the task was cancelled between two chunks.
  private mutating func prefillUnlessCancelled(
    _ tokens: [Int32], progress: (Int) throws -> Void
  ) throws -> Tensor? {
    do {
      return try prefill(tokens) { done in
        if Task.isCancelled { throw CancellationError() }
        try progress(done)
      }
    } catch is CancellationError {
      return nil
    }
  }
}
