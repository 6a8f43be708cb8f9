// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGuides
import FacetTokenizer

extension LanguageModel {
  /// How the model writes calls of tools; nil for a base model.
  public var toolSyntax: ToolSyntax? { chatFormat.map { ToolSyntax($0, tokenizer) } }

  /// A conversation in which `tools` may be called, with the model's turn begun at the end.
  ///
  /// The definitions go where the model was taught to look for them. Answer it with
  /// ``toolGuide(_:choice:count:answer:)``.
  public func prompt(_ entries: [ChatEntry], tools: [ToolDefinition] = []) throws -> Prompt {
    guard let chatFormat, let toolSyntax else { return try prompt(Self.messages(entries)) }
    do {
      for tool in tools { try tool.validate() }
      let tokens = try tokens(entries, tools, toolSyntax, chatFormat)
      return Prompt(tokens: tokens, chatFormat: chatFormat)
    } catch let error as GuideError {
      throw GenerationError(error)
    }
  }

  private func tokens(
    _ entries: [ChatEntry], _ tools: [ToolDefinition], _ syntax: ToolSyntax, _ format: ChatFormat
  ) throws -> [TokenID] {
    switch syntax {
    case .mistral:
      return try format.tokens(of: MistralToolPrompt(entries, tools).parts(), tokenizer)
    case .functionGemma:
      return try format.tokens(of: FunctionGemmaPrompt(entries, tools).parts(), tokenizer)
    case .gemma4:
      return try format.tokens(of: Gemma4ToolPrompt(entries, tools).parts(), tokenizer)
    case .lines, .hermes:
      return try format.render(
        ToolPrompt(syntax, tools).messages(entries), tokenizer: tokenizer)
    }
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
