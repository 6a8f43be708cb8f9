// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGuides
import FacetTokenizer

/// What was said in a session, in order.
public struct Transcript: Sendable, Hashable, Codable {
  /// A step of the conversation.
  public enum Entry: Sendable, Hashable, Codable {
    /// How the model is to behave.
    case instructions(String)
    /// What was asked.
    case prompt(String)
    /// Calls of tools that the model asked for, and what it said before them.
    case toolCalls([ToolCall], text: String)
    /// What a tool answered.
    case toolOutput(ToolResult)
    /// What the model answered.
    case response(String)
  }

  /// The steps.
  public var entries: [Entry]

  /// A conversation of `entries`.
  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// The conversation as chat formats take it.
  var chat: [ChatEntry] {
    entries.map { entry in
      switch entry {
      case .instructions(let text): .message(ChatMessage(.system, text))
      case .prompt(let text): .message(ChatMessage(.user, text))
      case .toolCalls(let calls, let text): .calls(calls, text: text)
      case .toolOutput(let result): .result(result)
      case .response(let text): .message(ChatMessage(.assistant, text))
      }
    }
  }
}
