// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

/// `facet eval memorization` with the small model of random weights.
@Suite("Memorisation of a corpus")
struct EvalMemorizationTests {
  private static func corpus() throws -> String {
    let path = TinyModel.folder + "/corpus-\(UUID().uuidString).txt"
    let text = (0..<40).map { "Line \($0) of a text that nobody remembers.\n" }.joined()
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test("counts come with intervals, secrets with their exposure, and a seed repeats both")
  func table() throws {
    let arguments = [
      "eval", "memorization", TinyModel.base, "--corpus", try Self.corpus(), "--samples", "5",
      "--prefix", "8", "--continuation", "10", "--batch", "2", "--canary", "The code is [42]",
      "--candidates", "20", "--seed", "3",
    ]
    let outcome = try Facet.Child(arguments).outcome()
    #expect(outcome.status == 0)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines[0] == "5 places, 8 tokens given, 10 written")
    #expect(lines[1] == "exact        0  0.00 % [0.00, 43.45]")
    #expect(lines[2] == "approximate  0  0.00 % [0.00, 43.45]")
    #expect(lines[3] == "personal data in it: none of the forms that are searched for")
    #expect(lines[4].hasPrefix("canary 'The code is 42': exposure "))
    #expect(lines[4].contains(" of at most 4.39 bits, rank "))
    #expect(try Facet.Child(arguments).outcome().output == outcome.output)
  }

  @Test("JSON has what the help names")
  func json() throws {
    struct Page: Decodable {
      struct Share: Decodable {
        var count: Int
        var value: Double
        var low: Double
        var high: Double
      }
      struct Kind: Decodable {
        var kind: String
        var severity: String
        var count: Int
      }
      var places: Int
      var prefix: Int
      var continuation: Int
      var exact: Share
      var approximate: Share
      var personal_data: [Kind]
      var precision: String
      var threads: Int
      var seed: UInt64
    }
    let outcome = try Facet.run(
      "eval", "memorization", TinyModel.base, "--corpus", try Self.corpus(), "--samples", "3",
      "--prefix", "8", "--continuation", "10", "--json")
    let page = try JSONDecoder().decode(Page.self, from: Data(outcome.output.utf8))
    #expect(page.places == 3 && page.prefix == 8 && page.continuation == 10)
    #expect(page.exact.count == 0 && page.approximate.low == 0)
    #expect(page.personal_data.map(\.kind).contains("iban"))
    #expect(Set(page.personal_data.map(\.severity)) == ["personal", "sensitive"])
  }

  @Test("a corpus that is too short, a secret without marks and nothing to do are refused")
  func refusals() throws {
    let short = try Facet.run(
      "eval", "memorization", TinyModel.base, "--corpus", try Self.corpus(), "--prefix", "5000")
    #expect(short.status == 1)
    #expect(short.error.hasPrefix("facet: No text of the corpus has 5050 tokens; the longest has "))
    let unmarked = try Facet.run("eval", "memorization", TinyModel.base, "--canary", "none")
    #expect(unmarked.status == 1)
    #expect(unmarked.error.hasPrefix("facet: The canary 'none' has no secret: "))
    let nothing = try Facet.run("eval", "memorization", TinyModel.base)
    #expect(nothing.status == 2)
    #expect(nothing.error.contains("Name a text with --corpus, or a secret with --canary."))
  }
}
