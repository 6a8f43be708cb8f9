// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

/// Rows to tokens and flags.
struct RowEncoder {
  let tokenizer: Tokenizer
  let chatFormat: ChatFormat?
  let options: DatasetOptions

  /// A row's tokens, and which of them are trained.
  struct Encoded: Sendable, Hashable {
    var tokens: [Int32]
    var isTarget: [Bool]

    /// Marks everything but the first token.
    init(all tokens: [Int32]) {
      self.tokens = tokens
      isTarget = tokens.indices.map { $0 > 0 }
    }

    /// Marks what lies in `targets`, the first token aside.
    init(_ tokens: [Int32], targets: [Range<Int>]) {
      self.tokens = tokens
      isTarget = [Bool](repeating: false, count: tokens.count)
      for range in targets {
        for index in range.clamped(to: tokens.indices) where index > 0 { isTarget[index] = true }
      }
    }
  }

  func encode(_ row: TrainingRow, _ place: RowPlace) throws(TrainingError) -> Encoded {
    switch row {
    case .text(let text):
      let tokens = tokenizer.encode(text, parsing: options.controlTokens, bos: true)
      return Encoded(all: ended(tokens))
    case .conversation(let messages, let promptCount):
      return try conversation(messages, promptCount: promptCount, place)
    case .completion(let prompt, let completion):
      return try self.completion(prompt, completion, place)
    case .instruction(let instruction, let input, let output):
      let task = input.isEmpty ? instruction : instruction + "\n\n" + input
      return usesChat
        ? try completion(task, output, place)
        : try completion(Self.alpaca(instruction, input), output, place)
    }
  }

  private var usesChat: Bool {
    switch options.promptStyle {
    case .automatic: chatFormat != nil
    case .chat: true
    case .plain: false
    }
  }

  private func conversation(
    _ messages: [ChatMessage], promptCount: Int, _ place: RowPlace
  ) throws(TrainingError) -> Encoded {
    guard let chatFormat else {
      throw TrainingError(
        .invalidData,
        "\(place) is a conversation, and this model has no chat format: it was not taught to converse. "
          + "Name a format that its vocabulary has the tokens of (chat_format), or give rows of plain "
          + "text or of prompt and completion.")
    }
    do {
      let rendered = try chatFormat.renderConversation(messages, tokenizer: tokenizer)
      guard options.assistantOnly else { return Encoded(all: rendered.tokens) }
      let prompt = messages[..<promptCount]
      let known =
        prompt.contains { $0.role == .assistant }
        ? try chatFormat.renderConversation(Array(prompt), tokenizer: tokenizer).answers.count : 0
      return Encoded(rendered.tokens, targets: Array(rendered.answers.dropFirst(known)))
    } catch {
      guard error.code == .conversation else {
        throw TrainingError(.mismatchedModel, error.message)
      }
      throw place.invalid("is no conversation that the model could have. \(error.message)")
    }
  }

  private func completion(
    _ prompt: String, _ completion: String, _ place: RowPlace
  ) throws(TrainingError) -> Encoded {
    if usesChat {
      let messages = [ChatMessage(.user, prompt), ChatMessage(.assistant, completion)]
      return try conversation(messages, promptCount: 1, place)
    }
    let (tokens, start) = tokenizer.encode(
      prompt: prompt, completion: completion, parsing: options.controlTokens, bos: true)
    let all = ended(tokens)
    return options.assistantOnly ? Encoded(all, targets: [start..<all.count]) : Encoded(all: all)
  }

  /// The tokens with one end-of-sequence token behind them, where the model has one.
  private func ended(_ tokens: [TokenID]) -> [TokenID] {
    guard let eos = tokenizer.special.eos, tokens.last != eos else { return tokens }
    return tokens + [eos]
  }

  /// The prompt that Stanford's Alpaca was trained with.
  private static func alpaca(_ instruction: String, _ input: String) -> String {
    let task = "Below is an instruction that describes a task"
    let ask = "Write a response that appropriately completes the request."
    return input.isEmpty
      ? "\(task). \(ask)\n\n### Instruction:\n\(instruction)\n\n### Response:\n"
      : "\(task), paired with an input that provides further context. \(ask)\n\n"
        + "### Instruction:\n\(instruction)\n\n### Input:\n\(input)\n\n### Response:\n"
  }
}
