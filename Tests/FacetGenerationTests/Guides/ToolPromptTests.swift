// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetJSON
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

/// A conversation with tools in OpenAI's form, and what mistral-common makes of it.
private struct MistralGolden: Decodable {
  struct Message: Decodable {
    struct Call: Decodable {
      struct Function: Decodable {
        var name: String
        var arguments: String
      }
      var id: String
      var function: Function
    }
    var role: String
    var content: String
    var tool_calls: [Call]?
    var tool_call_id: String?
    var name: String?

    var entry: ChatEntry {
      if let calls = tool_calls {
        return .calls(
          calls.map {
            ToolCall(id: $0.id, name: $0.function.name, arguments: $0.function.arguments)
          })
      }
      if let id = tool_call_id {
        return .result(ToolResult(id: id, name: name ?? "", content: content))
      }
      return .message(ChatMessage(ChatMessage.Role(rawValue: role) ?? .user, content))
    }
  }

  var messages: [Message]
  var text: String
}

@Suite("Tools in prompts")
struct ToolPromptTests {
  /// The definitions of tools/tool_goldens.py.
  static let weather = ToolDefinition(
    name: "get_weather", description: "The weather of a city, \"now\".",
    parameters: """
      {"type": "object", "properties": {"city": {"type": "string", "description": "Its name"},
        "days": {"type": "integer"}}, "required": ["city"]}
      """)
  static let time = ToolDefinition(
    name: "get_time", description: "The time.",
    parameters: #"{"type":"object","properties":{"zone":{"type":"string"}}}"#)

  @Test("Mistral's form needs a message of the user")
  func mistralQuestion() {
    let entries = [ChatEntry.message(ChatMessage(.assistant, "Hello."))]
    #expect(
      throws: TokenizerError(
        .conversation, "The conversation has no message of the user; give at least one.")
    ) { try MistralToolPrompt(entries, [Self.time]).parts() }
  }

  @Test("Mistral v0.3 reads what mistral-common writes")
  func mistral() throws {
    let url = URL(fileURLWithPath: Goldens.path("tools/mistral.json"))
    let goldens = try JSONDecoder().decode([MistralGolden].self, from: Data(contentsOf: url))
    #expect(goldens.count == 5)
    for golden in goldens {
      let tools = [Self.weather, Self.time].filter {
        golden.text.contains("\"\($0.name)\",▁\"desc")
      }
      var text = ""
      for part in try MistralToolPrompt(golden.messages.map(\.entry), tools).parts() {
        switch part {
        case .beginning: text += "<s>"
        case .ending: text += "</s>"
        case .control(let name, _): text += name
        case .text(let content, _, _):
          text += content.replacingOccurrences(of: " ", with: "▁")
            .replacingOccurrences(of: "\n", with: "<0x0A>")
        }
      }
      #expect(text == golden.text)
    }
  }

