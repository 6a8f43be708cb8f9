// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// A step of a conversation in which tools may be called.
public enum ChatEntry: Sendable, Hashable, Codable {
  /// Somebody spoke.
  case message(ChatMessage)
  /// The model called tools, after saying `text`.
  case calls([ToolCall], text: String = "")
  /// A tool answered.
  case result(ToolResult)
}

extension LanguageModel {
  /// A conversation in which `tools` may be called, with the model's turn begun at the end.
  ///
  /// The definitions go where the model was taught to look for them. Answer it with
  /// ``toolGuide(_:choice:count:answer:)``.
  public func prompt(_ entries: [ChatEntry], tools: [ToolDefinition] = []) throws -> Prompt {
    guard let chatFormat, let toolSyntax else { return try prompt(Self.messages(entries)) }
    for tool in tools { try tool.validate() }
    let tokens: [TokenID]
    switch toolSyntax {
    case .mistral:
      let parts = try MistralToolPrompt(entries, tools).parts()
      tokens = try chatFormat.tokens(of: parts, tokenizer)
    case .functionGemma:
      let parts = try FunctionGemmaPrompt(entries, tools).parts()
      tokens = try chatFormat.tokens(of: parts, tokenizer)
    case .gemma4:
      let parts = try Gemma4ToolPrompt(entries, tools).parts()
      tokens = try chatFormat.tokens(of: parts, tokenizer)
    case .lines, .hermes:
      let plain = try ToolPrompt(toolSyntax, tools).messages(entries)
      tokens = try chatFormat.render(plain, tokenizer: tokenizer)
    }
    return Prompt(tokens: tokens, chatFormat: chatFormat)
  }

  /// A guide of answers that may call `tools`, in the model's own way of writing calls.
  public func toolGuide(
    _ tools: [ToolDefinition], choice: ToolChoice = .auto, count: ToolCallCount = .several,
    answer: Guide? = nil
  ) -> ToolGuide {
    ToolGuide(
      tools, choice: choice, count: count, syntax: toolSyntax ?? .lines, answer: answer)
  }

  private static func messages(_ entries: [ChatEntry]) -> [ChatMessage] {
    entries.compactMap { if case .message(let message) = $0 { message } else { nil } }
  }
}
