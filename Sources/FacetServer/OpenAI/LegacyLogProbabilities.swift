// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetTokenizer

/// `logprobs` of a text completion: four lists, an entry for each token.
///
/// Evaluation harnesses compare a token's log-probability with the greatest of its alternatives for
/// equality, so both are the same number; of alternatives with the same text the likelier one stays.
struct LegacyLogProbabilities: Sendable {
  private let tokenizer: Tokenizer
  private var offsets: TokenOffsets
  private var tokens: [JSON] = []
  private var logProbabilities: [JSON] = []
  private var top: [JSON] = []
  private var places: [JSON] = []

  /// Lists of what follows `start` scalars of text.
  init(_ tokenizer: Tokenizer, after start: Int) {
    self.tokenizer = tokenizer
    offsets = TokenOffsets(tokenizer, after: start)
  }

  mutating func add(_ token: ScoredToken) {
    add(token.id, token.logProbability, token.alternatives)
  }

  mutating func add(_ token: GeneratedToken) {
    add(token.id, token.logProbability, token.alternatives)
  }

  private mutating func add(
    _ id: TokenID, _ logProbability: Float?, _ alternatives: [TokenLogProbability]
  ) {
    let text = tokenizer.text(of: id)
    tokens.append(.string(text))
    places.append(.integer(offsets.next(id)))
    guard let logProbability else {
      logProbabilities.append(.null)
      top.append(.null)
      return
    }
    logProbabilities.append(OpenAIShapes.number(logProbability))
    var best: [String: Float] = [text: logProbability]
    var order = [text]
    for alternative in alternatives {
      let other = tokenizer.text(of: alternative.token)
      if let known = best[other] {
        best[other] = max(known, alternative.logProbability)
      } else {
        order.append(other)
        best[other] = alternative.logProbability
      }
    }
    var entry = JSONObject()
    for text in order { _ = entry.append(text, OpenAIShapes.number(best[text] ?? 0)) }
    top.append(.object(entry))
  }

  /// All four lists.
  var json: JSON {
    .record([
      "tokens": .array(tokens), "token_logprobs": .array(logProbabilities),
      "top_logprobs": .array(top), "text_offset": .array(places),
    ])
  }

  /// The lists so far, which then begin anew: a stream sends each token once.
  mutating func takeLast() -> JSON {
    defer {
      tokens = []
      logProbabilities = []
      top = []
      places = []
    }
    return json
  }
}
