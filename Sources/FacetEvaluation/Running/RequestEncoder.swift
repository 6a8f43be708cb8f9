// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// Requests to tokens, as lm-eval's transformers backend makes them.
package struct RequestEncoder: Sendable {
  private let tokenizer: Tokenizer

  /// Encodes with `tokenizer`.
  package init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// What a text that has no context begins after.
  private func prefix() throws(EvaluationError) -> TokenID {
    guard let token = tokenizer.special.bos ?? tokenizer.special.eos else {
      throw EvaluationError(
        .invalidSetting, "The model has no token that begins a text; it cannot be scored.")
    }
    return token
  }

  private func encode(_ text: String) -> [TokenID] {
    tokenizer.encode(text, parsing: .recognized, bos: true)
  }

  /// The tokens of a context.
  package func context(_ text: String) -> [TokenID] { encode(text) }

  /// The tokens of requests; a context that several share is encoded once.
  ///
  /// Spaces at the end of a context belong to what follows, and what follows is what the tokens of both
  /// have beyond those of the context.
  package func scored(
    _ requests: [(context: String, continuation: String)]
  ) throws(EvaluationError) -> [ScoredText] {
    var contexts: [String: [TokenID]] = [:]
    var texts: [ScoredText] = []
    for (context, continuation) in requests {
      let tokens = contexts[context] ?? encode(PythonText.rightStrip(context))
      contexts[context] = tokens
      texts.append(try scored(context, tokens, continuation))
    }
    return texts
  }

  private func scored(
    _ context: String, _ contextTokens: [TokenID], _ continuation: String
  ) throws(EvaluationError) -> ScoredText {
    if context.isEmpty {
      var tokens = tokenizer.encode(continuation, parsing: .recognized, bos: false)
      let prefix = try prefix()
      if tokens.first != prefix { tokens.insert(prefix, at: 0) }
      return try checked(ScoredText(tokens: tokens, contextCount: 1), continuation)
    }
    let whole = encode(context + continuation)
    return try checked(
      ScoredText(
        tokens: contextTokens + whole.dropFirst(contextTokens.count),
        contextCount: contextTokens.count), continuation)
  }

  private func checked(
    _ text: ScoredText, _ continuation: String
  ) throws(EvaluationError) -> ScoredText {
    guard text.contextCount >= 1, text.tokens.count > text.contextCount else {
      throw EvaluationError(
        .invalidData, "The choice '\(continuation)' has no tokens of its own.")
    }
    return text
  }

  /// The windows in which a whole text is scored, each token once, with as much before it as fits.
  package func windows(_ text: String, contextLength: Int) throws(EvaluationError) -> [ScoredText] {
    let tokens = encode(text)
    let prefix = try prefix()
    let first = min(contextLength, tokens.count)
    guard first > 0 else { throw EvaluationError(.invalidData, "The text has no tokens.") }
    var windows = [ScoredText(tokens: [prefix] + tokens[..<first], contextCount: 1)]
    var done = first
    while done < tokens.count {
      let count = min(tokens.count - done, contextLength)
      let end = done + count
      windows.append(
        ScoredText(
          tokens: Array(tokens[(end - contextLength - 1)..<end]),
          contextCount: contextLength + 1 - count))
      done = end
    }
    return windows
  }
}
