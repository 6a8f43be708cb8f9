// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// What a model is asked to go on with: tokens, and whether they are a conversation.
public struct Prompt: Sendable, Hashable {
  /// The tokens, beginning of sequence included.
  public var tokens: [TokenID]
  /// The format of the conversation; nil: a text.
  public var chatFormat: ChatFormat?

  /// Tokens to go on with.
  public init(tokens: [TokenID], chatFormat: ChatFormat? = nil) {
    self.tokens = tokens
    self.chatFormat = chatFormat
  }
}

extension LanguageModel {
  /// A text to go on with, after the model's beginning-of-sequence token.
  public func prompt(_ text: String) -> Prompt {
    Prompt(tokens: tokenizer.encode(text, bos: true))
  }

  /// A conversation, with the model's turn begun at the end.
  public func prompt(_ messages: [ChatMessage]) throws -> Prompt {
    guard let chatFormat else {
      throw GenerationError(
        .invalidOption,
        "\(card.name) is a base model: it continues texts and knows no conversation. Give it a text "
          + "to go on with, or use an instruction-tuned model.")
    }
    return Prompt(
      tokens: try chatFormat.render(messages, tokenizer: tokenizer), chatFormat: chatFormat)
  }
}
