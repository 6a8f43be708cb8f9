// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGuides
import FacetJSON
import FacetTokenizer

/// Conversations as the various APIs write them.
enum ChatReading {
  /// OpenAI's messages and tools.
  static func openAI(_ fields: Fields) throws -> Conversation {
    guard let list = try fields.list("messages") else { throw fields.missing("messages") }
    var conversation = Conversation()
    for message in list {
      let role = try message.text("role")
      let content = try text(message, "content")
      switch role {
      case "system", "developer": conversation.add(.system, content)
      case "user": conversation.add(.user, content)
      case "assistant":
        let calls = try openAICalls(message)
        if calls.isEmpty {
          conversation.add(.assistant, content)
        } else {
          conversation.entries.append(.calls(calls, text: content))
        }
      case "tool":
        let id = try message.text("tool_call_id")
        guard let name = conversation.tool(ofCall: id) else {
          throw ServerError(
            .invalidRequest,
            "'\(message.path("tool_call_id"))' is '\(id)', which no call before it has.",
            parameter: message.path("tool_call_id"))
        }
        conversation.entries.append(
          .result(ToolResult(id: id, name: name, content: content)))
      default: throw unknownRole(role, message)
      }
    }
    conversation.tools = try tools(try fields.list("tools") ?? [])
    conversation.choice = try openAIChoice(fields)
    if try fields.bool("parallel_tool_calls") == false { conversation.count = .one }
    return conversation
  }

  /// `{"type": "function", "function": {name, description, parameters}}`, as OpenAI and Ollama have it.
  static func tools(_ list: [Fields]) throws(ServerError) -> [ToolDefinition] {
    var tools: [ToolDefinition] = []
    for tool in list {
      guard let function = try tool.fields("function") else { throw tool.missing("function") }
      tools.append(try definition(function, "parameters"))
    }
    return tools
  }

  /// A tool whose schema stands under `key`.
  static func definition(_ fields: Fields, _ key: String) throws(ServerError) -> ToolDefinition {
    var tool = ToolDefinition(
      name: try fields.text("name"), description: try fields.string("description") ?? "")
    if let schema = fields[key] { tool.parameters = schema.text }
    do { try tool.validate() } catch {
      throw ServerError(.invalidRequest, error.message, parameter: fields.place)
    }
    return tool
  }

  private static func openAICalls(_ message: Fields) throws -> [ToolCall] {
    try (message.list("tool_calls") ?? []).map { call in
      guard let function = try call.fields("function") else { throw call.missing("function") }
      return ToolCall(
        id: try call.string("id") ?? ToolCall.randomID(), name: try function.text("name"),
        arguments: try function.string("arguments") ?? "{}")
    }
  }

  private static func openAIChoice(_ fields: Fields) throws(ServerError) -> ToolChoice {
    guard let choice = fields["tool_choice"] else { return .auto }
    switch choice {
    case .string("auto"): return .auto
    case .string("none"): return .none
    case .string("required"): return .required
    case .object:
      let named = try Fields(choice, at: "tool_choice")
      return .named(try (try named.fields("function") ?? named).text("name"))
    default: throw fields.wrong("tool_choice", "auto, none, required or a function")
    }
  }

  /// The text under `key`: a string, or parts of which all are text.
  static func text(_ message: Fields, _ key: String) throws(ServerError) -> String {
    guard let value = message[key] else { return "" }
    if let string = value.string { return string }
    guard value.array != nil, let parts = try message.list(key) else {
      throw message.wrong(key, "a string or an array of parts")
    }
    var text = ""
    for part in parts { text += try Self.text(part) }
    return text
  }

  /// The text of a part.
  static func text(_ part: Fields) throws(ServerError) -> String {
    let type = try part.string("type") ?? "text"
    guard type == "text" || type == "input_text" else {
      throw ServerError(
        .unsupported,
        "'\(part.place)' is of type '\(type)'; models are served with text only.",
        parameter: part.place)
    }
    return try part.text("text")
  }

  static func unknownRole(_ role: String, _ message: Fields) -> ServerError {
    ServerError(
      .invalidRequest, "'\(message.path("role"))' is '\(role)', which is no role known here.",
      parameter: message.path("role"))
  }
}

extension ChatReading {
  /// Ollama's messages and tools; an empty list of tools is as good as none.
  static func ollama(_ list: [Fields], _ asked: OllamaRequest) throws -> Conversation {
    var conversation = Conversation()
    for message in list {
      try OllamaRequest.refuseImages(message, asked.name)
      let role = try message.text("role")
      let content = try message.string("content") ?? ""
      switch role {
      case "system": conversation.add(.system, content)
      case "user": conversation.add(.user, content)
      case "assistant":
        let calls = try (message.list("tool_calls") ?? []).map { call in
          guard let function = try call.fields("function") else { throw call.missing("function") }
          return ToolCall(
            id: try call.string("id") ?? ToolCall.randomID(), name: try function.text("name"),
            arguments: function["arguments"]?.text ?? "{}")
        }
        if calls.isEmpty {
          conversation.add(.assistant, content)
        } else {
          conversation.entries.append(.calls(calls, text: content))
        }
      case "tool":
        let id = try message.string("tool_call_id")
        let name =
          try message.string("tool_name") ?? id.flatMap(conversation.tool(ofCall:)) ?? "tool"
        let call = id ?? conversation.openCall(of: name) ?? ToolCall.randomID()
        conversation.entries.append(.result(ToolResult(id: call, name: name, content: content)))
      default:
        throw ServerError(
          .invalidRequest,
          "invalid role: \(role); expected one of \"system\", \"user\", \"assistant\" or \"tool\"",
          parameter: message.path("role"))
      }
    }
    conversation.tools = try tools(try asked.fields.list("tools") ?? [])
    return conversation
  }
}
