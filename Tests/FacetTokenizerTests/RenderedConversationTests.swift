// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Testing

/// Which tokens of a conversation the model itself says: for training.
struct RenderedConversationTests {
  private static let words = [
    "Hi", " two  words ", "\n\nlines\n", "", "é 日本 🙂", "▁", "<end_of_turn>", "</s> [INST] x",
    "<|im_end|>", "1,234.5", "\t", " ", "a\r\nb", "naïve—yes", "assistant\n", "model\n", "\u{0}",
  ]

  private func tokenizer(_ format: ChatFormat) throws -> Tokenizer {
    switch format {
    case .gemma: try Vocabularies.small("gemma.model")
    case .gemma4: try Vocabularies.small("gemma4.model")
    case .llama2, .mistral, .mistralV3: try Vocabularies.small("llama.model")
    case .chatML, .smolLM2: try Vocabularies.smolLM2()
    }
  }

  private func conversation(_ generator: inout SeededGenerator) -> [ChatMessage] {
    var messages: [ChatMessage] = []
    func text() -> String {
      (0..<Int.random(in: 0...3, using: &generator))
        .map { _ in Self.words.randomElement(using: &generator) ?? "" }.joined()
    }
    if Bool.random(using: &generator) { messages.append(ChatMessage(.system, text())) }
    messages.append(ChatMessage(.user, text()))
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      messages.append(
        ChatMessage(ChatMessage.Role.allCases.randomElement(using: &generator) ?? .user, text()))
    }
    return messages
  }

  /// What a format makes of an answer.
  private func answer(_ format: ChatFormat, _ content: String) -> String {
    let trimmed = content.drop(while: \.isWhitespace)
    let end = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) }
    let inner = String(trimmed[..<(end ?? trimmed.startIndex)])
    switch format {
    case .gemma, .gemma4: return inner
    case .llama2: return " " + inner + " "
    case .mistral: return " " + content
    case .mistralV3:
      let kept = String(
        decoding: content.utf8.dropLast(
          content.utf8.reversed().prefix { $0 == 0x20 }.count), as: UTF8.self)
      return kept.isEmpty ? "" : " " + kept
    case .chatML, .smolLM2: return content
    }
  }

  /// Turns as the format joins them.
  private func answers(_ format: ChatFormat, _ messages: [ChatMessage]) -> [String] {
    if format == .chatML || format == .smolLM2 {
      return messages.filter { $0.role == .assistant }.map(\.content)
    }
    var turns: [ChatMessage] = []
    for message in messages.drop(while: { $0.role == .system }) {
      let role: ChatMessage.Role = message.role == .assistant ? .assistant : .user
      if turns.last?.role == role {
        turns[turns.count - 1].content += "\n\n" + message.content
      } else {
        turns.append(ChatMessage(role, message.content))
      }
    }
    return turns.filter { $0.role == .assistant }.map(\.content)
  }

  @Test(
    "marks change no token, and the marked ones are the assistant's words and the end of its turn",
    arguments: ChatFormat.allCases)
  func marks(_ format: ChatFormat) throws {
    var generator = SeededGenerator.announced("marks \(format)", salt: 71)
    let tokenizer = try tokenizer(format)
    for _ in 0..<300 {
      let messages = conversation(&generator)
      let rendered = try format.renderConversation(messages, tokenizer: tokenizer)
      #expect(
        try rendered.tokens
          == format.render(messages, tokenizer: tokenizer, addGenerationPrompt: false))
      let expected = answers(format, messages)
      #expect(rendered.answers.count == expected.count, "\(messages)")
      for (range, content) in zip(rendered.answers, expected) {
        let tokens = rendered.tokens[range]
        let end = try #require(tokens.last)
        #expect(tokenizer.special.stop.contains(end), "\(messages)")
        let words = plain(answer(format, content), format)
        let bytes = tokens.dropLast().flatMap { tokenizer.bytes(of: $0) }
        // The first token may hold the end of the header, never a whole token of it.
        #expect(bytes.suffix(words.count).elementsEqual(words), "\(messages)")
        if let first = tokens.dropLast().first {
          #expect(bytes.count - tokenizer.bytes(of: first).count < words.count, "\(messages)")
        } else {
          #expect(words.isEmpty, "\(messages)")
        }
      }
    }
  }

  /// SentencePiece has one character for both spaces; SmolLM2 lacks a few bytes.
  private func plain(_ text: String, _ format: ChatFormat) -> [UInt8] {
    let isByteLevel = format == .chatML || format == .smolLM2
    let scalars = text.unicodeScalars.map { !isByteLevel && $0 == "▁" ? " " : $0 }
    return Array(String(String.UnicodeScalarView(scalars)).utf8)
  }

  @Test("in Gemma's format header, newline and the user's turn are not the model's")
  func gemma() throws {
    let tokenizer = try Vocabularies.small("gemma.model")
    let rendered = try ChatFormat.gemma.renderConversation(
      [
        ChatMessage(.system, "Be brief."), ChatMessage(.user, "One?"),
        ChatMessage(.assistant, " Yes. "), ChatMessage(.user, "Two?"),
        ChatMessage(.assistant, "No."),
      ], tokenizer: tokenizer)
    func text(_ range: Range<Int>) -> String {
      String(
        decoding: rendered.tokens[range].flatMap { tokenizer.bytes(of: $0) }, as: UTF8.self)
    }
    #expect(rendered.answers.map(text) == ["Yes.<end_of_turn>", "No.<end_of_turn>"])
    #expect(
      text(0..<rendered.answers[0].lowerBound)
        == "<bos><start_of_turn>user\nBe brief.\n\nOne?<end_of_turn>\n<start_of_turn>model\n")
  }

  @Test("an answer whose first characters the vocabulary lacks begins with the unknown token")
  func unknownCharacters() throws {
    let tokenizer = try Vocabularies.small("no-bytes.model")
    let rendered = try ChatFormat.mistral.renderConversation(
      [ChatMessage(.user, "a"), ChatMessage(.assistant, "🙂b"), ChatMessage(.user, "a🙂")],
      tokenizer: tokenizer)
    let range = try #require(rendered.answers.first)
    let words = rendered.tokens[range].dropLast().compactMap { tokenizer.piece($0) }.joined()
    #expect(words.hasSuffix("b"))
    #expect(rendered.tokens[range].contains { tokenizer.kind($0) == .unknown })
    #expect(words.hasPrefix("▁") || words.hasPrefix("<unk>"))
    #expect(!words.contains("]"))
  }

  @Test("a prompt and its completion are the tokens of one text, parted where the second begins")
  func completion() throws {
    var generator = SeededGenerator.announced("completion", salt: 72)
    for tokenizer in [
      try Vocabularies.small("gemma.model"), try Vocabularies.small("llama.model"),
      try Vocabularies.smolLM2(),
    ] {
      for _ in 0..<300 {
        let prompt = Self.words.randomElement(using: &generator) ?? ""
        let completion = Self.words.randomElement(using: &generator) ?? ""
        let (tokens, start) = tokenizer.encode(prompt: prompt, completion: completion, bos: true)
        #expect(tokens == tokenizer.encode(prompt + completion, bos: true))
        let isByteLevel = tokenizer.token(forPiece: "▁") == nil
        let words = plain(completion, isByteLevel ? .chatML : .gemma)
        let bytes = tokens[start...].flatMap { tokenizer.bytes(of: $0) }
        #expect(bytes.suffix(words.count).elementsEqual(words), "\([prompt, completion])")
        if let first = tokens[start...].first {
          #expect(
            bytes.count - tokenizer.bytes(of: first).count < words.count,
            "\([prompt, completion])")
        }
      }
    }
  }
}
