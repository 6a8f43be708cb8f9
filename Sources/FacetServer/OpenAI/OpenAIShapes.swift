// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetTokenizer
import Foundation

/// Pieces that OpenAI's responses are made of.
enum OpenAIShapes {
  static func finishReason(_ reason: FinishReason, hasCalls: Bool = false) -> String {
    reason.isLength ? "length" : hasCalls ? "tool_calls" : "stop"
  }

  /// Tokens of one request.
  struct Usage: Sendable {
    var prompt = 0
    var cached = 0
    var completion = 0

    /// Adds an answer; the prompt of several answers counts once.
    mutating func add(_ summary: GenerationSummary, countsPrompt: Bool) {
      completion += summary.generatedTokens
      guard countsPrompt else { return }
      prompt += summary.promptTokens
      cached += summary.cachedTokens
    }

    var json: JSON {
      .record([
        "prompt_tokens": .integer(prompt), "completion_tokens": .integer(completion),
        "total_tokens": .integer(prompt + completion),
        "prompt_tokens_details": .record(["cached_tokens": .integer(cached)]),
      ])
    }
  }

  /// The log-probabilities of a chat completion, an entry for each token.
  static func content(_ tokens: [GeneratedToken], _ tokenizer: Tokenizer) -> JSON {
    .record([
      "content": .array(
        tokens.filter { !tokenizer.special.stop.contains($0.id) }.map { token in
          .object(
            entry(token.id, token.logProbability ?? 0, tokenizer).adding([
              "top_logprobs": alternatives(token, tokenizer)
            ]))
        }), "refusal": .null,
    ])
  }

  /// The likeliest tokens in the place of `token`.
  static func alternatives(_ token: GeneratedToken, _ tokenizer: Tokenizer) -> JSON {
    .array(
      token.alternatives.map { .object(entry($0.token, $0.logProbability, tokenizer)) })
  }

  /// A token and its log-probability.
  static func entry(
    _ token: TokenID, _ logProbability: Float, _ tokenizer: Tokenizer
  ) -> JSONObject {
    JSONObject().adding([
      "token": .string(tokenizer.text(of: token)), "logprob": number(logProbability),
      "bytes": .integers(tokenizer.bytes(of: token)),
    ])
  }

  /// A log-probability; that of a token which cannot come is very small, since JSON has no infinity.
  static func number(_ logProbability: Float) -> JSON {
    .number(logProbability.isFinite ? Double(logProbability) : -9999)
  }

  /// An identifier that is not used twice.
  static func id(_ prefix: String) -> String {
    prefix + UUID().uuidString.replacing("-", with: "").lowercased().prefix(24)
  }

  /// Seconds since 1970.
  static var now: JSON { .integer(Int(Date().timeIntervalSince1970)) }
}
