// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetJSON
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

/// Two tools for tests: one with a schema that leaves little choice, one without parameters.
enum TestTools {
  static let weather = ToolDefinition(
    name: "get_weather", description: "The weather of a city.",
    parameters: """
      {"type": "object", "properties": {"city": {"type": "string", "maxLength": 8},
       "days": {"type": "integer", "minimum": 1, "maximum": 9}}, "required": ["city", "days"]}
      """)
  static let time = ToolDefinition(name: "get_time", description: "The time.")
  static let all = [weather, time]
  static let model = Result { try Fixture().model }

  /// A parser that needs no model: the fixture's vocabulary stands for any.
  static func parser(
    _ syntax: ToolSyntax, choice: ToolChoice = .auto, count: ToolCallCount = .several,
    answer: Guide? = nil
  ) throws -> ToolCallParser {
    let guide = ToolGuide(all, choice: choice, count: count, syntax: syntax, answer: answer)
    return try ToolCallParser(guide, model.get())
  }
}

/// An answer taken apart.
struct TakenApart: Equatable {
  var text = ""
  var calls: [String] = []
  var abandoned: [String] = []

  init(_ parts: [AnswerPart]) {
    var arguments: [Int: String] = [:]
    for part in parts {
      switch part {
      case .text(let piece): text += piece
      case .callBegan(let index, _, _): arguments[index] = ""
      case .arguments(let index, let piece): arguments[index, default: "?"] += piece
      case .call(let index, let call):
        calls.append("\(call.name)\(call.arguments)")
        if arguments[index] != call.arguments { calls.append("deltas differ") }
      case .abandoned(_, let piece): abandoned.append(piece)
      }
    }
  }

  init(text: String = "", calls: [String] = [], abandoned: [String] = []) {
    self.text = text
    self.calls = calls
    self.abandoned = abandoned
  }
}

extension ToolCallParser {
  /// All parts of `bytes`.
  mutating func takeParts(_ bytes: [UInt8]) -> [AnswerPart] { append(bytes) + finish() }

  /// All parts of `bytes`, given in pieces that end where `cuts` say.
  mutating func takeApart(_ bytes: [UInt8], cuts: [Int] = []) -> TakenApart {
    var parts: [AnswerPart] = []
    var start = 0
    for cut in cuts + [bytes.count] {
      parts += append(Array(bytes[start..<cut]))
      start = cut
    }
    return TakenApart(parts + finish())
  }
}

@Suite("Calls of tools, parsed")
struct ToolCallParserTests {
  static let paris = #"{"city": "Paris", "days": 3}"#

