// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTraining
import Foundation
import Testing

@Suite("CSV")
struct DataCSVTests {
  private func texts(_ text: String) throws -> [String] {
    try DataFixture.marked(text, name: "rows.csv").map {
      String($0.dropFirst("<bos>⟦".count).dropLast("<eos>⟧".count))
    }
  }

  @Test("cells are those of RFC 4180")
  func cells() throws {
    #expect(try texts("text\na\nb\n") == ["a", "b"])
    #expect(try texts("text\r\na\r\nb") == ["a", "b"])
    #expect(try texts("\u{FEFF}text\na") == ["a"])
    #expect(try texts("\u{FEFF}\"text\"\na") == ["a"])
    #expect(try texts("text\n\"a,b\"\n") == ["a,b"])
    #expect(try texts("text\n\"say \"\"hi\"\"\"\n") == ["say \"hi\""])
    #expect(try texts("text\n\"two\nlines\"\nx") == ["two\nlines", "x"])
    #expect(try texts("text\n\"two\r\nlines\"\r\nx") == ["two\r\nlines", "x"])
    #expect(try texts("text\na \"quoted\" word\n") == ["a \"quoted\" word"])
    #expect(try texts("id,text,more\n1,a,\n2,b,x") == ["a", "b"])
    #expect(try texts("text\n\na\n\n\nb\n\n") == ["a", "b"])
    #expect(try texts("text\n\"\"\n") == [""])
    #expect(try texts("text\na\rb\n") == ["a\rb"])
  }

  @Test("lines are counted as the file has them")
  func lines() throws {
    let dataset = try DataFixture.read(
      DataFixture.file("rows.csv", "text\n\"a\n\n\"\n\nb\n\"c\nd\"\ne"))
    #expect((0..<dataset.count).map { dataset[$0].line } == [2, 6, 7, 9])
  }

  @Test("a list of messages may stand in a cell")
  func messages() throws {
    #expect(
      try DataFixture.marked(
        "messages\n\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"a\"\"},"
          + "{\"\"role\"\":\"\"assistant\"\",\"\"content\"\":\"\"b\"\"}]\"", name: "rows.csv")
        == [
          "<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\n⟦b<end_of_turn>⟧\n"
        ])
  }

  @Test("what is wrong with a table is said")
  func errors() throws {
    let mend = " Mend it, or have such rows skipped (skip_invalid)."
    func said(_ text: String) throws -> String? {
      try DataFixture.complaint(text, name: "rows.csv")
    }
    #expect(
      try said("a,text\n1,2\n1\n")
        == "Line 3 of 'rows.csv' has 1 cells, but the header has 2." + mend)
    #expect(
      try said("text\n\"a\"b\nc") == "Line 2 of 'rows.csv' has text after a closing quote." + mend)
    #expect(
      try said("text\na\n\"b\nc") == "Line 3 of 'rows.csv' has a quote that does not close." + mend)
    #expect(
      try said("text,text\na,b")
        == "Line 1 of 'rows.csv', the header, names the column 'text' twice. Rename one of them.")
    #expect(
      try said("\"text\na")
        == "Line 1 of 'rows.csv', the header, has a quote that does not close. Mend it.")
    #expect(try said("") == "There are no rows in 'rows.csv'. Give a file with rows.")
    let path = try DataFixture.file("rows.csv", Data("text\n".utf8) + Data([0x61, 0xFF, 0x0A]))
    #expect(
      try DataFixture.complaint(about: path)
        == "Line 2 of 'rows.csv' has a 'text' that is not UTF-8." + mend)
  }

  @Test("random cells come back as they were written")
  func roundTrip() throws {
    var generator = SeededGenerator.announced("CSV round trip", salt: 81)
    let alphabet = ["a", "b", ",", "\"", "\n", "\r\n", " ", "é", "日"]
    for _ in 0..<40 {
      let cells = (0..<8).map { _ in
        "x"
          + (0..<Int.random(in: 0...12, using: &generator))
          .map { _ in alphabet.randomElement(using: &generator) ?? "" }.joined()
      }
      let text =
        "n,text\n"
        + cells.map { "1,\"\($0.replacingOccurrences(of: "\"", with: "\"\""))\"\n" }.joined()
      #expect(try texts(text) == cells)
    }
  }
}
