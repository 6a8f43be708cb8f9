// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
public import FacetTokenizer

/// How likely a model finds a text, token by token.
public struct TextScore: Sendable, Hashable, Codable {
  /// The tokens in order; those before the first that is scored have no log-probability.
  public var tokens: [GeneratedToken]

  /// Joins scored tokens.
  public init(tokens: [GeneratedToken]) { self.tokens = tokens }

  /// The log-probability of the text: the sum of its tokens', in nats.
  public var logProbability: Double {
    tokens.reduce(0) { $0 + Double($1.logProbability ?? 0) }
  }

  /// Tokens that have a log-probability.
  public var scoredCount: Int { tokens.count { $0.logProbability != nil } }
}

extension LanguageModel {
  /// How likely the model finds `text` after its beginning-of-sequence token; with `alternatives`, also
  /// this many of the likeliest tokens in the place of each.
  ///
  /// Nothing stands before the first token, so it has no score: beginning of sequence, or the first
  /// word for a model without one.
  public func score(_ text: String, alternatives: Int = 0) throws -> TextScore {
    try score(tokenizer.encode(text, bos: true), alternatives: alternatives)
  }

  /// The same for `continuation` after `context`, which is not scored.
  public func score(
    _ continuation: String, after context: String, alternatives: Int = 0
  ) throws -> TextScore {
    // Encoded together: the words at the seam are those that the model would read.
    let tokens = tokenizer.encode(context + continuation, bos: true)
    let first = zip(tokens, tokenizer.encode(context, bos: true)).prefix { $0 == $1 }.count
    return try score(tokens, from: first, alternatives: alternatives)
  }

  /// The scores of `tokens` [T] from place `first` on.
  ///
  /// Chunk by chunk; cancelling the task ends it at the next.
  public func score(
    _ tokens: [TokenID], from first: Int = 1, alternatives: Int = 0
  ) throws -> TextScore {
    try checkScored(tokens, first, alternatives)
    var result = described(tokens)
    var session = try Session(self, context: tokens.count)
    var sampler = try Sampler(Sampling.greedy)
    let first = max(1, first)
    var start = 0
    while start < tokens.count - 1 {
      try Task.checkCancellation()
      // Once rows are scored, no more of them than fit the logits of a pass.
      let end = min(
        tokens.count - 1, start + Session.chunk, max(start, first - 1) + rowsAtOnce)
      let rows = max(start, first - 1)..<max(end, first - 1)
      let logits = try session.forward(
        Array(tokens[start..<end]), logits: .rows(rows.map { $0 - start }))
      for (index, row) in rows.enumerated() {
        logits.rows(index..<index + 1).withFloats { logits in
          let found = sampler.logProbabilities(of: tokens[row + 1], top: alternatives, in: logits)
          result.tokens[row + 1].logProbability = found.chosen
          result.tokens[row + 1].alternatives = found.top
        }
      }
      start = end
    }
    return result
  }

  private func checkScored(
    _ tokens: [TokenID], _ first: Int, _ alternatives: Int
  ) throws(GenerationError) {
    guard tokens.count > 1, first < tokens.count else {
      throw GenerationError(
        .emptyInput,
        "The text has \(tokens.count) tokens, none of which can be scored. Give a longer one.")
    }
    guard tokens.count <= configuration.contextLength else {
      throw GenerationError(
        .contextFull,
        "The text has \(tokens.count) tokens and \(card.name) takes \(configuration.contextLength). "
          + "Shorten it.")
    }
    var options = GenerationOptions()
    options.logProbabilities = alternatives
    try options.validate()
    if let wrong = tokens.first(where: { $0 < 0 || Int($0) >= configuration.vocabulary }) {
      throw GenerationError(
        .invalidOption,
        "Token \(wrong) is not in the vocabulary of \(card.name), which has "
          + "\(configuration.vocabulary).")
    }
  }

  /// `tokens` with their texts, each what it adds to those before.
  private func described(_ tokens: [TokenID]) -> TextScore {
    var detokenizer = StreamingDetokenizer(tokenizer, from: .text)
    var result: [GeneratedToken] = []
    for token in tokens {
      result.append(
        GeneratedToken(
          id: token, text: detokenizer.append(token), logProbability: nil, alternatives: []))
    }
    result[result.count - 1].text += detokenizer.finish()
    return TextScore(tokens: result)
  }
}
