// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// Tools in the words of a conversation, for formats whose calls are text.
package struct ToolPrompt {
  private let syntax: ToolSyntax
  private let tools: [ToolDefinition]

  /// The words of a syntax for some tools.
  package init(_ syntax: ToolSyntax, _ tools: [ToolDefinition]) {
    self.syntax = syntax
    self.tools = tools
  }

  /// The conversation as plain messages.
  package func messages(_ entries: [ChatEntry]) throws(GuideError) -> [ChatMessage] {
    var messages: [ChatMessage] = []
    var isAfterResult = false
    for entry in entries {
      switch entry {
      case .message(let message): messages.append(message)
      case .calls(let calls, let text): messages.append(ChatMessage(.assistant, said(text, calls)))
      case .result(let result):
        let text = answered(result)
        // Answers to calls of one turn are one turn.
        if isAfterResult, let last = messages.indices.last {
          messages[last].content += "\n" + text
        } else {
          messages.append(ChatMessage(.user, text))
        }
      }
      if case .result = entry { isAfterResult = true } else { isAfterResult = false }
    }
    guard !tools.isEmpty else { return messages }
    let instructions = try instructions()
    if messages.first?.role == .system {
      messages[0].content += "\n\n" + instructions
    } else {
      messages.insert(ChatMessage(.system, instructions), at: 0)
    }
    return messages
  }

  private func said(_ text: String, _ calls: [ToolCall]) -> String {
    let written = calls.map { call in
      syntax == .hermes
        ? "<tool_call>\n\(syntax.text(call))\n</tool_call>" : syntax.text(call)
    }
    return ((text.isEmpty ? [] : [text]) + written).joined(separator: "\n")
  }

  private func answered(_ result: ToolResult) -> String {
    syntax == .hermes
      ? "<tool_response>\n\(result.content)\n</tool_response>"
      : "```tool_output\n\(result.content)\n```"
  }

  /// What the model is told of its tools: Qwen's words for Hermes's form, and what Google's guide to
  /// calling functions with Gemma asks for.
  private func instructions() throws(GuideError) -> String {
    var texts: [String] = []
    for tool in tools { texts.append(try tool.text()) }
    guard syntax == .hermes else {
      return
        "You have access to functions. If you decide to invoke any of the function(s), you MUST "
        + "put it in the format of\n"
        + "{\"name\": function name, \"parameters\": dictionary of argument name and its value}\n\n"
        + "You SHOULD NOT include any other text in the response if you call a function\n["
        + texts.joined(separator: ",\n") + "]"
    }
    return "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
      + "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n"
      + texts.joined(separator: "\n") + "\n</tools>\n\n"
      + "For each function call, return a json object with function name and arguments within "
      + "<tool_call></tool_call> XML tags:\n<tool_call>\n"
      + "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>"
  }
}
