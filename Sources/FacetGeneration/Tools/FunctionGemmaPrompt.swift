// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
package import FacetTokenizer

/// A conversation with tools as FunctionGemma reads it: declarations in a turn of the developer, calls and
/// answers in the model's own turn, which goes on after them.
package struct FunctionGemmaPrompt {
  private let entries: [ChatEntry]
  private let tools: [ToolDefinition]

  /// A conversation in which some tools may be called.
  package init(_ entries: [ChatEntry], _ tools: [ToolDefinition]) {
    self.entries = entries
    self.tools = tools
  }

  /// The conversation in pieces, with the model's turn begun at the end.
  package func parts() throws -> [ChatFormat.Part] {
    var parts: [ChatFormat.Part] = [.beginning] + (try developer())
    var isModelsTurn = false
    for entry in entries {
      switch entry {
      case .message(let message) where message.role == .assistant:
        if !isModelsTurn { parts += Self.begin("model") }
        parts += Self.text(ChatFormat.trim(message.content)) + Self.end
        isModelsTurn = false
      case .message(let message):
        if isModelsTurn { parts += Self.end }
        isModelsTurn = false
        guard message.role == .user else { continue }
        parts += Self.begin("user") + Self.text(ChatFormat.trim(message.content)) + Self.end
      case .calls(let calls, let text):
        if !isModelsTurn { parts += Self.begin("model") }
        isModelsTurn = true
        parts += Self.text(ChatFormat.trim(text))
        for call in calls {
          let head = Array("call:\(call.name)".utf8)
          let bytes = GuideMark.startCall.bytes + head + Self.written(call.arguments)
          parts += GuideMark.parts(of: bytes + GuideMark.endCall.bytes)
        }
      case .result(let result):
        if !isModelsTurn { parts += Self.begin("model") }
        isModelsTurn = true
        parts += GuideMark.parts(
          of: GuideMark.startResponse.bytes + Array("response:\(result.name)".utf8)
            + Self.written(result.content))
        parts.append(.control("<end_function_response>"))
      }
    }
    return isModelsTurn ? parts : parts + Self.begin("model")
  }

  /// What FunctionGemma was told in training when nobody else gives instructions.
  private static let instructions =
    "You are a model that can do function calling with the following functions"

  private func developer() throws(GenerationError) -> [ChatFormat.Part] {
    let said = entries.compactMap { entry -> String? in
      guard case .message(let message) = entry, message.role == .system else { return nil }
      return message.content
    }
    guard !said.isEmpty || !tools.isEmpty else { return [] }
    let text = said.isEmpty ? Self.instructions : said.joined(separator: "\n\n")
    var parts = Self.begin("developer") + Self.text(ChatFormat.trim(text))
    for tool in tools {
      var declaration = JSONObject()
      _ = declaration.append("description", .string(tool.description))
      _ = declaration.append("parameters", Self.declared(try tool.schema()))
      let bytes = Array("declaration:\(tool.name)".utf8)
      parts.append(.control("<start_function_declaration>"))
      parts += GuideMark.parts(of: bytes + ValueForm.functionGemma.text(.object(declaration)))
      parts.append(.control("<end_function_declaration>"))
    }
    return parts + Self.end
  }

  /// A schema as declarations show it: names in alphabetical order, types in capitals.
  private static func declared(_ schema: JSON) -> JSON {
    guard case .object(let object) = schema else { return schema }
    var result = JSONObject()
    for member in object.members.sorted(by: { $0.key < $1.key })
    where member.key != "additionalProperties" {
      if member.key == "type", let type = member.value.string {
        _ = result.append("type", .string(type.uppercased()))
      } else {
        _ = result.append(member.key, declared(member.value))
      }
    }
    return .object(result)
  }

  /// An object as it is; anything else as the one member of one.
  private static func written(_ text: String) -> [UInt8] {
    let value = (try? JSONReader.read(Array(text.utf8), path: "")) ?? .string(text)
    if case .object = value { return ValueForm.functionGemma.text(value) }
    var object = JSONObject()
    _ = object.append("value", value)
    return ValueForm.functionGemma.text(.object(object))
  }

  private static func begin(_ role: String) -> [ChatFormat.Part] {
    [.control("<start_of_turn>"), .text(role + "\n", isSentence: false)]
  }

  private static let end: [ChatFormat.Part] = [
    .control("<end_of_turn>"), .text("\n", isSentence: false),
  ]

  private static func text(_ text: String) -> [ChatFormat.Part] {
    text.isEmpty ? [] : [.text(text, isSentence: false)]
  }
}
