// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// What happens while an answer comes about, in order.
public enum GenerationEvent: Sendable, Hashable {
  /// This many of the prompt's tokens have been read, those that the cache still held included.
  case prefill(done: Int, total: Int)
  /// A token was drawn.
  case token(GeneratedToken)
  /// Text that was held back, since it could have been the beginning of a stop text or of a
  /// character, and is part of the answer after all.
  case rest(String)
  /// The answer is complete.
  case finished(GenerationSummary)
}

/// A token of an answer.
public struct GeneratedToken: Sendable, Hashable, Codable {
  /// The token.
  public var id: TokenID
  /// The text that is certain now that the token is known; empty inside a character, and while a
  /// stop text may be on its way.
  public var text: String
  /// Its log-probability, when asked for.
  public var logProbability: Float?
  /// The likeliest tokens in its place, when asked for.
  public var alternatives: [TokenLogProbability]

  enum CodingKeys: String, CodingKey {
    case id
    case text
    case logProbability = "logprob"
    case alternatives = "top_logprobs"
  }
}

/// Why an answer ended.
public enum FinishReason: Sendable, Hashable {
  /// The model said that it is done.
  case endOfTurn
  /// The guide's text is complete and nothing may follow.
  case guideComplete
  /// A stop text came.
  case stopText(String)
  /// As many tokens as were allowed.
  case maxTokens
  /// The context is full.
  case contextFull
  /// The task was cancelled.
  case cancelled
}

/// An answer's end: why, how many tokens, how long.
public struct GenerationSummary: Sendable, Hashable {
  /// Why the answer ended.
  public var reason: FinishReason
  /// Tokens of the prompt.
  public var promptTokens: Int
  /// Of them, tokens that the cache still held from before.
  public var cachedTokens: Int
  /// Tokens of the answer, the one that ended it included.
  public var generatedTokens: Int
  /// Tokens guessed ahead, and read; see ``Speculation``.
  public var draftedTokens = 0
  /// Of them, tokens that became part of the answer.
  public var acceptedTokens = 0
  /// Of the tokens generated, those that the guide left no choice about: they were not drawn.
  public var forcedTokens = 0
  /// Reading the prompt.
  public var prefillTime: Duration
  /// From the prompt's logits to the end.
  public var decodeTime: Duration
  /// Stands for the draws: the same seed and prompt give the same answer.
  public var seed: UInt64

  /// Tokens of the prompt read per second; 0 when there were none to read.
  public var prefillTokensPerSecond: Double {
    Self.rate(promptTokens - cachedTokens, prefillTime)
  }

  /// Tokens drawn per second; the first needs no pass of its own and does not count.
  public var decodeTokensPerSecond: Double { Self.rate(generatedTokens - 1, decodeTime) }

  private static func rate(_ count: Int, _ time: Duration) -> Double {
    let seconds = time / .seconds(1)
    return count > 0 && seconds > 0 ? Double(count) / seconds : 0
  }
}

extension GenerationSummary {
  /// The end of an answer that took no time.
  package init(reason: FinishReason, promptTokens: Int, generatedTokens: Int) {
    self.init(
      reason: reason, promptTokens: promptTokens, cachedTokens: 0, generatedTokens: generatedTokens,
      prefillTime: .zero, decodeTime: .zero, seed: 0)
  }
}
