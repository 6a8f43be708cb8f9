// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetTensor
import Foundation
import Testing

@Suite("Regular expressions as guides")
struct RegularExpressionTests {
  /// Random patterns of what ICU and ECMA-262 read alike.
  private struct Patterns {
    var random: RandomGenerator

    mutating func below(_ count: Int) -> Int { Int(random.uniform() * Double(count)) }

    mutating func pattern(depth: Int = 2) -> String {
      (0..<1 + below(2)).map { _ in
        (0..<1 + below(3)).map { _ in term(depth: depth) }.joined()
      }.joined(separator: "|")
    }

    private mutating func term(depth: Int) -> String {
      let atoms = ["a", "b", "[ab]", "[^a]", ".", "\\d", "\\w", "é", "[b-dé]", "\\x61", "\\u0062"]
      var atom = atoms[below(atoms.count)]
      if depth > 0, below(3) == 0 {
        let inner = pattern(depth: depth - 1)
        let group = ["(", "(?:", "(?<n\(below(1_000_000))>"][below(3)]
        // Loops over what may be empty are where ICU gives up; ours are held against a definition
        // (GrammarMachineTests).
        if below(2) == 0 { return group + inner + ")" }
        atom = group + "\(atom)(\(inner)))"
      }
      if below(12) == 0 { return "^" }
      if below(12) == 0 { return "$" }
      let marks = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "{0,2}?"]
      return atom + marks[below(marks.count)]
    }

    mutating func text() -> String {
      let letters = ["a", "b", "c", "é", "1", "_", "-", "\n"]
      return (0..<below(7)).map { _ in letters[below(letters.count)] }.joined()
    }
  }

  @Test("match as a whole, and as a part in JSON Schema, what ICU's expressions match")
  func random() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = Patterns(random: RandomGenerator(seed: seed))
    var counts = (matching: 0, other: 0)
    for _ in 0..<500 {
      let pattern = source.pattern()
      let whole = try NSRegularExpression(pattern: "\\A(?:\(pattern))\\z".icu)
      let part = try NSRegularExpression(pattern: pattern.icu)
      var machine = try? GrammarMachine(Guide.regularExpression(pattern).program())
      let schema = #"{"type": "string", "pattern": \#(Self.quoted(pattern))}"#
      var schemaMachine = try? GrammarMachine(Guide.jsonSchema(schema).program())
      for _ in 0..<16 {
        let text = source.text()
        let range = NSRange(location: 0, length: text.utf16.count)
        let isWhole = whole.firstMatch(in: text, range: range) != nil
        // An expression that nothing matches is refused: then ICU must never match.
        let foundWhole = machine?.accepts(text.utf8) ?? false
        #expect(
          foundWhole == isWhole,
          "'\(pattern)' on '\(text)' as a whole, seed \(seed)")
        let isPart = part.firstMatch(in: text, range: range) != nil
        let foundPart = schemaMachine?.accepts(Self.quoted(text).utf8) ?? false
        #expect(
          foundPart == isPart,
          "'\(pattern)' on '\(text)' in part, seed \(seed)")
        if isWhole { counts.matching += 1 } else { counts.other += 1 }
      }
    }
    #expect(counts.matching > 200 && counts.other > 1000, "\(counts)")
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  @Test(
    "what cannot be followed is refused by its name",
    arguments: [
      (
        "a(?=b)",
        "has a look-ahead '(?=…)' at character 2, which guides do not support. Write it without."
      ),
      (
        "(?<!a)b",
        "has a negative look-behind '(?<!…)' at character 1, which guides do not support. Write it without."
      ),
      (
        #"(a)\1"#,
        #"has the back reference '\1' at character 5, which guides do not support. Write it without."#
      ),
      (
        #"\bx"#,
        #"has the word boundary '\b' at character 2, which guides do not support. Write it without."#
      ),
      (
        #"\p{L}"#,
        #"has the Unicode property '\p' at character 2, which guides do not support. Write it without."#
      ),
      ("(a", "is malformed at character 3: ')' is missing."),
      ("a**", "is malformed at character 3: '*' follows another quantifier."),
      ("[b-a]", "is malformed at character 5: a range is the wrong way round."),
      ("a{3,2}", "is malformed at character 7: {3,2} has its numbers the wrong way round."),
    ])
  func refusals(pattern: String, rest: String) {
    #expect {
      try Guide.regularExpression(pattern).validate()
    } throws: {
      ($0 as? GuideError)?.message == "The regular expression '\(pattern)' \(rest)"
    }
  }
}

extension String {
  /// For ICU: \d and \w as ECMA-262 has them, and `$` at the very end only.
  fileprivate var icu: String {
    var result = self
    for (from, to) in [("\\d", "[0-9]"), ("\\w", "[A-Za-z0-9_]"), (".", "[^\\n\\r]"), ("$", "\\z")]
    {
      result = result.split(separator: from, omittingEmptySubsequences: false)
        .joined(separator: to)
    }
    return result
  }
}
