// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What can go wrong when a vocabulary is read or trained or a conversation is rendered.
public struct TokenizerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// The vocabulary's bytes are not what their format promises.
    case malformed
    /// The vocabulary is well formed but asks for something that is not supported.
    case unsupported
    /// A token that is needed does not exist in the vocabulary.
    case missingToken
    /// The conversation cannot be written in the chat format.
    case conversation
    /// No vocabulary can be trained on this text or with these options.
    case training
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

  /// The message.
  public var description: String { message }
}
