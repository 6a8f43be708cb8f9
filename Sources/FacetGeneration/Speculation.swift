// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

/// Guessing tokens ahead and reading several in one pass; the answer stays what it would be without.
///
/// A token is kept only as far as the model itself would have drawn it. With ``Source/lookup`` every
/// answer is the same token for token, drawn ones with the same seed included; with ``Source/draft(_:)``
/// greedy answers are, and drawn ones have the same distribution.
public struct Speculation: Sendable {
  /// Where guesses come from.
  public enum Source: Sendable {
    /// What followed the last tokens when they stood in the sequence before: costs nothing, and pays
    /// where an answer repeats its prompt.
    case lookup
    /// A smaller model of the same vocabulary.
    case draft(LanguageModel)
  }

  /// How many tokens are guessed at once.
  public enum Pace: Sendable, Hashable {
    /// As many as the guesses so far make worthwhile, none where they seldom come true.
    case adaptive
    /// Always as many as allowed, for measurements and tests.
    case always
  }

  /// Where guesses come from.
  public var source: Source
  /// Most tokens to guess at once.
  public var tokens: Int
  /// How many tokens are guessed at once.
  public var pace: Pace

  /// Guesses from `source`, at most `tokens` at once.
  public init(_ source: Source, tokens: Int = Self.mostTokens, pace: Pace = .adaptive) {
    self.source = source
    self.tokens = tokens
    self.pace = pace
  }

  /// Most tokens that can be guessed at once: with the one before them, as many as a pass reads with
  /// the arithmetic of one.
  ///
  /// A longer pass rounds otherwise, and could draw another token.
  public static var mostTokens: Int { CPUBackend.decodeTokens - 1 }

  /// Refuses what cannot be with a sentence.
  func validate(for model: LanguageModel) throws(GenerationError) {
    guard (1...Self.mostTokens).contains(tokens) else {
      throw GenerationError(
        .invalidOption,
        "\(tokens) tokens are to be guessed at once; it must be between 1 and \(Self.mostTokens).")
    }
    guard case .draft(let draft) = source else { return }
    let (ours, theirs) = (model.configuration.vocabulary, draft.configuration.vocabulary)
    guard ours == theirs else {
      throw mismatch(model, draft, "\(theirs) tokens instead of \(ours)")
    }
    for id in 0..<TokenID(ours) where model.tokenizer.piece(id) != draft.tokenizer.piece(id) {
      throw mismatch(
        model, draft,
        "token \(id) is '\(draft.tokenizer.piece(id) ?? "")' instead of "
          + "'\(model.tokenizer.piece(id) ?? "")'")
    }
  }

  private func mismatch(
    _ model: LanguageModel, _ draft: LanguageModel, _ what: String
  ) -> GenerationError {
    GenerationError(
      .mismatchedModel,
      "\(draft.card.name) cannot draft for \(model.card.name): its vocabulary is another one (\(what)). "
        + "Use a smaller model of the same family.")
  }
}

/// A token guessed ahead.
struct Proposal {
  var token: TokenID
  /// The distribution that it was drawn from, by ascending id; nil when it was not drawn.
  var distribution: [(token: TokenID, probability: Double)]?
}

/// What makes guesses for one session.
protocol Guesser: AnyObject {
  /// Reads the prompt of a new answer.
  func begin(_ prompt: [TokenID]) throws
  /// Notes the next token of the sequence.
  func append(_ token: TokenID)
  /// Guesses at most `most` tokens that follow.
  func guess(most: Int, _ answer: inout Answer) throws -> [Proposal]
  /// Learns that of `guessed` tokens `kept` were kept, in a pass that took `time`.
  func learn(guessed: Int, kept: Int, time: Duration)
}

extension Speculation {
  func makeGuesser(for model: LanguageModel, context: Int) throws -> any Guesser {
    try validate(for: model)
    switch source {
    case .lookup: return PromptLookup(most: tokens, pace)
    case .draft(let draft):
      return try DraftGuesser(draft, for: model, most: tokens, pace, context: context)
    }
  }
}
