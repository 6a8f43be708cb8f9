// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetModel

/// What can go wrong between a prompt and its answer: options out of range, a prompt that does not fit,
/// a model that cannot say what comes next.
public struct GenerationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// An option is out of its range, or needs something that this model lacks.
    case invalidOption
    /// The prompt and its answer do not fit the context.
    case contextFull
    /// The prompt or text has no tokens, or too few for what was asked.
    case emptyInput
    /// No token can be drawn: the logits are not numbers, or every token was ruled out.
    case noCandidate
    /// The model's parts do not belong together.
    case mismatchedModel
    /// Every machine resource asked for is in use or refused.
    case outOfMemory
    /// A file could not be written or read.
    case unreadable
    /// A guide is malformed, asks for what is not supported, or cannot be followed.
    case invalidGuide
    /// As many requests as an engine takes are waiting already: come back later.
    case queueFull
    /// The engine takes no requests any more.
    case shutDown
  }

  /// The kind of failure.
  public let code: Code
  /// What went wrong, where, and what to do: a sentence for a person.
  public let message: String

  /// Makes an error; `message` is shown to the user as it is.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The text for people.
  public var description: String { message }
}

extension GenerationError {
  /// A guide that cannot be followed.
  init(_ error: GuideError) { self.init(.invalidGuide, error.message) }

  /// A prompt of `count` tokens does not fit a context of `context`.
  static func contextFull(
    _ count: Int, _ context: Int, _ configuration: ModelConfiguration
  ) -> GenerationError {
    GenerationError(
      .contextFull,
      "The prompt has \(count) tokens and the context \(context). Shorten the prompt, or use a larger "
        + "context (this model takes up to \(configuration.contextLength)).")
  }

  /// `model` does not take a context of `context` tokens.
  static func wrongContext(_ context: Int, _ model: LanguageModel) -> GenerationError {
    GenerationError(
      .invalidOption,
      "A context of \(context) tokens is asked for; \(model.card.name) takes between 1 and "
        + "\(model.configuration.contextLength).")
  }

  /// A cache takes more than is there.
  static func noMemory(_ needed: Int, context: Int, _ available: Int) -> GenerationError {
    GenerationError(
      .outOfMemory,
      "The cache for a context of \(context) tokens takes \(ByteText(needed)), and "
        + "\(ByteText(available)) of memory are available. Use a smaller context.")
  }
}