  static let entries: [ChatEntry] = [
    .message(ChatMessage(.system, "Be brief.")), .message(ChatMessage(.user, "How is it there?")),
    .calls(
      [
        ToolCall(id: "1", name: "get_weather", arguments: #"{"city": "Rome"}"#),
        ToolCall(id: "2", name: "get_time", arguments: "{}"),
      ], text: "I look."),
    .result(ToolResult(id: "1", name: "get_weather", content: "sunny")),
    .result(ToolResult(id: "2", name: "get_time", content: "noon")),
  ]

  @Test("ChatML reads calls and answers in Hermes's form")
  func hermes() throws {
    let messages = try ToolPrompt(.hermes, [Self.time]).messages(Self.entries)
    #expect(messages.map(\.role) == [.system, .user, .assistant, .user])
    #expect(
      messages[0].content == """
        Be brief.

        # Tools

        You may call one or more functions to assist with the user query.

        You are provided with function signatures within <tools></tools> XML tags:
        <tools>
        {"type": "function", "function": {"name": "get_time", "description": "The time.", \
        "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}}
        </tools>

        For each function call, return a json object with function name and arguments within \
        <tool_call></tool_call> XML tags:
        <tool_call>
        {"name": <function-name>, "arguments": <args-json-object>}
        </tool_call>
        """)
    #expect(
      messages[2].content == """
        I look.
        <tool_call>
        {"name": "get_weather", "arguments": {"city": "Rome"}}
        </tool_call>
        <tool_call>
        {"name": "get_time", "arguments": {}}
        </tool_call>
        """)
    #expect(
      messages[3].content
        == "<tool_response>\nsunny\n</tool_response>\n<tool_response>\nnoon\n</tool_response>")
  }

  @Test("Gemma reads calls as lines and answers in code blocks")
  func lines() throws {
    let messages = try ToolPrompt(.lines, [Self.time]).messages(Array(Self.entries.dropFirst()))
    #expect(messages.map(\.role) == [.system, .user, .assistant, .user])
    #expect(
      messages[0].content.hasSuffix(
        "call a function\n[{\"type\": \"function\", \"function\": {\"name\": \"get_time\", "
          + "\"description\": \"The time.\", \"parameters\": {\"type\": \"object\", \"properties\": "
          + "{\"zone\": {\"type\": \"string\"}}}}}]"))
    #expect(
      messages[2].content == """
        I look.
        {"name": "get_weather", "parameters": {"city": "Rome"}}
        {"name": "get_time", "parameters": {}}
        """)
    #expect(messages[3].content == "```tool_output\nsunny\n```\n```tool_output\nnoon\n```")
    let none = try ToolPrompt(.lines, []).messages([.message(ChatMessage(.user, "Hi"))])
    #expect(none == [ChatMessage(.user, "Hi")])
  }

  @Test("FunctionGemma reads declarations, calls and answers between its control tokens")
  func functionGemma() throws {
    var text = ""
    let entries = Array(Self.entries.dropFirst())
    for part in try FunctionGemmaPrompt(entries, [Self.weather]).parts() {
      switch part {
      case .beginning: text += "<bos>"
      case .ending: text += "<eos>"
      case .control(let name, _): text += name
      case .text(let content, _, _): text += content
      }
    }
    #expect(
      text == """
        <bos><start_of_turn>developer
        You are a model that can do function calling with the following functions\
        <start_function_declaration>declaration:get_weather{description:<escape>The weather of a \
        city, "now".<escape>,parameters:{properties:{city:{description:<escape>Its name<escape>,\
        type:<escape>STRING<escape>},days:{type:<escape>INTEGER<escape>}},\
        required:[<escape>city<escape>],type:<escape>OBJECT<escape>}}<end_function_declaration>\
        <end_of_turn>
        <start_of_turn>user
        How is it there?<end_of_turn>
        <start_of_turn>model
        I look.<start_function_call>call:get_weather{city:<escape>Rome<escape>}<end_function_call>\
        <start_function_call>call:get_time{}<end_function_call>\
        <start_function_response>response:get_weather{value:<escape>sunny<escape>}\
        <end_function_response><start_function_response>response:get_time{value:<escape>noon<escape>}\
        <end_function_response>
        """)
  }

  @Test("Gemma 4 reads what its 31B model's own template writes")
  func gemma4() throws {
    let path = Goldens.path("tools/gemma4.json")
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let goldens = try #require(try JSONReader.read(bytes, path: path).array)
    #expect(goldens.count == 8)
    for golden in goldens {
      let tools = (golden["tools"]?.array ?? []).compactMap { tool in
        tool["function"].map { function in
          ToolDefinition(
            name: function["name"]?.string ?? "",
            description: function["description"]?.string ?? "",
            parameters: function["parameters"]?.text ?? "")
        }
      }
      let entries = (golden["messages"]?.array ?? []).flatMap(Self.entries)
      var text = ""
      for part in try Gemma4ToolPrompt(entries, tools).parts() {
        switch part {
        case .beginning: text += "<bos>"
        case .ending: text += "<eos>"
        case .control(let name, _): text += name
        case .text(let content, _, _): text += content
        }
      }
      #expect(text == golden["text"]?.string)
    }
  }

  /// A message of the template's: calls, the answers to them, and what was said then.
  private static func entries(_ message: JSON) -> [ChatEntry] {
    var entries: [ChatEntry] = []
    let calls = (message["tool_calls"]?.array ?? []).compactMap { call in
      call["function"].map {
        ToolCall(name: $0["name"]?.string ?? "", arguments: $0["arguments"]?.text ?? "")
      }
    }
    if !calls.isEmpty { entries.append(.calls(calls)) }
    for answer in message["tool_responses"]?.array ?? [] {
      let response = answer["response"] ?? .null
      entries.append(
        .result(
          ToolResult(
            id: "", name: answer["name"]?.string ?? "", content: response.string ?? response.text)))
    }
    let role = ChatMessage.Role(rawValue: message["role"]?.string ?? "") ?? .user
    if let content = message["content"]?.string, calls.isEmpty || !content.isEmpty {
      entries.append(.message(ChatMessage(role, content)))
    }
    return entries
  }

  @Test("a parameter with a name that the template passes over is declared")
  func gemma4Names() throws {
    let tool = ToolDefinition(
      name: "f", description: "",
      parameters: #"{"type": "object", "properties": {"type": {"type": "string"}}}"#)
    let texts = try Gemma4ToolPrompt([], [tool]).parts().map { part in
      if case .text(let text, _, _) = part { text } else { "'" }
    }
    #expect(
      texts.joined()
        == "''system\n'declaration:f{description:'',parameters:{properties:{type:{type:'STRING'}},"
        + "type:'OBJECT'}}''\n'model\n'thought\n'")
  }

  @Test("what a model writes, its conversation shows in the same form")
  func roundTrip() throws {
    for syntax in [ToolSyntax.lines, .hermes] {
      let messages = try ToolPrompt(syntax, []).messages([
        .calls([ToolCall(name: "get_weather", arguments: ToolCallParserTests.paris)], text: "So.")
      ])
      var parser = try TestTools.parser(syntax)
      let found = parser.takeApart(Array(messages[0].content.utf8))
      #expect(found == TakenApart(text: "So.", calls: ["get_weather" + ToolCallParserTests.paris]))
    }
  }
}
