// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
package import FacetTokenizer

/// A conversation with tools as Mistral v0.3 reads it: definitions before the last question, calls and
/// answers between control tokens of their own.
///
/// The form is mistral-common's for its third tokenizer.
package struct MistralToolPrompt {
  private let entries: [ChatEntry]
  private let tools: [ToolDefinition]

  /// A conversation in which some tools may be called.
  package init(_ entries: [ChatEntry], _ tools: [ToolDefinition]) {
    self.entries = entries
    self.tools = tools
  }

  /// The conversation in pieces.
  package func parts() throws -> [ChatFormat.Part] {
    var system: [String] = []
    var turns: [ChatEntry] = []
    for entry in entries { add(entry, &system, &turns) }
    guard let last = turns.lastIndex(where: Self.isQuestion) else {
      throw TokenizerError(
        .conversation, "The conversation has no message of the user; give at least one.")
    }
    var parts: [ChatFormat.Part] = [.beginning]
    for (index, turn) in turns.enumerated() {
      if index == last, !tools.isEmpty { parts += try definitions() }
      switch turn {
      case .message(let message) where message.role == .assistant:
        parts += Self.text(message.content) + [.ending]
      case .message(let message):
        let prefix =
          index == last && !system.isEmpty ? system.joined(separator: "\n\n") + "\n\n" : ""
        parts += [.control("[INST]")] + Self.text(prefix + message.content) + [.control("[/INST]")]
      case .calls(let calls, _):
        let list = calls.map { call in
          let head = String(decoding: ToolSyntax.mistral.head(call.name), as: UTF8.self)
          return head + Self.json(call.arguments) + ", \"id\": \"\(call.id)\"}"
        }
        parts += [.control("[TOOL_CALLS]")]
        parts += Self.text("[" + list.joined(separator: ", ") + "]") + [.ending]
      case .result(let result):
        let text =
          "{\"content\": \(Self.json(result.content)), \"call_id\": \(Self.quoted(result.id))}"
        parts += [.control("[TOOL_RESULTS]")] + Self.text(text) + [.control("[/TOOL_RESULTS]")]
      }
    }
    return parts
  }

  /// Two messages of one role in a row are one.
  private func add(_ entry: ChatEntry, _ system: inout [String], _ turns: inout [ChatEntry]) {
    guard case .message(let message) = entry else { return turns.append(entry) }
    if message.role == .system {
      system.append(message.content)
    } else if case .message(let before) = turns.last, before.role == message.role {
      let joined = ChatMessage(message.role, before.content + "\n\n" + message.content)
      turns[turns.count - 1] = .message(joined)
    } else {
      turns.append(entry)
    }
  }

  private static func isQuestion(_ entry: ChatEntry) -> Bool {
    if case .message(let message) = entry { message.role == .user } else { false }
  }

  private func definitions() throws(GuideError) -> [ChatFormat.Part] {
    var texts: [String] = []
    for tool in tools { texts.append(try tool.text()) }
    return [.control("[AVAILABLE_TOOLS]")] + Self.text("[" + texts.joined(separator: ", ") + "]")
      + [.control("[/AVAILABLE_TOOLS]")]
  }

  /// A text after a control token has the dummy prefix, unless it is empty.
  private static func text(_ text: String) -> [ChatFormat.Part] {
    text.isEmpty ? [] : [.text(" " + text, isSentence: false)]
  }

  /// JSON as it is, in one form; other text as a string.
  private static func json(_ text: String) -> String {
    guard let value = try? JSONReader.read(Array(text.utf8), path: "") else { return quoted(text) }
    return String(decoding: JSONForm.text(value), as: UTF8.self)
  }

  private static func quoted(_ text: String) -> String {
    String(decoding: JSONForm.quote(text), as: UTF8.self)
  }
}
