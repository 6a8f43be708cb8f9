// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ChatFormat {
  /// A piece of a rendered conversation.
  package enum Part: Equatable {
    /// The beginning-of-sequence token.
    case beginning
    /// The end-of-sequence token, which ends a turn of the assistant.
    case ending
    /// A control token; it may end a turn of the assistant.
    case control(String, endsAnswer: Bool = false)
    /// Text; a sentence gets the space that the tokenizer puts before a text.
    ///
    /// From byte `answerFrom` to its end it is what the assistant says.
    case text(String, isSentence: Bool, answerFrom: Int? = nil)
  }

  /// The conversation in pieces.
  func parts(_ messages: [ChatMessage], _ addGenerationPrompt: Bool) throws(TokenizerError)
    -> [Part]
  {
    switch self {
    case .gemma: try gemmaParts(messages, addGenerationPrompt)
    case .gemma4: try gemma4Parts(messages, addGenerationPrompt)
    case .llama2: try llama2Parts(messages)
    case .mistral: try mistralParts(messages)
    case .mistralV3: try mistralV3Parts(messages)
    case .chatML, .smolLM2: try chatMLParts(messages, addGenerationPrompt)
    }
  }

  private func gemmaParts(_ messages: [ChatMessage], _ addGenerationPrompt: Bool)
    throws(TokenizerError) -> [Part]
  {
    let conversation = try turns(messages)
    var parts: [Part] = [.beginning]
    for (index, turn) in conversation.turns.enumerated() {
      // Gemma has no system role; its instructions open the first turn.
      let prefix = index == 0 ? conversation.system.map { $0 + "\n\n" } ?? "" : ""
      let isAnswer = turn.role == .assistant
      let header = (isAnswer ? "model" : "user") + "\n" + prefix
      parts += [
        .control("<start_of_turn>"),
        .text(
          header + Self.trim(turn.content), isSentence: false,
          answerFrom: isAnswer ? header.utf8.count : nil),
        .control("<end_of_turn>", endsAnswer: isAnswer), .text("\n", isSentence: false),
      ]
    }
    if addGenerationPrompt {
      parts += [.control("<start_of_turn>"), .text("model\n", isSentence: false)]
    }
    return parts
  }

  private func gemma4Parts(_ messages: [ChatMessage], _ addGenerationPrompt: Bool)
    throws(TokenizerError) -> [Part]
  {
    let conversation = try turns(messages)
    var parts: [Part] = [.beginning]
    if let system = conversation.system {
      parts += Self.gemma4Turn("system", Self.trim(system), isAnswer: false)
    }
    for turn in conversation.turns {
      let isAnswer = turn.role == .assistant
      let content = isAnswer ? Self.withoutThoughts(turn.content) : Self.trim(turn.content)
      parts += Self.gemma4Turn(isAnswer ? "model" : "user", content, isAnswer: isAnswer)
    }
    return addGenerationPrompt ? parts + Self.gemma4Answer : parts
  }

  private static func gemma4Turn(_ role: String, _ content: String, isAnswer: Bool) -> [Part] {
    let header = role + "\n"
    return [
      .control("<|turn>"),
      .text(
        header + content, isSentence: false, answerFrom: isAnswer ? header.utf8.count : nil),
      .control("<turn|>", endsAnswer: isAnswer), .text("\n", isSentence: false),
    ]
  }

  /// The model's turn, begun with a thought that is over at once.
  private static let gemma4Answer: [Part] =
    [
      .control("<|turn>"), .text("model\n", isSentence: false),
    ] + gemma4Silence

  /// A thought that is over at once.
  package static let gemma4Silence: [Part] = [
    .control("<|channel>"), .text("thought\n", isSentence: false), .control("<channel|>"),
  ]

  /// What a model said without what it thought, should that stand in its text.
  package static func withoutThoughts(_ text: String) -> String {
    var said = String.UnicodeScalarView()
    let ends = Array("<channel|>".unicodeScalars)
    let starts = Array("<|channel>".unicodeScalars)
    for part in text.unicodeScalars.split(separator: ends, omittingEmptySubsequences: false) {
      said += part.split(separator: starts, maxSplits: 1, omittingEmptySubsequences: false)[0]
    }
    return trim(String(said))
  }

  private func llama2Parts(_ messages: [ChatMessage]) throws(TokenizerError) -> [Part] {
    let conversation = try turns(messages)
    var parts: [Part] = []
    var text = ""
    for (index, turn) in conversation.turns.enumerated() {
      if turn.role == .user {
        let system =
          index == 0 ? conversation.system.map { "<<SYS>>\n\($0)\n<</SYS>>\n\n" } ?? "" : ""
        parts.append(.beginning)
        text = "[INST] " + Self.trim(system + turn.content) + " [/INST]"
      } else {
        // The space before the answer is part of its first token, so it is the model's to say.
        parts += [
          .text(
            text + " " + Self.trim(turn.content) + " ", isSentence: true,
            answerFrom: text.utf8.count), .ending,
        ]
        text = ""
      }
    }
    if !text.isEmpty { parts.append(.text(text, isSentence: true)) }
    return parts
  }

  private func mistralParts(_ messages: [ChatMessage]) throws(TokenizerError) -> [Part] {
    let conversation = try turns(messages)
    var parts: [Part] = [.beginning]
    var text = ""
    for (index, turn) in conversation.turns.enumerated() {
      if turn.role == .user {
        let prefix = index == 0 ? Self.mistralPrefix(conversation.system) : ""
        text = "[INST] " + prefix + turn.content + " [/INST]"
      } else {
        parts += [
          .text(text + " " + turn.content, isSentence: true, answerFrom: text.utf8.count), .ending,
        ]
        text = ""
      }
    }
    if !text.isEmpty { parts.append(.text(text, isSentence: true)) }
    return parts
  }

  private func mistralV3Parts(_ messages: [ChatMessage]) throws(TokenizerError) -> [Part] {
    let conversation = try turns(messages)
    var parts: [Part] = [.beginning]
    let last = conversation.turns.lastIndex { $0.role == .user }
    for (index, turn) in conversation.turns.enumerated() {
      if turn.role == .user {
        // From v0.3 on, instructions stand with the question that is to be answered.
        let prefix = index == last ? Self.mistralPrefix(conversation.system) : ""
        parts.append(.control("[INST]"))
        parts += Self.mistralText(prefix + turn.content) + [.control("[/INST]")]
      } else {
        // Mistral's own encoder takes spaces, and only spaces, from the end of an answer.
        let spaces = turn.content.utf8.reversed().prefix { $0 == 0x20 }.count
        let answer = String(decoding: turn.content.utf8.dropLast(spaces), as: UTF8.self)
        parts += Self.mistralText(answer, answerFrom: 0) + [.ending]
      }
    }
    return parts
  }

  /// A text after a control token has the dummy prefix, unless it is empty.
  private static func mistralText(_ text: String, answerFrom: Int? = nil) -> [Part] {
    text.isEmpty ? [] : [.text(" " + text, isSentence: false, answerFrom: answerFrom)]
  }

  /// What instructions put before the user's words; empty ones are none to Mistral's own encoder.
  private static func mistralPrefix(_ system: String?) -> String {
    guard let system, !system.isEmpty else { return "" }
    return system + "\n\n"
  }

  private func chatMLParts(_ messages: [ChatMessage], _ addGenerationPrompt: Bool)
    throws(TokenizerError) -> [Part]
  {
    guard !messages.isEmpty else { throw Self.noMessages }
    var messages = messages
    if self == .smolLM2 && messages[0].role != .system {
      messages.insert(ChatMessage(.system, Self.smolLM2System), at: 0)
    }
    var parts: [Part] = [.beginning]
    for message in messages {
      let isAnswer = message.role == .assistant
      let header = message.role.rawValue + "\n"
      parts += [
        .control("<|im_start|>"),
        .text(
          header + message.content, isSentence: false,
          answerFrom: isAnswer ? header.utf8.count : nil),
        .control("<|im_end|>", endsAnswer: isAnswer), .text("\n", isSentence: false),
      ]
    }
    if addGenerationPrompt {
      parts += [.control("<|im_start|>"), .text("assistant\n", isSentence: false)]
    }
    return parts
  }

  /// What SmolLM2's own template says when nobody else gives instructions.
  static let smolLM2System =
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face"

  private static let noMessages = TokenizerError(
    .conversation, "The conversation has no messages; give at least one.")

  /// The instructions at the front, and turns that alternate and begin with the user's.
  private func turns(_ messages: [ChatMessage]) throws(TokenizerError)
    -> (system: String?, turns: [ChatMessage])
  {
    let instructions = messages.prefix { $0.role == .system }
    var turns: [ChatMessage] = []
    for message in messages.dropFirst(instructions.count) {
      // Instructions later on are the user's words to these models.
      let role = message.role == .system ? .user : message.role
      if let last = turns.last, last.role == role {
        turns[turns.count - 1].content += "\n\n" + message.content
      } else {
        turns.append(ChatMessage(role, message.content))
      }
    }
    let system = instructions.map(\.content).joined(separator: "\n\n")
    if turns.isEmpty {
      guard !instructions.isEmpty else { throw Self.noMessages }
      return (nil, [ChatMessage(.user, system)])
    }
    guard turns[0].role == .user else {
      throw TokenizerError(
        .conversation,
        "The conversation begins with a message of the assistant; the chat format '\(rawValue)' begins "
          + "with the user's.")
    }
    return (instructions.isEmpty ? nil : system, turns)
  }

  /// `text` without white space at its ends, as Python's `strip` and Jinja's `trim` have it.
  package static func trim(_ text: String) -> String {
    // Python also strips the four information separators, which Unicode does not call white space.
    let isSpace = { (scalar: Unicode.Scalar) in
      scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isSpace($0) }),
      let last = scalars.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(scalars[first...last])
  }
}
