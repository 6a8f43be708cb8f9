// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetEvaluation
import FacetTestSupport
import Foundation
import Testing

@Suite("Tasks and their rows")
struct TaskTests {
  private static let task =
    #"{"task":"t","kind":"multiple_choice","data":{"folder":"f","documents":["test"],"examples":["train"]},"text":"{q}","choices":"{c}","gold":"{g}","metrics":["acc"]}"#

  /// The task with a text in it replaced.
  private static func changed(_ old: String, _ new: String) -> String {
    task.replacingOccurrences(of: old, with: new)
  }

  private static func read(_ text: String) throws -> [TaskDefinition] {
    try TaskDefinition.read([UInt8](text.utf8), path: "t.json").tasks
  }

  /// A directory of data whose `f/test.jsonl` has `lines`.
  private static func directory(_ lines: [String], file: String = "test.jsonl") throws -> String {
    let path = Scratch.path("eval")
    try FileManager.default.createDirectory(
      atPath: path + "/f", withIntermediateDirectories: true)
    try Data(lines.joined(separator: "\n").utf8)
      .write(to: URL(fileURLWithPath: path + "/f/" + file))
    return path
  }

  @Test("every task and group of the program can be read, MMLU with its 57 subjects")
  func catalogue() throws {
    let catalogue = try TaskCatalogue()
    #expect(try catalogue.tasks(named: "mmlu").count == 57)
    #expect(try catalogue.tasks(named: "mmlu_stem").count == 19)
    #expect(try catalogue.tasks(named: "bbh_cot_fewshot").count == 27)
    for suite in EvaluationSuite.allCases {
      for entry in suite.entries { #expect(try !catalogue.tasks(named: entry.name).isEmpty) }
    }
    let error = #expect(throws: EvaluationError.self) { try catalogue.tasks(named: "arc_esay") }
    #expect(
      error?.message == "There is no task 'arc_esay'; facet eval --list shows those that there are."
    )
  }

  @Test(
    "a definition that is wrong is refused with its place",
    arguments: [
      ("[]", "t.json: a task is an object of JSON."), ("{}", "t.json: 'task' is missing."),
      (
        changed("multiple_choice", "guess"),
        "t.json: 'kind' is 'guess', which docs/evaluation.md does not list."
      ),
      (
        changed("\"text\":\"{q}\",", ""),
        "t.json: 'text' is missing."
      ),
      (
        changed("\"acc\"", "\"f1\""),
        "t.json: 'f1' is no metric of a task of this kind; docs/evaluation.md lists them."
      ),
      (
        changed("\"gold\"", "\"golden\""),
        "t.json: 'golden' is not known here."
      ),
      (
        changed("\"f\"", "\"../f\""),
        "t.json, 'data': it needs a folder below the directory of data, and 'documents'."
      ),
      (
        #"{"task":"t","kind":"generation","data":{"folder":"f","documents":["test"]},"text":"{q}","target":"{a}","#
          + #""generation":{"repeats":3},"metrics":["exact_match"]}"#,
        "t.json, 'generation': 'temperature' must lie between 0 and 10, 'repeats' between 1 and 1024, and only "
          + "drawn answers differ: 'repeats' needs a 'temperature'."
      ),
      (
        changed("{\"task\"", "{\"preamble_replace\":[\"x\"],\"task\""),
        "t.json: 'preamble_replace' has a text and what takes its place."
      ),
      (
        changed("\"t\"", "\"a/b\""),
        "t.json: the name 'a/b' may have letters, digits, '_', '-' and '.' only."
      ),
    ] as [(String, String)])
  func refused(_ text: String, _ sentence: String) {
    let error = #expect(throws: EvaluationError.self) { try Self.read(text) }
    #expect(error?.message == sentence)
  }

  @Test(
    "a bad row is an error with file and line, or is left out and counted",
    arguments: [
      (#"{"q":"a","c":["x"],"g":1}"#, "The right answer is 1, which is none of the 1 choices."),
      (
        #"{"q":"a","c":["x","y"],"g":"z"}"#,
        "The right answer is \"z\", which is none of the 2 choices."
      ),
      (#"{"c":["x"],"g":0}"#, "The field 'q' is missing."),
      (#"{"q":"a","c":[],"g":0}"#, "There are no choices."),
      (#"{"q":"a","c":"x","g":0}"#, "The choices are no list."),
    ])
  func badRow(_ row: String, _ sentence: String) throws {
    let path = try Self.directory([#"{"q":"a","c":["x","y"],"g":"y"}"#, "", row])
    defer { try? FileManager.default.removeItem(atPath: path) }
    let task = try Self.read(Self.task)[0]
    let error = #expect(throws: EvaluationError.self) {
      try TaskRows(task, directory: path, shots: 0, tolerance: .none)
    }
    #expect(error?.message == "\(path)/f/test.jsonl:3: \(sentence)")
    let rows = try TaskRows(task, directory: path, shots: 0, tolerance: .skipping)
    #expect(rows.documents.count == 1)
    #expect(rows.problems.map(\.message) == ["\(path)/f/test.jsonl:3: \(sentence)"])
  }

  @Test("a line that is no JSON is named")
  func noJSON() throws {
    let path = try Self.directory([#"{"q":"a","c":["x","y"],"g":"y"}"#, "{\"q\":"])
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: EvaluationError.self) {
      try TaskRows(Self.read(Self.task)[0], directory: path, shots: 0, tolerance: .none)
    }
    #expect(error?.message.hasPrefix("\(path)/f/test.jsonl:2: ") == true)
  }

  @Test("a table of comma-separated values has the same rows, quotes and line breaks included")
  func table() throws {
    let path = try Self.directory(
      ["q,a,b,g", "\"one, \"\"two\"\"\nthree\",x,y,1", "short,x"], file: "test.csv")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let task = try Self.read(
      Self.task.replacingOccurrences(of: "\"{c}\"", with: "[\"{a}\",\"{b}\"]"))[0]
    let rows = try TaskRows(task, directory: path, shots: 0, tolerance: .skipping)
    var prompts = PromptAssembly(task, rows, shots: 0)
    let prompt = try prompts.document(0)
    #expect(prompt.requests.map(\.context) == Array(repeating: "one, \"two\"\nthree", count: 2))
    #expect(prompt.requests.map(\.continuation) == [" x", " y"])
    #expect(
      rows.problems.map(\.message) == [
        "\(path)/f/test.csv:4: The row has 2 fields, and the table 4."
      ])
  }

  @Test("missing data and too few examples are said, with what to do")
  func missing() throws {
    let path = try Self.directory([#"{"q":"a","c":["x","y"],"g":"y"}"#])
    defer { try? FileManager.default.removeItem(atPath: path) }
    let task = try Self.read(Self.task)[0]
    let error = #expect(throws: EvaluationError.self) {
      try TaskRows(task, directory: path, shots: 2, tolerance: .none)
    }
    #expect(error?.message == "'\(path)/f' has no file train*.jsonl.")
    let nowhere = #expect(throws: EvaluationError.self) {
      try TaskRows(task, directory: path + "/x", shots: 0, tolerance: .none)
    }
    #expect(
      nowhere?.message
        == "There is no data in '\(path)/x/f'. Say with --data where the sets are: "
        + "docs/evaluation.md describes the layout.")
  }
}
