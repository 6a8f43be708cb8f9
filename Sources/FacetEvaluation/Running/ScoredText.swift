// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// Tokens of which the last are asked for: a context and what may follow it.
package struct ScoredText: Sendable, Hashable {
  /// All tokens, context first.
  package var tokens: [TokenID]
  /// How many of them are context; at least one.
  package var contextCount: Int

  /// Tokens of which the first `contextCount` are context.
  package init(tokens: [TokenID], contextCount: Int) {
    self.tokens = tokens
    self.contextCount = contextCount
  }

  /// What the model reads: all but the last token, which nothing follows.
  var read: ArraySlice<TokenID> { tokens.dropLast() }

  /// Whether the row of token `place` predicts one that is asked for.
  func isAsked(after place: Int) -> Bool {
    place >= contextCount - 1 && place + 1 < tokens.count
  }

  /// Leaves out what stands too far back, as lm-eval does; true when something was.
  package mutating func truncate(to contextLength: Int) -> Bool {
    let surplus = tokens.count - contextLength - 1
    guard surplus > 0 else { return false }
    tokens.removeFirst(surplus)
    contextCount = max(1, contextCount - surplus)
    return true
  }
}

/// Several continuations that are scored together: what they begin with is read once.
package struct ScoredGroup: Sendable {
  /// The texts.
  package var texts: [ScoredText]
  /// How many tokens they share.
  package let sharedCount: Int

  /// Texts of one document, at least one.
  package init(_ texts: [ScoredText]) {
    self.texts = texts
    let first = texts.first?.read ?? []
    sharedCount = texts.dropFirst().reduce(first.count) { count, text in
      min(count, zip(first, text.read).prefix { $0 == $1 }.count)
    }
  }

  /// The shared tokens.
  package var shared: ArraySlice<TokenID> { texts.first?.tokens[..<sharedCount] ?? [] }

  /// Tokens of the longest.
  package var longest: Int { texts.reduce(0) { max($0, $1.tokens.count) } }
}
