// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetTokenizer

/// A conversation whichever API wrote it, with the tools that the model may call.
struct Conversation: Sendable {
  /// Messages, calls of tools and their results.
  var entries: [ChatEntry] = []
  /// The tools.
  var tools: [ToolDefinition] = []
  /// Whether they may or must be called.
  var choice = ToolChoice.auto
  /// How many calls an answer may have.
  var count = ToolCallCount.several

  /// Whether an answer may call a tool.
  var mayCall: Bool { !tools.isEmpty && choice != .none }

  /// The instructions at its beginning.
  var hasInstructions: Bool {
    if case .message(let message)? = entries.first { message.role == .system } else { false }
  }

  mutating func add(_ role: ChatMessage.Role, _ text: String) {
    entries.append(.message(ChatMessage(role, text)))
  }

  /// The name of the tool that the call `id` asked for; results of some APIs do not repeat it.
  func tool(ofCall id: String) -> String? {
    for case .calls(let calls, _) in entries.reversed() {
      if let call = calls.first(where: { $0.id == id }) { return call.name }
    }
    return nil
  }

  /// The call of `tool` that has no result yet: what a result without an identifier answers.
  func openCall(of tool: String) -> String? {
    var answered: Set<String> = []
    for case .result(let result) in entries { answered.insert(result.id) }
    for case .calls(let calls, _) in entries.reversed() {
      if let call = calls.first(where: { $0.name == tool && !answered.contains($0.id) }) {
        return call.id
      }
    }
    return nil
  }
}

/// Tells the parts of one answer from its events: text, and calls where tools may be called.
struct AnswerReader: Sendable {
  private var parser: ToolCallParser?
  /// Calls that are complete.
  private(set) var calls: [ToolCall] = []

  /// Reads an answer to a guide of tools; nil: one that is all text.
  init(_ guide: ToolGuide?, _ model: LanguageModel) throws(GenerationError) {
    parser = try guide.map { guide throws(GenerationError) in try ToolCallParser(guide, model) }
  }

  /// What is certain once `event` has happened.
  mutating func read(_ event: GenerationEvent) -> [AnswerPart] {
    guard parser != nil else {
      switch event {
      case .token(let token): return token.text.isEmpty ? [] : [.text(token.text)]
      case .rest(let text): return [.text(text)]
      case .prefill, .finished: return []
      }
    }
    let parts = parser?.append(event) ?? []
    for case .call(_, let call) in parts { calls.append(call) }
    return parts
  }
}
