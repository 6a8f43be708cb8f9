// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

/// How long an answer may be, and what ends it.
struct AnswerOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help:
      "Most tokens to generate (default: to the end of the turn; \(Self.continuation) for a continuation)."
  )
  var maxTokens: Int?

  @Option(help: "A text that ends the answer and is not part of it. May be repeated.")
  var stop: [String] = []

  @Option(
    parsing: .unconditional,
    help:
      "Tokens that prompt and answer may have together (default: the model's, at most \(Session.defaultContext))."
  )
  var context: Int?

  /// Tokens of a continuation where nobody says how many: a base model seldom comes to an end.
  static let continuation = 128

  func validate() throws {
    do { try GenerationOptions(maxTokens: maxTokens, stop: stop).validate() } catch {
      throw ValidationError(error.message)
    }
    if let context, context < 1 {
      throw ValidationError("The context is \(context) tokens; it must be 1 or more.")
    }
  }

  /// The options of an answer that is drawn as `sampling` says.
  func options(
    _ sampling: Sampling, continues: Bool, logProbabilities: Int? = nil
  ) -> GenerationOptions {
    GenerationOptions(
      sampling: sampling, maxTokens: maxTokens ?? (continues ? Self.continuation : nil),
      stop: stop, logProbabilities: logProbabilities)
  }
}
