// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// How a family of models writes conversations with tools between control tokens.
package protocol ToolDialect {
  /// The tokens around a turn.
  static var turn: (begin: String, end: String) { get }
  /// Whose turn the instructions and declarations are.
  static var instructor: String { get }
  /// What is said there when nobody gives instructions.
  static var instructions: String { get }
  /// The tokens around a declaration.
  static var declaration: (begin: String, end: String) { get }
  /// The tokens around a call, and around a tool's answer.
  static var call: (begin: String, end: String) { get }
  static var response: (begin: String, end: String) { get }
  /// What follows where the model is to speak: in a turn of its own, which is begun, or in the one that goes on.
  static var silence: [ChatFormat.Part] { get }

  /// What is written of an answer in the conversation.
  static func said(_ text: String) -> String
  /// A tool as it is declared, with marks for control tokens.
  static func declared(_ tool: ToolDefinition) throws(GuideError) -> [UInt8]
  /// Arguments, or what a tool answered, as an object with marks for control tokens.
  static func written(_ text: String) -> [UInt8]
}

/// A conversation with tools: declarations in a turn of their own at the front, calls and answers in the
/// model's turn, which goes on after them.
package struct MarkedToolPrompt<Dialect: ToolDialect> {
  private let entries: [ChatEntry]
  private let tools: [ToolDefinition]

  /// A conversation in which some tools may be called.
  package init(_ entries: [ChatEntry], _ tools: [ToolDefinition]) {
    self.entries = entries
    self.tools = tools
  }

  /// The conversation in pieces, with the model's turn begun at the end.
  package func parts() throws(GuideError) -> [ChatFormat.Part] {
    var parts: [ChatFormat.Part] = [.beginning] + (try instructions())
    var isModelsTurn = false
    func beginModelsTurn() {
      if !isModelsTurn { parts += begin("model") }
      isModelsTurn = true
    }
    for entry in entries {
      switch entry {
      case .message(let message) where message.role == .assistant:
        beginModelsTurn()
        parts += text(Dialect.said(message.content)) + end
        isModelsTurn = false
      case .message(let message):
        if isModelsTurn { parts += end }
        isModelsTurn = false
        guard message.role == .user else { continue }
        parts += begin("user") + text(ChatFormat.trim(message.content)) + end
      case .calls(let calls, let text):
        beginModelsTurn()
        parts += self.text(Dialect.said(text))
        for call in calls {
          parts += between(Dialect.call, "call:\(call.name)", Dialect.written(call.arguments))
        }
      case .result(let result):
        beginModelsTurn()
        parts += between(
          Dialect.response, "response:\(result.name)", Dialect.written(result.content))
      }
    }
    beginModelsTurn()
    return parts + Dialect.silence
  }

  private func instructions() throws(GuideError) -> [ChatFormat.Part] {
    let said = entries.compactMap { entry -> String? in
      guard case .message(let message) = entry, message.role == .system else { return nil }
      return message.content
    }
    guard !said.isEmpty || !tools.isEmpty else { return [] }
    let text = said.isEmpty ? Dialect.instructions : said.joined(separator: "\n\n")
    var parts = begin(Dialect.instructor) + self.text(ChatFormat.trim(text))
    for tool in tools {
      parts += between(
        Dialect.declaration, "declaration:\(tool.name)", try Dialect.declared(tool))
    }
    return parts + end
  }

  private func begin(_ role: String) -> [ChatFormat.Part] {
    [.control(Dialect.turn.begin), .text(role + "\n", isSentence: false)]
  }

  private var end: [ChatFormat.Part] {
    [.control(Dialect.turn.end), .text("\n", isSentence: false)]
  }

  private func text(_ text: String) -> [ChatFormat.Part] {
    text.isEmpty ? [] : [.text(text, isSentence: false)]
  }

  private func between(
    _ tokens: (begin: String, end: String), _ head: String, _ body: [UInt8]
  ) -> [ChatFormat.Part] {
    [.control(tokens.begin)] + GuideMark.parts(of: Array(head.utf8) + body)
      + [.control(tokens.end)]
  }
}
