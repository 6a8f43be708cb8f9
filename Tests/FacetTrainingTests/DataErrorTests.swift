// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer
import FacetTraining
import Foundation
import Testing

@Suite("Errors in data")
struct DataErrorTests {
  private let mend = " Mend it, or have such rows skipped (skip_invalid)."

  private func refuse(
    _ text: String, name: String = "rows.jsonl", chatFormat: ChatFormat? = .gemma,
    _ message: String, location: SourceLocation = #_sourceLocation
  ) throws {
    let said = try DataFixture.complaint(text, name: name, chatFormat: chatFormat)
    #expect(said == message, sourceLocation: location)
  }

  private func refuse(
    _ text: String, _ options: DatasetOptions, _ message: String,
    location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try DataFixture.complaint(text, options) == message, sourceLocation: location)
  }

  @Test("a bad line is named by file and number, with what is wrong")
  func badLine() throws {
    let good = DataFixture.row("a", "b")
    try refuse(
      good + good + "{\"messages\":[}\n" + good,
      "Line 3 of 'rows.jsonl' is not JSON: a value is missing at byte 13." + mend)
    try refuse(
      good + "\u{0}\n",
      "Line 2 of 'rows.jsonl' is not JSON: a value is missing at byte 0." + mend)
    try refuse(
      "[1]\n", "Line 1 of 'rows.jsonl' is no JSON object with the fields of a row." + mend)
    try refuse(
      "[\n{\"text\":\"a\"},\n{\"text\":1}]", name: "rows.json",
      "Row 2 of 'rows.json' has a 'text' that is no text." + mend)
  }

  @Test("a row of no form says what it has and what it needs")
  func unknownForm() throws {
    try refuse(
      #"{"question":"a","choices":{}}"#,
      "Line 1 of 'rows.jsonl' is of no form that can be trained on. Its fields are 'choices', "
        + "'question'. Give it 'messages', 'prompt' and 'completion', 'instruction' and 'output', or "
        + "'text', or say which fields those are (text_field, prompt_field, completion_field, "
        + "messages_field).")
    try refuse(
      "{}",
      "Line 1 of 'rows.jsonl' is of no form that can be trained on. It has no fields. Give it "
        + "'messages', 'prompt' and 'completion', 'instruction' and 'output', or 'text', or say which "
        + "fields those are (text_field, prompt_field, completion_field, messages_field).")
    try refuse(
      #"{"prompt":"p","chosen":"a","rejected":"b"}"#,
      "Line 1 of 'rows.jsonl' is a preference row ('chosen' and 'rejected'), from which supervised "
        + "fine-tuning cannot learn. Name the field to learn from: text_field=chosen, or "
        + "completion_field=chosen beside a prompt.")
  }

  @Test("what is wrong with a message is said")
  func messages() throws {
    func row(_ messages: String) -> String { "{\"messages\":\(messages)}" }
    let place = "Line 1 of 'rows.jsonl' "
    try refuse(row("7"), place + "has 'messages' that are no list of messages." + mend)
    try refuse(row("[]"), place + "has no messages in 'messages'." + mend)
    try refuse(
      row(#"[{"content":"a"}]"#),
      place + "has a message 1 that does not say whose it is ('role')." + mend)
    try refuse(
      row(#"[{"role":"robot","content":"a"}]"#),
      place + "has a message 1 of 'robot'; the roles are system, user, assistant and tool." + mend)
    try refuse(
      row(#"[{"role":"user"}]"#), place + "has a message 1 without 'content'." + mend)
    try refuse(
      row(#"[{"role":"user","content":[{"type":"image"}]}]"#),
      place + "has a message 1 with a part of type 'image'; only text can be trained on." + mend)
    try refuse(
      row(#"[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{}]}]"#),
      place + "has a message 2 with a call of a tool that has no 'name'." + mend)
    try refuse(
      row(#"[{"role":"assistant","content":"a"}]"#),
      place
        + "is no conversation that the model could have. The conversation begins with a message "
        + "of the assistant; the chat format 'gemma' begins with the user's." + mend)
    try refuse(
      #"{"prompt":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"#
        + #""completion":[{"role":"assistant","content":"c"}]}"#,
      place + "has a 'prompt' that ends and a 'completion' that begins with the assistant, so that "
        + "nothing parts them." + mend)
  }

  @Test("a row that teaches nothing is an error")
  func untrained() throws {
    try refuse(
      DataFixture.row("a", "b") + #"{"messages":[{"role":"user","content":"a"}]}"#,
      "Line 2 of 'rows.jsonl' has no trained token: the assistant says nothing in it." + mend)
    var options = DatasetOptions(maxLength: 4)
    options.overlong = .truncate
    let path = try DataFixture.file("rows.jsonl", DataFixture.row("a", "b"))
    let count = try DataFixture.read(path).length(of: 0)
    try refuse(
      DataFixture.row("a", "b"), options,
      "Line 1 of 'rows.jsonl' has no trained token left after \(count - 4) tokens were cut off its end; raise "
        + "the maximum length (max_length)." + mend)
  }

  @Test("a base model says what to do with a conversation")
  func baseModel() throws {
    try refuse(
      DataFixture.row("a", "b"), chatFormat: nil,
      "Line 1 of 'rows.jsonl' is a conversation, and this model has no chat format: it was not taught "
        + "to converse. Name a format that its vocabulary has the tokens of (chat_format), or give "
        + "rows of plain text or of prompt and completion.")
    var options = DatasetOptions()
    options.skipInvalid = true
    #expect(
      try DataFixture.complaint(DataFixture.row("a", "b"), options, chatFormat: .chatML)
        == "The chat format 'chatML' needs the '<|im_start|>' token, which this model's vocabulary does "
        + "not have; choose another format or use the model without one.")
  }

  @Test("an over-long row is dropped and counted, cut, or an error, as is asked for")
  func overlong() throws {
    let rows = DataFixture.row("a", "b") + #"{"text":"one two three four five six seven"}"#
    let tokens = try DataFixture.read(DataFixture.file("a.jsonl", rows)).statistics.longest
    var options = DatasetOptions(maxLength: 15)
    #expect(tokens > 15)
    let dropped = try DataFixture.read(DataFixture.file("a.jsonl", rows), options)
    #expect(dropped.count == 1)
    #expect(dropped.statistics.dropped.overlong == 1 && dropped.statistics.truncated == 0)
    options.overlong = .truncate
    let cut = try DataFixture.read(DataFixture.file("a.jsonl", rows), options)
    #expect(cut.count == 2 && cut.statistics.truncated == 1 && cut.length(of: 1) == 15)
    options.overlong = .error
    try refuse(
      rows, options,
      "Line 2 of 'rows.jsonl' has \(tokens) tokens, and the maximum length is 15. Raise it "
        + "(max_length), or have such rows left out or cut (overlong: drop or truncate).")
    try refuse(
      rows, DatasetOptions(maxLength: 1),
      "The maximum length is 1; an example needs at least 2 tokens, one to predict from and one to "
        + "predict.")
  }

  @Test("rows that are skipped are counted, and what was wrong with them is kept")
  func skipped() throws {
    var options = DatasetOptions()
    options.skipInvalid = true
    let text =
      "{\n" + DataFixture.row("a", "b") + #"{"x":1}"# + "\n"
      + #"{"messages":[{"role":"user","content":"a"}]}"# + "\n" + DataFixture.row("a", "b")
    let path = try DataFixture.file("rows.jsonl", text)
    let statistics = try DataFixture.read(path, options).statistics
    #expect(statistics.rows == 5 && statistics.examples == 2)
    #expect(statistics.dropped.invalid == 2 && statistics.dropped.untrained == 1)
    #expect(statistics.duplicates == 1)
    #expect(
      statistics.problems.map { DataFixture.named($0, path).prefix(22) } == [
        "Line 1 of 'rows.jsonl'", "Line 3 of 'rows.jsonl'", "Line 4 of 'rows.jsonl'",
      ])
    try refuse(
      "{\n", options,
      "None of the 1 rows of 'rows.jsonl' can be trained on: 0 are too long, 1 are invalid, 0 have no "
        + "trained token. Line 1 of 'rows.jsonl' is not JSON: a key is missing at byte 1." + mend)
    try refuse("", "There are no rows in 'rows.jsonl'. Give a file with rows.")
  }

  @Test("a file that cannot be read is named, with what to do")
  func files() throws {
    #expect(
      try DataFixture.complaint(about: "/nowhere/rows.jsonl")
        == "There is no file 'rows.jsonl' that can be read. Look at its name and its rights.")
    try refuse(
      "a", name: "rows.parquet",
      "'rows.parquet' is of no known form; give a file that ends in .jsonl, .json, .csv or .tsv, with "
        + "or without .gz, or a directory with train.jsonl.")
    let path = try DataFixture.file("empty", "") + "-folder"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    #expect {
      try DataFiles(path)
    } throws: {
      "\($0)"
        == "The directory '\(path)' has no train.jsonl. Put the rows into a file of that name, with "
        + "valid.jsonl and test.jsonl beside it as you like, or name a file."
    }
  }

  @Test("a damaged packed file says what gzip says")
  func damagedPack() throws {
    let packed = try DataFixture.gzip(
      DataFixture.file("rows.jsonl", (0..<500).map { DataFixture.row("q \($0)", "a") }.joined()))
    let data = try Data(contentsOf: URL(fileURLWithPath: packed))
    let short = try DataFixture.file("short.jsonl.gz", data.prefix(data.count / 2))
    #expect(
      try DataFixture.complaint(about: short)
        == "'short.jsonl.gz' cannot be unpacked: gzip says 'unexpected end of file'. The file is "
        + "damaged; get it again.")
    let plain = try DataFixture.file("plain.jsonl.gz", DataFixture.row("a", "b"))
    #expect(
      try DataFixture.complaint(about: plain)
        == "'plain.jsonl.gz' cannot be unpacked: gzip says 'not in gzip format'. The file is damaged; "
        + "get it again.")
  }

  @Test("a JSON array that is broken says where")
  func brokenArray() throws {
    let advice = " Mend it, or write one row a line (JSONL)."
    try refuse(
      #"[{"text":"a"},{"text":"#, name: "rows.json",
      "'rows.json' is no JSON array of rows: it ends inside row 2." + advice)
    try refuse(
      #"[{"text":"a"}] x"#, name: "rows.json",
      "'rows.json' is no JSON array of rows: more text follows the array." + advice)
    try refuse(
      #"[{"text":"a"}}]"#, name: "rows.json",
      "'rows.json' is no JSON array of rows: a bracket closes what was not opened." + advice)
    try refuse("[]", name: "rows.json", "There are no rows in 'rows.json'. Give a file with rows.")
  }

  @Test("the parts of a preference row that is none are named")
  func preferences() throws {
    func complaint(_ text: String) throws -> String? {
      let path = try DataFixture.file("p.jsonl", text)
      do {
        _ = try PreferenceRow.read([path])
        return nil
      } catch { return DataFixture.named(error.message, path) }
    }
    #expect(
      try complaint(#"{"chosen":"a"}"#)
        == "Line 1 of 'p.jsonl' is no preference row: it lacks 'chosen' or 'rejected'." + mend)
    #expect(
      try complaint(#"{"chosen":"a","rejected":"a"}"#)
        == "Line 1 of 'p.jsonl' prefers an answer to itself: 'chosen' and 'rejected' are equal."
        + mend)
  }
}
