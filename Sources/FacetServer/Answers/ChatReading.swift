// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTokenizer

/// Conversations as the various APIs write them.
enum ChatReading {
  /// OpenAI's messages.
  static func openAI(_ list: [Fields], _ fields: Fields) throws(ServerError) -> [ChatMessage] {
    try refuseTools(fields)
    var messages: [ChatMessage] = []
    for message in list {
      let role = try message.text("role")
      let content = try text(message, "content")
      switch role {
      case "system", "developer": messages.append(ChatMessage(.system, content))
      case "user": messages.append(ChatMessage(.user, content))
      case "assistant": messages.append(ChatMessage(.assistant, content))
      default: throw unknownRole(role, message)
      }
    }
    return messages
  }

  /// The text under `key`: a string, or parts of which all are text.
  static func text(_ message: Fields, _ key: String) throws(ServerError) -> String {
    guard let value = message[key] else { return "" }
    if let string = value.string { return string }
    guard let parts = try? message.list(key) else {
      throw message.wrong(key, "a string or an array of parts")
    }
    var text = ""
    for part in parts {
      let type = try part.string("type") ?? "text"
      guard type == "text" || type == "input_text" else {
        throw ServerError(
          .unsupported,
          "'\(part.place)' is of type '\(type)'; models are served with text only.",
          parameter: part.place)
      }
      text += try part.text("text")
    }
    return text
  }

  static func unknownRole(_ role: String, _ message: Fields) -> ServerError {
    ServerError(
      .invalidRequest, "'\(message.path("role"))' is '\(role)', which is no role known here.",
      parameter: message.path("role"))
  }

  private static func refuseTools(_ fields: Fields) throws(ServerError) {
    guard let tools = try fields.array("tools"), !tools.isEmpty else { return }
    throw ServerError(.unsupported, "The model does not support tools.", parameter: "tools")
  }
}

extension ChatReading {
  /// Ollama's messages.
  static func ollama(
    _ list: [Fields], _ asked: OllamaRequest
  ) throws(ServerError) -> [ChatMessage] {
    if let tools = try asked.fields.array("tools"), !tools.isEmpty {
      throw ServerError(.unsupported, "\"\(asked.name)\" does not support tools")
    }
    var messages: [ChatMessage] = []
    for message in list {
      try OllamaRequest.refuseImages(message, asked.name)
      let role = try message.text("role")
      let content = try message.string("content") ?? ""
      switch role {
      case "system": messages.append(ChatMessage(.system, content))
      case "user": messages.append(ChatMessage(.user, content))
      case "assistant": messages.append(ChatMessage(.assistant, content))
      default:
        throw ServerError(
          .invalidRequest,
          "invalid role: \(role); expected one of \"system\", \"user\" or \"assistant\"",
          parameter: message.path("role"))
      }
    }
    return messages
  }
}
