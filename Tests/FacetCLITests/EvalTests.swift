// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import Foundation
import Testing

/// `facet eval`.
@Suite("Benchmarks from the command line")
struct EvalTests {
  private static let model = Goldens.path("fixtures/gemma3/gemma3.gguf")
  private static let rows = Goldens.path("evaluation/rows")

  @Test("a run prints lm-eval's table, keeps its answers, and goes on with them when asked to")
  func run() throws {
    let output = TinyModel.folder + "/eval"
    defer { try? FileManager.default.removeItem(atPath: output) }
    let arguments = [
      "eval", Self.model, "--tasks", "arc_easy,piqa", "--limit", "3", "--data", Self.rows,
      "--output", output,
    ]
    let first = try Facet.Child(arguments).outcome()
    #expect(first.status == 0, "\(first.error)")
    let lines = first.output.split(separator: "\n")
    #expect(lines.count == 6 && lines[0].hasPrefix("| Tasks  |Version|Filter|n-shot|"))
    #expect(lines[2].hasPrefix("|arc_easy|      1|none  |     0|acc     |↑  |"))
    #expect(first.error.contains("arc_easy: 3 documents in "))

    let again = try Facet.Child(arguments).outcome()
    #expect(again.status == 1)
    #expect(
      again.error
        == "facet: '\(output)' has answers of a run before; add --resume to go on with them, or name "
        + "another folder.\n")
    let resumed = try Facet.Child(arguments + ["--resume"]).outcome()
    #expect(resumed.status == 0 && resumed.output == first.output)
    #expect(resumed.error.contains("arc_easy: 3 documents answered before; "))
  }

  @Test("a task of one's own is run with its file")
  func ownTask() throws {
    let path = TinyModel.folder + "/mine.json"
    let text = """
      {"task": "mine", "kind": "generation", "data": {"folder": "nq_open", "documents": ["validation"]},
       "text": "Q: {question}?\\nA:", "target": "{answer}", "generation": {"most_tokens": 4},
       "metrics": ["exact_match"]}
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    let outcome = try Facet.run(
      "eval", Self.model, "--task", path, "--data", Self.rows, "--limit", "2")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains("|mine |      1|none  |     0|exact_match|↑  |"))
  }

  @Test("Ctrl-C ends a run with the figures so far and 130, and --resume goes on from there")
  func interrupt() throws {
    let folder = TinyModel.folder + "/interrupted"
    let (output, task) = (folder + "/out", folder + "/long.json")
    try FileManager.default.createDirectory(
      atPath: folder + "/questions", withIntermediateDirectories: true)
    let text = """
      {"task": "long", "kind": "generation", "data": {"folder": "questions", "documents": ["test"]},
       "text": "Q: {q}?\\nA:", "target": "no", "generation": {"most_tokens": 200},
       "metrics": ["exact_match"]}
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: task))
    let rows = (0..<5000).map { "{\"q\": \"What is the square of \($0)\"}\n" }.joined()
    try Data(rows.utf8).write(to: URL(fileURLWithPath: folder + "/questions/test.jsonl"))
    let arguments = ["eval", Self.model, "--task", task, "--data", folder, "--output", output]
    let child = try Facet.Child(arguments)
    let answers = output + "/answers.jsonl"
    while child.process.isRunning, (FileManager.default.contents(atPath: answers) ?? Data()).isEmpty
    {
      Thread.sleep(forTimeInterval: 0.01)
    }
    child.process.interrupt()
    let outcome = child.outcome()
    #expect(outcome.status == 130)
    #expect(outcome.output.contains("|long |      1|none  |     0|exact_match|↑  |"))
    let said = try #require(outcome.error.firstMatch(of: /long: stopped after (\d+) of 5000 doc/))
    let count = try #require(Int(said.1))
    #expect(count > 0 && count < 5000)

    let resumed = try Facet.Child(arguments + ["--resume", "--limit", "\(count)"]).outcome()
    #expect(resumed.status == 0)
    #expect(resumed.error.contains("long: \(count) documents answered before; "))
  }

  @Test("what cannot be run is said in a sentence")
  func refusals() throws {
    let unknown = try Facet.run("eval", Self.model, "--tasks", "arc", "--data", Self.rows)
    #expect(unknown.status == 1)
    #expect(
      unknown.error
        == "facet: There is no task 'arc'; facet eval --list shows those that there are.\n")
    let nothing = try Facet.run("eval", Self.model)
    #expect(nothing.status == 2 && nothing.error.contains("--tasks, --suite or --task"))
    let resume = try Facet.run("eval", Self.model, "--tasks", "piqa", "--resume")
    #expect(resume.status == 2 && resume.error.contains("--resume needs the --output"))
    let data = try Facet.run("eval", Self.model, "--tasks", "piqa", "--data", "/nowhere")
    #expect(data.status == 1 && data.error.contains("There is no data in '/nowhere/piqa'"))
  }

  @Test("a server is an address of the web, and takes no adapters")
  func servers() throws {
    let start = ["eval", "m", "--tasks", "piqa", "--data", Self.rows, "--server"]
    for address in ["127.0.0.1:8080", "ftp://there/v1", "http://", "http://there/v1?key=x"] {
      let outcome = try Facet.Child(start + [address]).outcome()
      #expect(outcome.status == 2)
      #expect(
        outcome.error.contains(
          "--server '\(address.hasSuffix("/") ? "http:" : address)' is not the address of a server; write "
            + "it like http://127.0.0.1:11434/v1."), "\(outcome.error)")
    }
    let adapter = try Facet.Child(start + ["http://there/v1", "--adapter", "a"]).outcome()
    #expect(adapter.status == 2)
    #expect(
      adapter.error.contains(
        "--adapter and --context are for a model here, not for one of a --server.")
    )
    let many = try Facet.Child(start + ["http://there/v1", "--concurrency", "0"]).outcome()
    #expect(many.status == 2)
    #expect(many.error.contains("--concurrency must be between 1 and 1024."))
  }

  @Test("a set that is not on the Hub, and a Hub that is not there, are named")
  func fetching() throws {
    let absent = try Facet.run("eval", "fetch", "bold_race")
    #expect(absent.status == 1)
    #expect(
      absent.error
        == "facet: The data of task 'bold_race' are not on the Hugging Face Hub in this form; "
        + "docs/evaluation.md says what its folder 'bold' is to have.\n")
    let hub = "http://127.0.0.1:9"
    let away = try Facet.Child(
      ["eval", "fetch", "arc_easy", "--data", TinyModel.folder], environment: ["HF_ENDPOINT": hub]
    ).outcome()
    #expect(away.status == 1)
    #expect(
      away.error
        == "facet: \(hub) could not be asked for 'allenai/ai2_arc': no connection could be made. Check the "
        + "network and the proxy settings, and fetch again: what has arrived is kept.\n")
  }
}
