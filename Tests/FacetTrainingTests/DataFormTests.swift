// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import FacetTraining
import Foundation
import Testing

@Suite("Forms of rows")
struct DataFormTests {
  private func turn(_ question: String, _ answer: String) -> String {
    "<bos><start_of_turn>user\n\(question)<end_of_turn>\n"
      + "<start_of_turn>model\n⟦\(answer)<end_of_turn>⟧\n"
  }

  @Test("messages: the assistant's words and the end of its turn are trained")
  func messages() throws {
    #expect(
      try DataFixture.marked(
        #"{"messages":[{"role":"system","content":"Short."},{"role":"user","content":"Hi"},"#
          + #"{"role":"assistant","content":"Yes"},{"role":"user","content":"No?"},"#
          + #"{"role":"assistant","content":[{"type":"text","text":"N"},{"type":"text","text":"o"}]}]}"#
      ) == [
        turn("Short.\n\nHi", "Yes")
          + "<start_of_turn>user\nNo?<end_of_turn>\n<start_of_turn>model\n⟦No<end_of_turn>⟧\n"
      ])
  }

  @Test("the mask of Gemma's format, token by token, covers the answer and its end of turn")
  func mask() throws {
    let tokenizer = try #require(DataFixture.gemma)
    let example = try DataFixture.read(
      DataFixture.file("a.jsonl", DataFixture.row("What is 2+2?", "It is 4.")))[0]
    func id(_ name: String) throws -> Int32 { try #require(tokenizer.token(forPiece: name)) }
    let answer = tokenizer.encode("It is 4.") + [try id("<end_of_turn>")]
    let before =
      try [id("<bos>"), id("<start_of_turn>")] + tokenizer.encode("user\nWhat is 2+2?")
      + [id("<end_of_turn>")] + tokenizer.encode("\n") + [id("<start_of_turn>")]
      + tokenizer.encode("model\n")
    let after = tokenizer.encode("\n")
    #expect(example.tokens == before + answer + after)
    #expect(
      example.isTarget
        == before.map { _ in false } + answer.map { _ in true } + after.map { _ in false })
    #expect(example.line == 1 && example.source.hasSuffix("/a.jsonl"))
  }

  @Test("all tokens but the first are trained where that is asked for")
  func everything() throws {
    var options = DatasetOptions()
    options.assistantOnly = false
    let row = DataFixture.row("a", "b")
    #expect(
      try DataFixture.marked(row, options) == [
        "<bos>⟦<start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n⟧"
      ])
    #expect(
      try DataFixture.marked(#"{"prompt":"a","completion":"b"}"#, options, chatFormat: nil)
        == ["<bos>⟦ab<eos>⟧"])
  }

  @Test("plain text is trained from its first token to the end of sequence")
  func text() throws {
    #expect(
      try DataFixture.marked(
        "{\"text\":\"One two.\"}\n\n{\"text\":\"<bos>x<eos>\"}\r\n{\"text\":\"\"}")
        == ["<bos>⟦One two.<eos>⟧", "<bos>⟦x<eos>⟧", "<bos>⟦<eos>⟧"])
    var options = DatasetOptions()
    options.controlTokens = .literal
    let example = try DataFixture.read(
      DataFixture.file("a.jsonl", #"{"text":"<bos>x"}"#), options)[0]
    let bos = try #require(DataFixture.gemma?.special.bos)
    #expect(example.tokens.count { $0 == bos } == 1)
    #expect(example.tokens.count > 4)
  }

  @Test("a prompt is a turn of the user for a model that converses, and text for a base model")
  func completion() throws {
    let row = #"{"prompt":"Sky?","completion":" Blue"}"#
    #expect(try DataFixture.marked(row) == [turn("Sky?", "Blue")])
    #expect(try DataFixture.marked(row, chatFormat: nil) == ["<bos>Sky?⟦ Blue<eos>⟧"])
    var options = DatasetOptions()
    options.promptStyle = .plain
    #expect(try DataFixture.marked(row, options) == ["<bos>Sky?⟦ Blue<eos>⟧"])
  }

  @Test("of messages in prompt and completion only the completion is trained")
  func conversationalCompletion() throws {
    #expect(
      try DataFixture.marked(
        #"{"prompt":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},"#
          + #"{"role":"user","content":"c"}],"completion":[{"role":"assistant","content":"d"}]}"#)
        == [
          "<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n"
            + "<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n⟦d<end_of_turn>⟧\n"
        ])
    #expect(
      try DataFixture.marked(
        #"{"prompt":[{"role":"user","content":"a"}],"completion":"d"}"#) == [turn("a", "d")])
  }

  @Test("ShareGPT's conversations are messages")
  func shareGPT() throws {
    #expect(
      try DataFixture.marked(
        #"{"id":7,"system":"S","conversations":[{"from":"human","value":"a"},"#
          + #"{"from":"gpt","value":"b"}]}"#) == [turn("S\n\na", "b")])
  }

  @Test("Alpaca's rows are turns, or its own prompt for a base model")
  func alpaca() throws {
    let rows =
      #"{"instruction":"Add.","input":"1, 2","output":"3"}"# + "\n"
      + #"{"instruction":"Greet.","input":"","output":"Hello"}"#
    #expect(
      try DataFixture.marked(rows) == [turn("Add.\n\n1, 2", "3"), turn("Greet.", "Hello")])
    let plain = try DataFixture.marked(rows, chatFormat: nil)
    #expect(
      plain[0].hasSuffix("### Instruction:\nAdd.\n\n### Input:\n1, 2\n\n### Response:\n⟦3<eos>⟧"))
    #expect(
      plain[1].hasSuffix(
        "completes the request.\n\n### Instruction:\nGreet.\n\n### Response:\n⟦Hello<eos>⟧"))
  }

  @Test("fields may have other names")
  func fields() throws {
    var options = DatasetOptions()
    options.promptField = "question"
    options.completionField = "answer"
    #expect(
      try DataFixture.marked(#"{"question":"a","answer":"b","text":"no"}"#, options)
        == [turn("a", "b")])
    options.textField = "chosen"
    #expect(
      try DataFixture.marked(#"{"chosen":"a","rejected":"b"}"#, options) == ["<bos>⟦a<eos>⟧"])
  }

  @Test("tools stand in the instructions, calls are JSON of the assistant, results the user's")
  func tools() throws {
    let row =
      #"{"tools":[{"type":"function","function":{"name":"sum","parameters":{}}}],"messages":["#
      + #"{"role":"user","content":"1+2?"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","#
      + #""type":"function","function":{"name":"sum","arguments":"{\"a\":1}"}}]},"#
      + #"{"role":"tool","content":"3"},{"role":"assistant","content":"3."}]}"#
    #expect(
      try DataFixture.marked(row) == [
        turn(
          "You can call these functions:\n{\"name\":\"sum\",\"parameters\":{}}\n\nTo call one, answer "
            + "with nothing but {\"name\": its name, \"parameters\": {the name of each argument: its "
            + "value}}.\n\n1+2?", "{\"name\":\"sum\",\"parameters\":{\"a\":1}}")
          + "<start_of_turn>user\n3<end_of_turn>\n<start_of_turn>model\n⟦3.<end_of_turn>⟧\n"
      ])
  }

  @Test("a JSON array, CSV and their packed forms hold the same rows as JSONL")
  func containers() throws {
    let lines = (0..<50).map { #"{"prompt":"q \#($0)","completion":"a, \"\#($0)\""}"# }
    let expected = try DataFixture.marked(lines.joined(separator: "\n"))
    let array = "\u{FEFF}[\n " + lines.joined(separator: " ,\n") + "\n]\n"
    #expect(try DataFixture.marked(array, name: "rows.json") == expected)
    #expect(try DataFixture.marked(lines.joined(separator: "\r\n"), name: "rows.json") == expected)
    let table = ["prompt,completion"] + (0..<50).map { "q \($0),\"a, \"\"\($0)\"\"\"" }
    #expect(try DataFixture.marked(table.joined(separator: "\n"), name: "rows.csv") == expected)
    let tabs = ["prompt\tcompletion"] + (0..<50).map { "q \($0)\t\"a, \"\"\($0)\"\"\"" }
    #expect(try DataFixture.marked(tabs.joined(separator: "\n"), name: "rows.tsv") == expected)
    for (name, text) in [
      ("rows.jsonl", lines.joined(separator: "\n")), ("rows.json", array),
      ("rows.csv", table.joined(separator: "\r\n")),
    ] {
      let packed = try DataFixture.gzip(DataFixture.file(name, text))
      let dataset = try DataFixture.read(packed)
      let tokenizer = try #require(DataFixture.gemma)
      #expect((0..<dataset.count).map { dataset[$0].markedText(tokenizer) } == expected)
      #expect(dataset[0].source == packed)
    }
  }

  @Test("a directory stands for the files that mlx-lm looks for")
  func directory() throws {
    let folder = DataFixture.folder + "/mlx"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in ["train.jsonl", "valid.jsonl", "test.jsonl.gz", "notes.txt"] {
      try Data().write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    let files = try DataFiles(folder)
    #expect(files.training == [folder + "/train.jsonl"])
    #expect(files.validation == [folder + "/valid.jsonl"])
    #expect(files.test == [folder + "/test.jsonl.gz"])
    #expect(try DataFiles("x.jsonl").training == ["x.jsonl"])
    #expect(throws: TrainingError.self) { try DataFiles(DataFixture.folder) }
  }

  @Test("preference rows have a prompt of their own or the beginning that both answers share")
  func preferences() throws {
    let path = try DataFixture.file(
      "p.jsonl",
      #"{"prompt":"Q","chosen":"good","rejected":"bad"}"# + "\n"
        + #"{"chosen":"H: hi A: I do","rejected":"H: hi A: I may"}"# + "\n"
        + #"{"chosen":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"#
        + #""rejected":[{"role":"user","content":"a"},{"role":"assistant","content":"c"}]}"# + "\n"
        + #"{"prompt":"Q","chosen":[{"role":"assistant","content":"b"}],"rejected":"c"}"#)
    let rows = try PreferenceRow.read([path])
    #expect(rows.map(\.line) == [1, 2, 3, 4])
    #expect(
      rows.map(\.prompt) == [
        .text("Q"), .text("H: hi A: I"), .messages([ChatMessage(.user, "a")]),
        .messages([ChatMessage(.user, "Q")]),
      ])
    #expect(
      rows.map(\.chosen) == [
        .text("good"), .text(" do"), .messages([ChatMessage(.assistant, "b")]),
        .messages([ChatMessage(.assistant, "b")]),
      ])
    #expect(
      rows.map(\.rejected) == [
        .text("bad"), .text(" may"), .messages([ChatMessage(.assistant, "c")]),
        .messages([ChatMessage(.assistant, "c")]),
      ])
  }

  @Test(
    "the shared data sets are read",
    .enabled(if: SharedData.path("sft") != nil, "needs ../shared/data"))
  func sharedData() throws {
    let messages = try #require(SharedData.path("sft/self-instruct-messages.jsonl"))
    var options = DatasetOptions(maxLength: 4096)
    let dataset = try DataFixture.read(messages, options)
    #expect(dataset.statistics.rows == 427)
    #expect(dataset.statistics.dropped.total == 427 - dataset.count)
    let completions = try #require(SharedData.path("sft/t0-sample.jsonl"))
    options.promptStyle = .plain
    #expect(try DataFixture.read(completions, options).count > 1000)
    let preferences = try #require(SharedData.path("hh_rlhf/harmless-test.jsonl"))
    options.skipInvalid = true
    #expect(try PreferenceRow.read([preferences]).count > 2000)
  }
}
