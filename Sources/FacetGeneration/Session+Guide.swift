// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

extension Session {
  /// Draws and reads tokens until the guide's text is complete or the answer ends otherwise.
  ///
  /// What the guide leaves no choice about is not drawn: one pass reads it together with the token
  /// before. Nothing is guessed ahead.
  mutating func decodeGuided(
    _ first: Tensor, _ answer: inout Answer, _ options: GenerationOptions,
    _ summary: inout GenerationSummary, _ onEvent: (GenerationEvent) throws -> Void
  ) throws -> FinishReason {
    let prompt = summary.promptTokens
    // The last token need not be read, as without a guide.
    defer { if answer.count > 0 { truncate(to: min(tokens.count, prompt + answer.count - 1)) } }
    var logits = first
    if let end = try readForced(&logits, [], &answer, options, onEvent) { return end }
    while !Task.isCancelled {
      let step = try logits.withFloats { try answer.next($0) }
      try onEvent(.token(step.token))
      if let end = step.end { return end }
      if prompt + answer.count > contextLength { return .contextFull }
      if let end = try readForced(&logits, [step.token.id], &answer, options, onEvent) {
        return end
      }
    }
    return .cancelled
  }

  /// Reads `drawn` and the tokens that the guide forces after it; says why the answer ended, if it did.
  private mutating func readForced(
    _ logits: inout Tensor, _ drawn: [TokenID], _ answer: inout Answer,
    _ options: GenerationOptions, _ onEvent: (GenerationEvent) throws -> Void
  ) throws -> FinishReason? {
    let room = contextLength - tokens.count - drawn.count
    let forced = answer.forced(most: min(room + 1, Self.chunk - 1))
    guard options.logProbabilities == nil else {
      return try readOneByOne(&logits, drawn, forced, &answer, onEvent)
    }
    for token in forced {
      let step = answer.force(token, nil)
      try onEvent(.token(step.token))
      if let end = step.end { return end }
    }
    if forced.count > room { return .contextFull }
    if !(drawn + forced).isEmpty { logits = try forward(drawn + forced, logits: .last) }
    return nil
  }

  /// The same, with the logits before each token for its log-probability.
  private mutating func readOneByOne(
    _ logits: inout Tensor, _ drawn: [TokenID], _ forced: [TokenID], _ answer: inout Answer,
    _ onEvent: (GenerationEvent) throws -> Void
  ) throws -> FinishReason? {
    if let token = drawn.first { logits = try decode(token) }
    for token in forced {
      let step = logits.withFloats { answer.force(token, $0) }
      try onEvent(.token(step.token))
      if let end = step.end { return end }
      if tokens.count >= contextLength { return .contextFull }
      logits = try decode(token)
    }
    return nil
  }
}
