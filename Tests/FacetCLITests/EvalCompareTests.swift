// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import Foundation
import Testing

/// `facet eval compare` on files that lm-eval wrote.
@Suite("Comparing results")
struct EvalCompareTests {
  private let first = Goldens.path("evaluation/results/first")
  private let second = Goldens.path("evaluation/results/second")

  @Test("two folders of lm-eval's files give a table with what was lost and won")
  func table() throws {
    let outcome = try Facet.run("eval", "compare", first, second, "--flips", "1")
    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("A  org/first model  \(first)/results_"))
    #expect(lines[2].split(separator: " ").prefix(6) == ["TASK", "METRIC", "N", "A", "B", "B−A"])
    #expect(lines.contains { $0.hasPrefix("toy_a ") && $0.contains(" acc_norm ") })
    #expect(lines.contains("Only in A: toy_written, toy_whole"))
    #expect(lines.contains { $0.hasPrefix("toy_a: ") && $0.hasSuffix(" lost") })
    #expect(lines.contains { $0.hasPrefix("  … and ") && $0.hasSuffix(" more") })
    // What is in the data must not move the cursor.
    #expect(!outcome.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
  }

  @Test("JSON has every line and every document that flipped, and a seed repeats it")
  func json() throws {
    struct Page: Decodable {
      struct Side: Decodable {
        var model: String
        var path: String
      }
      struct Line: Decodable {
        var name: String
        var difference: Double
        var low: Double
        var high: Double
        var lost: Int?
        var won: Int?
        var p: Double?
        var test: String?
      }
      struct Flip: Decodable {
        var task: String
        var document: Int
        var won: Bool
        var question: String
      }
      var a: Side
      var b: Side
      var lines: [Line]
      var flips: [Flip]
      var only_a: [String]
      var draws: Int
      var seed: UInt64
    }
    let arguments = ["--json", "--draws", "500", "--seed", "9"]
    let outcome = try Facet.Child(["eval", "compare", first, second] + arguments).outcome()
    #expect(outcome.status == 0)
    let page = try JSONDecoder().decode(Page.self, from: Data(outcome.output.utf8))
    #expect(page.lines.count == 9)
    #expect(page.draws == 500 && page.seed == 9)
    #expect(page.b.model == "second")
    let test = try #require(page.lines.first { $0.name == "toy_b" })
    #expect(page.flips.count { $0.task == "toy_b" && $0.won } == test.won)
    #expect(page.flips.count { $0.task == "toy_b" && !$0.won } == test.lost)
    let again = try Facet.Child(["eval", "compare", first, second] + arguments).outcome()
    #expect(again.output == outcome.output)
  }

  @Test("what is no result, and settings out of range, are refused with a sentence")
  func refusals() throws {
    let missing = try Facet.run("eval", "compare", first, first + "/none")
    #expect(missing.status == 1)
    #expect(missing.error == "facet: There is nothing at '\(first)/none'.\n")
    let draws = try Facet.run("eval", "compare", first, second, "--draws", "0")
    #expect(draws.status == 2)
    #expect(draws.error.contains("--draws must be between 1 and 1000000."))
  }
}