  /// Answers with what they hold, in each syntax.
  static let cases: [(ToolSyntax, String, TakenApart)] = [
    (.hermes, "Hello there.\n", TakenApart(text: "Hello there.\n")),
    (
      .hermes,
      "I look.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": \(paris)}\n</tool_call>",
      TakenApart(text: "I look.", calls: ["get_weather" + paris])
    ),
    (
      .hermes,
      "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n"
        + "{\"name\": \"get_weather\", \"arguments\": \(paris)}\n</tool_call>",
      TakenApart(calls: ["get_time{}", "get_weather" + paris])
    ),
    (
      .hermes, "<tool_call> is a tag, <tool is half of one",
      TakenApart(text: "<tool_call> is a tag, <tool is half of one")
    ),
    (
      .hermes, "<tool_call>\n{\"name\": \"rm\", \"arguments\": {}}\n</tool_call>",
      TakenApart(text: "<tool_call>\n{\"name\": \"rm\", \"arguments\": {}}\n</tool_call>")
    ),
    (
      .hermes, "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": 5",
      TakenApart(abandoned: ["{\"name\": \"get_weather\", \"arguments\": {\"city\": 5"])
    ),
    (
      .lines, "Here: {\"name\": \"get_time\", \"parameters\": {}}",
      TakenApart(text: "Here: {\"name\": \"get_time\", \"parameters\": {}}")
    ),
    (
      .lines, "Yes.\n\n{\"name\": \"get_weather\", \"parameters\": \(paris)}",
      TakenApart(text: "Yes.", calls: ["get_weather" + paris])
    ),
    (
      .lines, "```json\n{\"name\": \"get_time\", \"parameters\": {}}\n```",
      TakenApart(calls: ["get_time{}"])
    ),
    (
      .lines, "{\"name\": \"Alice\", \"age\": 3}",
      TakenApart(text: "{\"name\": \"Alice\", \"age\": 3}")
    ),
    (
      .lines,
      "  {\"name\": \"get_time\", \"parameters\": {}}\n{\"name\": \"get_time\", "
        + "\"parameters\": {}}", TakenApart(calls: ["get_time{}", "get_time{}"])
    ),
    (
      .mistral,
      "\u{1}[{\"name\": \"get_weather\", \"arguments\": \(paris)}, "
        + "{\"name\": \"get_time\", \"arguments\": {}}]",
      TakenApart(calls: ["get_weather" + paris, "get_time{}"])
    ),
    (
      .functionGemma,
      "\u{2}call:get_weather{city:\u{4}Pa\"r:i,s\u{4},days:3}\u{3}\u{2}call:get_time{}\u{3}\u{5}",
      TakenApart(calls: [#"get_weather{"city": "Pa\"r:i,s", "days": 3}"#, "get_time{}"])
    ),
    (
      .functionGemma, "Well.\u{2}call:get_time{}\u{3}",
      TakenApart(text: "Well.", calls: ["get_time{}"])
    ),
    (
      .functionGemma, "\u{2}call:get_weather{city:\u{4}Pa",
      TakenApart(abandoned: [#"call:get_weather{"city": "Pa"#])
    ),
    (
      .gemma4,
      "So.\u{6}call:get_weather{city:\u{8}Pa\"r:i,s\u{8},days:3}\u{7}\u{6}call:get_time{}\u{7}\u{9}",
      TakenApart(
        text: "So.", calls: [#"get_weather{"city": "Pa\"r:i,s", "days": 3}"#, "get_time{}"])
    ),
    (
      .gemma4, "\u{6}call:get_weather{city:\u{8}Pa",
      TakenApart(abandoned: [#"call:get_weather{"city": "Pa"#])
    ),
    (.mistral, "[TOOL_CALLS] [1]", TakenApart(text: "[TOOL_CALLS] [1]")),
    (.mistral, "So\u{1}", TakenApart(text: "So")),
  ]

  /// The bytes of an answer, in which U+0001 to U+0009 stand for control tokens.
  static func bytes(_ text: String) -> [UInt8] {
    text.utf8.flatMap { GuideMark(rawValue: 0x7F &+ $0)?.bytes ?? [$0] }
  }

  @Test("calls and text are told apart, in whatever pieces they come")
  func told() throws {
    var random = SeededGenerator.announced("told", salt: 21)
    for (syntax, text, expected) in Self.cases {
      let bytes = Self.bytes(text)
      var whole = try TestTools.parser(syntax)
      #expect(whole.takeApart(bytes) == expected, "\(text)")
      var single = try TestTools.parser(syntax)
      #expect(single.takeApart(bytes, cuts: Array(bytes.indices)) == expected, "\(text)")
      for _ in 0..<20 {
        let cuts = bytes.indices.filter { _ in Bool.random(using: &random) }
        var cut = try TestTools.parser(syntax)
        #expect(cut.takeApart(bytes, cuts: cuts) == expected, "\(text) \(cuts)")
      }
    }
  }

  @Test("arguments and text are given out before the answer ends")
  func streamed() throws {
    var parser = try TestTools.parser(.hermes)
    #expect(parser.append("Let me see") == [.text("Let me see")])
    #expect(parser.append(".\n<tool_") == [.text(".")])
    #expect(parser.append("call>\n{\"name\": \"get_wea") == [])
    let began = parser.append("ther\", \"arguments\": {\"city\": \"Lo")
    guard case .callBegan(0, let id, "get_weather") = began.first else {
      Issue.record("\(began)")
      return
    }
    #expect(began.dropFirst() == [.arguments(index: 0, "{\"city\": \"Lo")])
    let ended = parser.append("ndon\", \"days\": 2}}\n</tool_call>")
    #expect(
      ended == [
        .arguments(index: 0, "ndon\", \"days\": 2}"),
        .call(
          index: 0,
          ToolCall(id: id, name: "get_weather", arguments: "{\"city\": \"London\", \"days\": 2}")),
      ])
    #expect(parser.finish() == [])
  }

  @Test("what is damaged is never a call, and no letter of text is lost")
  func damaged() throws {
    var random = SeededGenerator.announced("damaged", salt: 22)
    let alphabet = Array("{}\"\\:,[]<>/ \nabc019_".utf8)
    var calls = 0
    for (syntax, text, _) in Self.cases where [.lines, .hermes].contains(syntax) {
      for _ in 0..<150 {
        var bytes = Self.bytes(text)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let place = Int.random(in: bytes.indices, using: &random)
          bytes[place] = alphabet.randomElement(using: &random) ?? 0x20
        }
        var parser = try TestTools.parser(syntax)
        let found = parser.takeApart(bytes)
        for call in found.calls {
          calls += 1
          let start = call.firstIndex(of: "{") ?? call.startIndex
          let tool = TestTools.all.first { $0.name == call[..<start] }
          let matches = try Guide.jsonSchema(tool?.schema().text ?? "false").accepts(
            String(call[start...]))
          #expect(matches, "\(call)")
        }
        if found.calls.isEmpty, found.abandoned.isEmpty {
          #expect(found.text == String(decoding: bytes, as: UTF8.self))
        }
      }
    }
    #expect(calls > 50)
  }

  @Test(
    "a stop text ends the text before the calls, and never a call, in whatever pieces they come")
  func stopped() throws {
    var random = SeededGenerator.announced("stopped", salt: 24)
    var ended = 0
    for (syntax, answer, _) in Self.cases where [.lines, .hermes].contains(syntax) {
      for stops in [
        ["."], ["\n"], ["look", "zz"], ["name"], ["}\n"], ["{"], ["</tool_call>"], ["zz"],
      ] {
        // Without cuts: what stands before the first call, cut at the first stop text.
        var whole = try TestTools.parser(syntax)
        let parts = whole.takeParts(Array(answer.utf8))
        let before = TakenApart(Array(parts.prefix { if case .text = $0 { true } else { false } }))
          .text
        let place = stops.compactMap { before.range(of: $0)?.lowerBound }.min()
        let expected = place.map { String(before[..<$0]) } ?? answer
        for _ in 0..<20 {
          let (given, isEnd) = try Self.stopped(answer, by: stops, syntax, cuts: &random)
          #expect(given == expected, "\(answer) \(stops)")
          #expect(isEnd == (place != nil))
          ended += isEnd ? 1 : 0
        }
      }
    }
    #expect(ended > 200)
  }

  /// What is given out of `answer`, which comes in random pieces, and whether a stop text ended it.
  private static func stopped(
    _ answer: String, by stops: [String], _ syntax: ToolSyntax, cuts: inout SeededGenerator
  ) throws -> (text: String, isEnd: Bool) {
    let guide = ToolGuide(TestTools.all, syntax: syntax)
    var matcher = ToolStopMatcher(
      stops, guide, try TestTools.model.get().guides.compiled(.toolCalls(guide)))
    var given = ""
    var rest = answer[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 1...6, using: &cuts))
      rest = rest.dropFirst(piece.count)
      let (text, stop) = matcher.append(0, String(piece))
      given += text
      if stop != nil { return (given, true) }
    }
    let last = matcher.finish("")
    // A stop text that only the end made certain is left out as well.
    return (given + last, (given + last).count < answer.count)
  }

  @Test("random text has no calls and comes back as it is")
  func untouched() throws {
    var random = SeededGenerator.announced("untouched", salt: 23)
    for syntax in ToolSyntax.allCases {
      for _ in 0..<100 {
        let text = String(
          (0..<60).map { _ in
            Array("<tool_call>{}\": \nnameö雨").randomElement(using: &random) ?? "a"
          })
        var parser = try TestTools.parser(syntax)
        let found = parser.takeApart(Array(text.utf8))
        guard !text.contains("<tool_call>") else { continue }
        #expect(found == TakenApart(text: text))
      }
    }
  }
}

extension Guide {
  /// Whether the guide allows `text`.
  func accepts(_ text: String) throws -> Bool {
    var machine = GrammarMachine(try program())
    return machine.accepts(Array(text.utf8))
  }
}

@Suite("Answers that may call tools")
struct ToolGuideTests {
  static let syntaxes: [ToolSyntax] = [.lines, .hermes]

  @Test("calls of a random model at any temperature are well formed", arguments: syntaxes)
  func sampled(_ syntax: ToolSyntax) throws {
    let model = try Fixture().model
    var names: Set<String> = []
    for seed in 1...12 as ClosedRange<UInt64> {
      let guide = ToolGuide(
        TestTools.all, choice: .required, count: seed % 2 == 0 ? .one : .several, syntax: syntax)
      var parser = try ToolCallParser(guide, model)
      var session = try Session(model)
      var parts: [AnswerPart] = []
      var text = ""
      let sampling = Sampling(temperature: 1.5, topK: 0, topP: 1, seed: seed)
      let summary = try session.generate(
        model.prompt("The"),
        options: GenerationOptions(
          sampling: sampling, maxTokens: 200, guide: .toolCalls(guide))
      ) { event in
        parts += parser.append(event)
        if case .token(let token) = event { text += token.text }
      }
      let found = TakenApart(parts)
      guard summary.reason != .maxTokens else { continue }
      #expect(found.text.isEmpty, "\(text)")
      #expect(!found.calls.isEmpty && found.abandoned.isEmpty, "\(text)")
      if seed % 2 == 0 { #expect(found.calls.count == 1, "\(text)") }
      for call in found.calls {
        let start = call.firstIndex(of: "{") ?? call.startIndex
        names.insert(String(call[..<start]))
        let arguments = Data(call[start...].utf8)
        #expect(try JSONSerialization.jsonObject(with: arguments) is [String: Any])
      }
      #expect(summary.forcedTokens > 0)
    }
    #expect(names == ["get_weather", "get_time"])
  }

  @Test("what is allowed depends on the choice")
  func choices() throws {
    let call = "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_call>"
    let weather =
      "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"A\", \"days\": 1}}"
      + "\n</tool_call>"
    func accepts(
      _ text: String, _ choice: ToolChoice, _ count: ToolCallCount = .several,
      answer: Guide? = nil
    ) throws -> Bool {
      try Guide.toolCalls(
        ToolGuide(TestTools.all, choice: choice, count: count, syntax: .hermes, answer: answer)
      ).accepts(text)
    }
    for (text, choice, count, expected) in [
      ("Hello", ToolChoice.auto, ToolCallCount.several, true),
      ("Hello", .required, .several, false), ("Hello", .none, .several, true),
      (call, .auto, .one, true), (call, .required, .one, true), (call, .none, .one, false),
      ("I see\n" + call, .auto, .one, true), ("I see\n" + call, .required, .one, false),
      (call + "\n" + weather, .auto, .one, false), (call + "\n" + weather, .auto, .several, true),
      (call, .named("get_time"), .one, true), (weather, .named("get_time"), .one, false),
      ("a <tool_call", .auto, .one, true), ("a <tool_call>", .auto, .one, false),
      ("", .auto, .one, true), ("<<tool_call>> <tool_call>", .none, .one, false),
    ] {
      #expect(try accepts(text, choice, count) == expected, "\(text) \(choice) \(count)")
    }
    let yes = Guide.choices(["yes", "no"])
    #expect(try accepts("yes", .auto, answer: yes) && accepts(call, .auto, answer: yes))
    #expect(
      try !accepts("Well " + call, .auto, answer: yes) && !accepts("maybe", .auto, answer: yes))
  }

  @Test("a conversation with a tool that cannot be used is refused in the tool's own words")
  func refusedPrompt() throws {
    let model = try Fixture("llama").model.conversing(as: "[INST] <<SYS>>")
    let tools = [ToolDefinition(name: "f", parameters: "[1]")]
    #expect(
      throws: GenerationError(
        .invalidGuide, "The tool 'f': The schema of its parameters must be of type 'object'.")
    ) { try model.prompt([.message(ChatMessage(.user, "Hello."))], tools: tools) }
  }

  @Test("tools that cannot be used are refused by name")
  func refusals() throws {
    func message(_ tools: [ToolDefinition], _ choice: ToolChoice = .auto) -> String {
      do {
        try Guide.toolCalls(ToolGuide(tools, choice: choice, syntax: .hermes)).validate()
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message([ToolDefinition(name: "a b")])
        == "The name of the tool 'a b' must have 1 to 64 letters, digits, '_', '-' or '.', and begin "
        + "with a letter or '_'.")
    #expect(
      message([ToolDefinition(name: "f", parameters: "[1]")])
        == "The tool 'f': The schema of its parameters must be of type 'object'.")
    #expect(
      message([ToolDefinition(name: "f", parameters: #"{"type": "object", "not": {}}"#)])
        .hasPrefix("The tool 'f': The schema's keyword 'not' at '#/not'"))
    #expect(
      message([TestTools.time, TestTools.time])
        == "Two tools are called 'get_time'. Give each a name of its own.")
    #expect(
      message([], .required) == "A tool must be called, but none is defined. Define one.")
    #expect(
      message([TestTools.time], .named("x"))
        == "The tool 'x' must be called, but there is none of that name. Define it.")
  }
}
