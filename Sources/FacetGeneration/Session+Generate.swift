// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

extension Session {
  /// The last pass of an answer under way: its rows of logits, and the tokens guessed for them.
  private struct Rows {
    var logits: Tensor
    var guesses: [Proposal] = []
    /// The row whose token is drawn next.
    var row = 0
    var time = Duration.zero

    var guess: Proposal? { row < guesses.count ? guesses[row] : nil }
    var next: Tensor { logits.rows(row..<row + 1) }
  }

  /// Answers `prompt`, token by token; every event goes to `onEvent` as it happens.
  ///
  /// Cancelling the task ends the answer at the next token, with what there is of it. An error that
  /// `onEvent` throws ends it too, and is thrown on.
  @discardableResult
  public mutating func generate(
    _ prompt: Prompt, options: GenerationOptions = GenerationOptions(),
    onEvent: (GenerationEvent) throws -> Void
  ) throws -> GenerationSummary {
    var answer = try Answer(to: prompt, options, model: model)
    let clock = ContinuousClock()
    let start = clock.now
    var cached: Int?

    let logits = try prefillUnlessCancelled(prompt.tokens) { done in
      if cached == nil { cached = done }
      try onEvent(.prefill(done: done, total: prompt.tokens.count))
    }
    let prefilled = clock.now

    var summary = GenerationSummary(
      reason: .cancelled, promptTokens: prompt.tokens.count, cachedTokens: cached ?? 0,
      generatedTokens: 0, prefillTime: prefilled - start, decodeTime: .zero, seed: answer.seed)
    if let logits {
      summary.reason =
        answer.isGuided
        ? try decodeGuided(logits, &answer, options, &summary, onEvent)
        : try decode(Rows(logits: logits), &answer, options, &summary, onEvent)
    }
    let rest = answer.finish(summary.reason)
    if !rest.isEmpty { try onEvent(.rest(rest)) }
    summary.generatedTokens = answer.count
    summary.forcedTokens = answer.forcedCount
    summary.decodeTime = clock.now - prefilled
    try onEvent(.finished(summary))
    return summary
  }

  /// Draws and reads tokens until the answer ends, and says why it did.
  private mutating func decode(
    _ first: Rows, _ answer: inout Answer, _ options: GenerationOptions,
    _ summary: inout GenerationSummary, _ onEvent: (GenerationEvent) throws -> Void
  ) throws -> FinishReason {
    let prompt = summary.promptTokens
    // The last token was drawn and need not be read: what was guessed beyond goes again.
    defer { if answer.count > 0 { truncate(to: min(tokens.count, prompt + answer.count - 1)) } }
    var rows = first
    while !Task.isCancelled {
      let guess = rows.guess
      let step = try rows.next.withFloats { try answer.next($0, guess: guess) }
      let isKept = guess?.token == step.token.id
      if isKept { summary.acceptedTokens += 1 }
      try onEvent(.token(step.token))
      if let end = step.end { return end }
      if prompt + answer.count > contextLength { return .contextFull }
      guesser?.append(step.token.id)
      if isKept {
        rows.row += 1
        continue
      }
      guesser?.learn(guessed: rows.guesses.count, kept: rows.row, time: rows.time)
      truncate(to: prompt + answer.count - 1)
      rows = try read(step.token.id, &answer, options)
      summary.draftedTokens += rows.guesses.count
    }
    return .cancelled
  }

  /// Reads `token` and what is guessed to follow it.
  private mutating func read(
    _ token: TokenID, _ answer: inout Answer, _ options: GenerationOptions
  ) throws -> Rows {
    // A pass brings one token more than it reads guesses.
    let wanted = options.maxTokens.map { $0 - answer.count - 1 } ?? .max
    let most = min(wanted, contextLength - tokens.count - 1)
    let guesses = most > 0 ? try guesser?.guess(most: most, &answer) ?? [] : []
    let start = ContinuousClock.now
    let logits = try forward([token] + guesses.map(\.token), logits: .all)
    return Rows(logits: logits, guesses: guesses, time: ContinuousClock.now - start)
  }

  /// Reads the prompt; nil when the task was cancelled between two chunks.
  private mutating func prefillUnlessCancelled(
    _ tokens: [Int32], progress: (Int) throws -> Void
  ) throws -> Tensor? {
    do {
      let logits = try prefill(tokens) { done in
        if Task.isCancelled { throw CancellationError() }
        try progress(done)
      }
      try guesser?.begin(tokens)
      return logits
    } catch is CancellationError {
      return nil
    }
  }
}
