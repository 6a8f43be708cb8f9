// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A conversation as tokens, with the places of what the model itself is to say.
public struct RenderedConversation: Sendable, Hashable {
  /// The whole conversation, token for token what ``ChatFormat/render(_:tokenizer:addGenerationPrompt:)``
  /// gives without a generation prompt.
  public var tokens: [TokenID]
  /// For each turn of the assistant the tokens of its words and the one that ends the turn.
  ///
  /// They follow from the messages, not from a search in the text. A token that the header of a turn
  /// shares with its first word belongs to the answer.
  public var answers: [Range<Int>]

  /// Joins tokens and answers.
  public init(tokens: [TokenID], answers: [Range<Int>]) {
    self.tokens = tokens
    self.answers = answers
  }
}

extension ChatFormat {
  /// The tokens of a conversation for training: without a generation prompt, the assistant's turns
  /// marked.
  public func renderConversation(
    _ messages: [ChatMessage], tokenizer: Tokenizer
  ) throws(TokenizerError) -> RenderedConversation {
    try rendered(messages, tokenizer, false, marksAnswers: true)
  }

  func rendered(
    _ messages: [ChatMessage], _ tokenizer: Tokenizer, _ addGenerationPrompt: Bool,
    marksAnswers: Bool
  ) throws(TokenizerError) -> RenderedConversation {
    try encoded(try parts(messages, addGenerationPrompt), tokenizer, marksAnswers: marksAnswers)
  }

  /// The tokens of a conversation in pieces.
  package func tokens(
    of parts: [Part], _ tokenizer: Tokenizer
  ) throws(TokenizerError) -> [TokenID] {
    try encoded(parts, tokenizer, marksAnswers: false).tokens
  }

  private func encoded(
    _ parts: [Part], _ tokenizer: Tokenizer, marksAnswers: Bool
  ) throws(TokenizerError) -> RenderedConversation {
    var tokens: [TokenID] = []
    var answers: [Range<Int>] = []
    var answerStart: Int?
    func endAnswer() {
      answers.append((answerStart ?? tokens.count - 1)..<tokens.count)
      answerStart = nil
    }
    for part in parts {
      switch part {
      case .beginning:
        if let bos = try beginning(tokenizer) { tokens.append(bos) }
      case .ending:
        tokens.append(try token(tokenizer.special.eos, "end-of-sequence"))
        endAnswer()
      case .control(let name, let endsAnswer):
        let id = tokenizer.token(forPiece: name).flatMap { tokenizer.isControl($0) ? $0 : nil }
        tokens.append(try token(id, "'\(name)'"))
        if endsAnswer { endAnswer() }
      case .text(let text, let isSentence, let answerFrom):
        let start = tokens.count
        let bytes = Array(text.utf8)
        tokenizer.encode(
          bytes, .literal,
          dummyPrefix: isSentence ? tokenizer.storage.dummyPrefix : .none, into: &tokens)
        if marksAnswers, let answerFrom {
          answerStart = tokenizer.firstToken(of: bytes, from: answerFrom, in: tokens, after: start)
        }
      }
    }
    return RenderedConversation(tokens: tokens, answers: marksAnswers ? answers : [])
  }
}
