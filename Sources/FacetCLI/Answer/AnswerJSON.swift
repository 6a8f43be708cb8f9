// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation

/// The events of an answer as JSON, one object a line; `facet run --help` documents the keys.
enum AnswerJSON {
  private struct Prefill: Encodable {
    let event = "prefill"
    let done: Int
    let total: Int
  }

  private struct Token: Encodable {
    let event = "token"
    let id: TokenID
    let text: String
    let logprob: Float?
    let top_logprobs: [Alternative]?
  }

  private struct Alternative: Encodable {
    let id: TokenID
    let piece: String
    let logprob: Float
  }

  private struct Rest: Encodable {
    let event = "rest"
    let text: String
  }

  private struct Finished: Encodable {
    let event = "finished"
    let reason: String
    let stop: String?
    let prompt_tokens: Int
    let cached_tokens: Int
    let generated_tokens: Int
    let forced_tokens: Int
    let drafted_tokens: Int
    let accepted_tokens: Int
    let prefill_s: Double
    let decode_s: Double
    let prefill_tokens_per_s: Double
    let decode_tokens_per_s: Double
    let seed: UInt64
  }

  /// The line for `event`; log-probabilities are in it when they were `asked` for.
  static func line(
    _ event: GenerationEvent, tokenizer: Tokenizer, asked: Bool
  ) throws -> String {
    switch event {
    case .prefill(let done, let total): try JSONText.line(Prefill(done: done, total: total))
    case .token(let token):
      try JSONText.line(
        Token(
          id: token.id, text: token.text, logprob: token.logProbability,
          top_logprobs: asked
            ? token.alternatives.map {
              Alternative(
                id: $0.token, piece: tokenizer.piece($0.token) ?? "", logprob: $0.logProbability)
            } : nil))
    case .rest(let text): try JSONText.line(Rest(text: text))
    case .finished(let summary): try JSONText.line(finished(summary))
    }
  }

  private static func finished(_ summary: GenerationSummary) -> Finished {
    var stop: String?
    if case .stopText(let text) = summary.reason { stop = text }
    return Finished(
      reason: summary.reason.key, stop: stop, prompt_tokens: summary.promptTokens,
      cached_tokens: summary.cachedTokens, generated_tokens: summary.generatedTokens,
      forced_tokens: summary.forcedTokens,
      drafted_tokens: summary.draftedTokens, accepted_tokens: summary.acceptedTokens,
      prefill_s: summary.prefillTime / .seconds(1), decode_s: summary.decodeTime / .seconds(1),
      prefill_tokens_per_s: summary.prefillTokensPerSecond,
      decode_tokens_per_s: summary.decodeTokensPerSecond, seed: summary.seed)
  }
}

extension FinishReason {
  /// The reason in JSON.
  var key: String {
    switch self {
    case .endOfTurn: "end_of_turn"
    case .guideComplete: "guide_complete"
    case .stopText: "stop_text"
    case .maxTokens: "max_tokens"
    case .contextFull: "context_full"
    case .cancelled: "cancelled"
    }
  }
}
