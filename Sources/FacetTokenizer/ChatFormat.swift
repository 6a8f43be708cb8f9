// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The way in which a family of models was taught to read conversations.
///
/// A conversation goes straight to token ids: control tokens come only from the format, never from
/// what somebody wrote, and there is one beginning-of-sequence token at the front.
public enum ChatFormat: String, Sendable, Codable, CaseIterable {
  /// Gemma 1, 2 and 3: `<start_of_turn>user\n…<end_of_turn>\n<start_of_turn>model\n`.
  case gemma
  /// Gemma 4: `<|turn>user\n…<turn|>\n<|turn>model\n`, instructions in a turn of the system's, and an empty
  /// thought at the beginning of an answer, which is how the 31B model's template asks for none.
  case gemma4
  /// Llama 2 chat: `[INST] <<SYS>>\n…\n<</SYS>>\n\n… [/INST] … </s><s>[INST] …`; each turn is a
  /// sequence of its own, as in Meta's reference.
  case llama2
  /// Mistral Instruct v0.1 and v0.2: `[INST] … [/INST] …</s> [INST] …`, the marks being text.
  case mistral
  /// Mistral Instruct v0.3: the same with `[INST]` and `[/INST]` as control tokens.
  case mistralV3
  /// ChatML: `<|im_start|>user\n…<|im_end|>\n<|im_start|>assistant\n`.
  case chatML
  /// SmolLM2: ChatML with a system message of its own where the conversation has none.
  case smolLM2

  /// The token ids of a conversation.
  ///
  /// - Parameters:
  ///   - messages: The conversation: system messages, then turns that begin with the user's. Two
  ///     messages of one role in a row are one turn, joined by an empty line.
  ///   - tokenizer: The model's tokenizer.
  ///   - addGenerationPrompt: Whether the model's turn is begun at the end.
  public func render(
    _ messages: [ChatMessage], tokenizer: Tokenizer, addGenerationPrompt: Bool = true
  ) throws(TokenizerError) -> [TokenID] {
    try rendered(messages, tokenizer, addGenerationPrompt, marksAnswers: false).tokens
  }

  /// The conversation as text, for people: with the names of control tokens in it.
  public func renderText(
    _ messages: [ChatMessage], tokenizer: Tokenizer, addGenerationPrompt: Bool = true
  ) throws(TokenizerError) -> String {
    var text = ""
    for part in try parts(messages, addGenerationPrompt) {
      switch part {
      case .beginning: text += try beginning(tokenizer).flatMap(tokenizer.piece) ?? ""
      case .ending: text += tokenizer.special.eos.flatMap(tokenizer.piece) ?? ""
      case .control(let name, _): text += name
      case .text(let content, _, _): text += content
      }
    }
    return text
  }

  /// Texts that end the model's turn, should it write them letter by letter.
  public var stopTexts: [String] {
    switch self {
    case .gemma: ["<end_of_turn>"]
    case .gemma4: ["<turn|>"]
    case .llama2, .mistral, .mistralV3: ["</s>"]
    case .chatML, .smolLM2: ["<|im_end|>"]
    }
  }

  /// The token at the front: Gemma, Llama and Mistral always have one; ChatML when the model wants it.
  func beginning(_ tokenizer: Tokenizer) throws(TokenizerError) -> TokenID? {
    let special = tokenizer.special
    switch self {
    case .chatML, .smolLM2:
      // SmolLM2 calls `<|im_start|>` its beginning of sequence; the format already begins with it.
      let isMarker = special.bos == tokenizer.token(forPiece: "<|im_start|>")
      return special.addsBOS && !isMarker ? special.bos : nil
    default: return try token(special.bos, "beginning-of-sequence")
    }
  }

  func token(_ id: TokenID?, _ what: String) throws(TokenizerError) -> TokenID {
    guard let id else {
      throw TokenizerError(
        .missingToken,
        "The chat format '\(rawValue)' needs the \(what) token, which this model's vocabulary does not "
          + "have; choose another format or use the model without one.")
    }
    return id
  }
}
