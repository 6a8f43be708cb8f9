// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

/// What `facet run` says and does about guessing ahead and snapshots.
@Suite("Speculation and snapshots of facet run")
struct SpeculationOptionTests {
  static let model = TinyModel.base
  static let text = "one two three one two three one two"

  @Test("guessing changes no letter of an answer, and --verbose says how often it was right")
  func lookup() throws {
    let common = [
      "run", Self.model, Self.text, "--greedy", "--max-tokens", "60", "--verbose",
    ]
    let plain = try Facet.Child(common).outcome()
    let off = try Facet.Child(common + ["--speculate", "off"]).outcome()
    let lookup = try Facet.Child(common + ["--speculate", "lookup"]).outcome()
    let draft = try Facet.Child(
      common + ["--draft", Self.model, "--draft-tokens", "2"]
    ).outcome()
    #expect(plain.status == 0 && plain.output.count > 30)
    for outcome in [off, lookup, draft] {
      #expect(outcome.status == 0)
      #expect(outcome.output == plain.output)
    }
    #expect(!plain.error.contains("drafted"))
    #expect(!off.error.contains("drafted"))
  }

  @Test("--json counts what was guessed")
  func json() throws {
    let outcome = try Facet.run(
      "run", Self.model, Self.text, "--greedy", "--max-tokens", "9", "--json", "--speculate",
      "lookup")
    #expect(outcome.output.contains("\"drafted_tokens\":"))
    #expect(outcome.output.contains("\"accepted_tokens\":"))
  }

  @Test("options that contradict one another are refused")
  func refusals() throws {
    func error(_ arguments: String...) throws -> String {
      let outcome = try Facet.Child(["run", Self.model, "a"] + arguments).outcome()
      #expect(outcome.status == 2)
      return outcome.error.split(separator: "\n").first.map(String.init) ?? ""
    }
    #expect(
      try error("--draft", "x", "--speculate", "lookup")
        == "Error: --draft guesses with a model, so --speculate lookup has no place; give one of them."
    )
    #expect(
      try error("--draft-tokens", "2")
        == "Error: --draft-tokens needs --draft or --speculate lookup.")
    #expect(
      try error("--speculate", "lookup", "--draft-tokens", "9")
        == "Error: --draft-tokens is 9; it must be between 1 and 3.")
  }

  @Test("a draft of another vocabulary is refused before anything is read")
  func otherVocabulary() throws {
    let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens/fixtures/llama/llama.gguf").path
    let outcome = try Facet.run("run", Self.model, "a", "--draft", fixture)
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    #expect(outcome.error.contains(" cannot draft for Tiny: its vocabulary is another one ("))
  }

  @Test("a second run begins with the snapshot of the first")
  func snapshot() throws {
    let file = TinyModel.folder + "/run.snapshot"
    func run(_ text: String, _ more: [String] = []) throws -> Facet.Outcome {
      try Facet.Child(
        ["run", Self.model, text, "--greedy", "--max-tokens", "20", "--verbose"] + more
      ).outcome()
    }
    let first = try run(Self.text, ["--snapshot", file])
    #expect(first.status == 0 && first.error.contains("tokens (0 from the cache)"))
    #expect(FileManager.default.fileExists(atPath: file))
    let other = Self.text + " four"
    let second = try run(other, ["--snapshot", file])
    #expect(second.error.contains("tokens (\(Self.text.count + 1) from the cache)"))
    #expect(second.output == (try run(other)).output)
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: file))
    let third = try run(Self.text, ["--snapshot", file])
    #expect(third.status == 1 && third.output == "")
    #expect(
      third.error.contains("facet: '\(file)' is not a snapshot of a session. Name another file."))
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "nothing")
  }
}
