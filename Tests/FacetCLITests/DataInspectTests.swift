// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

@Suite("facet data inspect")
struct DataInspectTests {
  private static let rows =
    #"{"prompt":"Hi","completion":"Yes"}"# + "\n" + #"{"prompt":"Hi","completion":"Yes"}"# + "\n"
    + "{\n" + #"{"text":"\#(String(repeating: "a", count: 100))"}"# + "\n"

  private func file() throws -> String {
    let path = TinyModel.folder + "/\(UUID().uuidString).jsonl"
    try Data(Self.rows.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test("rows are shown with what is trained in brackets, then counts, lengths and problems")
  func text() throws {
    let path = try file()
    let outcome = try Facet.run(
      "data", "inspect", path, "--model", TinyModel.instructed, "--rows", "1", "--max-length", "64")
    #expect(outcome.status == 0 && outcome.error == "")
    #expect(
      outcome.output.contains(
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n⟦Yes<|im_end|>⟧\n"))
    #expect(outcome.output.hasPrefix("\(path):1  "))
    let words = outcome.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(
      words.contains(
        "rows 4 examples 2 left out: too long 1 left out: invalid 1 left out: nothing trained 0 "
          + "duplicates 1"))
    #expect(words.contains("33–64 "))
    #expect(outcome.output.contains("Line 3 of '\(path)' is not JSON: "))
    #expect(!outcome.output.contains("\u{1B}"))
  }

  @Test("a base model is told apart, and a format may be named")
  func baseModel() throws {
    let path = try file()
    let outcome = try Facet.run("data", "inspect", path, "--model", TinyModel.base)
    #expect(outcome.output.contains("Hi⟦Yes</s>⟧"))
    let named = try Facet.run(
      "data", "inspect", path, "--model", TinyModel.base, "--format", "chatML")
    #expect(named.output.contains("⟦Yes<|im_end|>⟧"))
  }

  @Test("--json has rows and counts")
  func json() throws {
    struct Page: Decodable {
      struct Row: Decodable {
        struct Run: Decodable {
          var text: String
          var trained: Bool
        }
        var line: Int
        var runs: [Run]
      }
      struct Statistics: Decodable {
        var rows: Int
        var duplicates: Int
      }
      var rows: [Row]
      var statistics: Statistics
    }
    let outcome = try Facet.run(
      "data", "inspect", try file(), "--model", TinyModel.instructed, "--json")
    let page = try JSONDecoder().decode(Page.self, from: Data(outcome.output.utf8))
    #expect(page.rows.map(\.line) == [1, 2, 4])
    #expect(page.rows[0].runs.filter(\.trained).map(\.text) == ["Yes<|im_end|>"])
    #expect(page.statistics.rows == 4 && page.statistics.duplicates == 1)
  }

  @Test("what is wrong is one sentence")
  func errors() throws {
    let missing = try Facet.run(
      "data", "inspect", "/nowhere/rows.jsonl", "--model", TinyModel.instructed)
    #expect(missing.status == 1)
    #expect(
      missing.error
        == "facet: There is no file '/nowhere/rows.jsonl' that can be read. Look at its name and its "
        + "rights.\n")
  }
}
