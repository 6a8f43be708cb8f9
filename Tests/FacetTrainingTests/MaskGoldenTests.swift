// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetTestSupport
import FacetTokenizer
import FacetTraining
import Foundation
import Testing

/// Tokens and masks against those that TRL's trainer prepares (`Tests/Goldens/tuning/masks.json`).
@Suite("Rows as TRL trains them")
struct MaskGoldenTests {
  private let tokenizer: Tokenizer
  private let entries: [JSON]

  init() throws {
    tokenizer = try #require(DataFixture.gemma)
    let path = Goldens.path("tuning/masks.json")
    let data = try #require(FileManager.default.contents(atPath: path))
    entries = try #require(try JSONReader.read([UInt8](data), path: path).array)
  }

  /// Whether all that is there was to be trained.
  private func isWhole(_ entry: JSON) -> Bool {
    entry["assistant_only"]?.bool == false && entry["form"]?.string != "completion"
  }

  private func example(_ entry: JSON) throws -> TrainingExample {
    let row = try #require(entry["row"])
    var options = DatasetOptions()
    options.assistantOnly = !isWhole(entry)
    let isChat = row["messages"] != nil || row["prompt"]?.array != nil
    return try DataFixture.read(
      DataFixture.file("rows.jsonl", row.text), options, chatFormat: isChat ? .gemma : nil)[0]
  }

  private func tokens(_ entry: JSON) throws -> [Int32] {
    try #require(entry["ids"]?.array).map { Int32(try #require($0.integer)) }
  }

  @Test("the tokens are TRL's")
  func sameTokens() throws {
    #expect(entries.count == 15)
    for entry in entries { #expect(try example(entry).tokens == tokens(entry), "\(entry.text)") }
  }

  @Test("what is trained is what TRL trains, but for the newline behind an end of turn")
  func sameMask() throws {
    let end = try #require(tokenizer.token(forPiece: "<end_of_turn>"))
    let newline = tokenizer.encode("\n")
    #expect(newline.count == 1)
    var newlines = 0
    for entry in entries {
      let ids = try tokens(entry)
      let counts = try #require(entry["counts"]?.string)
      var expected = counts.map { $0 == "1" }
      expected[0] = false  // nothing comes before it to tell it from
      let ours = try example(entry).isTarget
      for i in 1..<ids.count where !isWhole(entry) && ids[i - 1] == end && ids[i] == newline[0] {
        newlines += expected[i] ? 1 : 0
        expected[i] = false
      }
      #expect(ours == expected, "\(entry.text)")
    }
    #expect(newlines == 9)
  }
}
