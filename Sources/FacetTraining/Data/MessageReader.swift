// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetTokenizer

/// Reads the messages of a row, as OpenAI, Hugging Face and ShareGPT write them.
///
/// The chat formats of these models have no words for tools. So the functions that a row declares
/// go into the instructions, the assistant's calls are JSON that it writes, and what a tool says is
/// the user's turn, as Google's guide to calling functions with Gemma has it.
struct MessageReader {
  private let row: DataRow
  private let place: RowPlace

  init(_ row: DataRow) {
    self.row = row
    place = row.place
  }

  /// All of a row's conversation: its messages, and the instructions and tools that stand beside
  /// them.
  func conversation(_ value: JSON, named name: String) throws(TrainingError) -> [ChatMessage] {
    var messages = try messages(value, named: name, role: .user)
    if messages.first?.role != .system, let system = try row.text("system"), !system.isEmpty {
      messages.insert(ChatMessage(.system, system), at: 0)
    }
    return withTools(messages)
  }

  /// The messages that `value` lists; text is one message of `role`.
  func messages(
    _ value: JSON?, named name: String, role: ChatMessage.Role
  ) throws(TrainingError) -> [ChatMessage] {
    var value = value
    if let text = value?.string {
      // In a table, a list of messages is a cell of JSON text.
      let parsed = text.utf8.first == UInt8(ascii: "[") ? Self.parse(text) : nil
      guard let parsed, parsed.array?.first?.object != nil else {
        return [ChatMessage(role, text)]
      }
      value = parsed
    }
    guard let list = value?.array else {
      throw place.invalid("has '\(name)' that are no list of messages.")
    }
    guard !list.isEmpty else { throw place.invalid("has no messages in '\(name)'.") }
    var messages: [ChatMessage] = []
    for (index, element) in list.enumerated() {
      messages.append(try message(element, number: index + 1))
    }
    return messages
  }

  private static func parse(_ text: String) -> JSON? {
    try? JSONReader.read(Array(text.utf8), path: "")
  }

  private func message(_ value: JSON, number: Int) throws(TrainingError) -> ChatMessage {
    guard let name = (value["role"] ?? value["from"])?.string else {
      throw place.invalid("has a message \(number) that does not say whose it is ('role').")
    }
    guard let role = Self.roles[name.lowercased()] else {
      throw place.invalid(
        "has a message \(number) of '\(name)'; the roles are system, user, assistant and tool.")
    }
    var text = try content(value["content"] ?? value["value"], number: number)
    if role == .assistant, let calls = value["tool_calls"]?.array, !calls.isEmpty {
      let called = try calls.map { call throws(TrainingError) in try self.call(call, number) }
      text = ([text].compactMap { $0 }.filter { !$0.isEmpty } + called).joined(separator: "\n")
    }
    guard let text else {
      throw place.invalid("has a message \(number) without 'content'.")
    }
    return ChatMessage(role, text)
  }

  private static let roles: [String: ChatMessage.Role] = [
    "system": .system, "developer": .system,
    "user": .user, "human": .user, "prompter": .user,
    "assistant": .assistant, "model": .assistant, "gpt": .assistant, "chatgpt": .assistant,
    "bing": .assistant, "bard": .assistant, "function_call": .assistant,
    "tool": .user, "function": .user, "ipython": .user, "observation": .user,
    "function_response": .user,
  ]

  /// A message's text; parts of it are joined.
  private func content(_ value: JSON?, number: Int) throws(TrainingError) -> String? {
    guard let value else { return nil }
    if let text = value.string { return text }
    guard let parts = value.array else { return value.text }
    var text = ""
    for part in parts {
      guard let words = part["text"]?.string ?? part.string else {
        throw place.invalid(
          "has a message \(number) with a part of type '\(part["type"]?.string ?? "?")'; only text can "
            + "be trained on.")
      }
      text += words
    }
    return text
  }

  /// `{"name":…,"parameters":…}`, as the instructions ask for it.
  private func call(_ value: JSON, _ number: Int) throws(TrainingError) -> String {
    let function = value["function"] ?? value
    guard let name = function["name"]?.string else {
      throw place.invalid("has a message \(number) with a call of a tool that has no 'name'.")
    }
    let arguments = function["arguments"] ?? function["parameters"]
    // OpenAI's arguments are JSON text.
    let parameters = arguments?.string ?? arguments?.text ?? "{}"
    return "{\"name\":\(JSON.string(name).text),\"parameters\":\(parameters)}"
  }

  /// The messages with the row's tools in their instructions.
  func withTools(_ messages: [ChatMessage]) -> [ChatMessage] {
    var tools = row["tools"]
    if let text = tools?.string { tools = Self.parse(text) }
    guard let list = tools?.array, !list.isEmpty else { return messages }
    let declared = list.map { ($0["function"] ?? $0).text }.joined(separator: "\n")
    let text =
      "You can call these functions:\n\(declared)\n\nTo call one, answer with nothing but "
      + "{\"name\": its name, \"parameters\": {the name of each argument: its value}}."
    var messages = messages
    if messages.first?.role == .system {
      messages[0].content += "\n\n" + text
    } else {
      messages.insert(ChatMessage(.system, text), at: 0)
    }
    return messages
  }
}
