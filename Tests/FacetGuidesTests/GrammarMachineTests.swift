// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetTensor
import Testing

@Suite("The grammar machine")
struct GrammarMachineTests {
  @Test("accepts what a recogniser by definition accepts and nothing else, on random grammars")
  func random() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    var counts = (accepted: 0, rejected: 0, refused: 0)
    for _ in 0..<600 {
      let grammar = source.grammar()
      guard let program = try? GrammarProgram(grammar) else {
        counts.refused += 1
        continue
      }
      var machine = GrammarMachine(program)
      for _ in 0..<12 {
        let text = source.spoilt(source.text(of: grammar))
        guard text.count <= 60 else { continue }
        let expected = ReferenceRecognizer.accepts(grammar, text)
        let found = machine.accepts(text)
        #expect(found == expected, "\(grammar) on \(text), seed \(seed)")
        if expected { counts.accepted += 1 } else { counts.rejected += 1 }
      }
    }
    // Both answers must be common, or the test would say little.
    #expect(counts.accepted > 500 && counts.rejected > 500, "\(counts)")
  }

  @Test("a state that is alive has a byte that leads on, and leads to an end")
  func alive() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    for _ in 0..<200 {
      guard let program = try? GrammarProgram(source.grammar()) else { continue }
      var machine = GrammarMachine(program)
      var state = machine.start
      for _ in 0..<30 {
        #expect(machine.isAlive(state))
        let next = (0...255).map { machine.next(state, UInt8($0)) }
          .filter { $0 != GrammarMachine.dead }
        #expect(next.isEmpty != machine.goesOn(state))
        if next.isEmpty { break }
        state = next[source.below(next.count)]
      }
    }
  }

  @Test("forgetting all but a state changes nothing that follows")
  func compaction() throws {
    let json = try Guide.jsonSchema("true").program()
    var machine = GrammarMachine(json)
    var compacted = GrammarMachine(json)
    let text = Array(#"{"a": [1, {"b": [[null, "x\n", -1.5e3]]}, true], "c": {}}"#.utf8)
    var (plain, moved) = (machine.start, compacted.start)
    for byte in text {
      plain = machine.next(plain, byte)
      moved = compacted.compact(keeping: compacted.next(moved, byte))
      #expect(machine.isAccepting(plain) == compacted.isAccepting(moved))
      #expect(machine.goesOn(plain) == compacted.goesOn(moved))
    }
    #expect(compacted.isAccepting(moved) && !compacted.goesOn(moved))
  }

  @Test("100,000 brackets deep nothing overflows, and the way out is as long as the way in")
  func deepNesting() throws {
    var machine = GrammarMachine(try Guide.grammar(#"root ::= "[" root "]" | "x""#).program())
    let depth = 100_000
    var state = machine.next(machine.start, Array(repeating: UInt8(ascii: "["), count: depth))
    #expect(machine.goesOn(state))
    state = machine.compact(keeping: machine.next(state, UInt8(ascii: "x")))
    state = machine.next(state, Array(repeating: UInt8(ascii: "]"), count: depth - 1))
    #expect(!machine.isAccepting(state))
    state = machine.next(state, UInt8(ascii: "]"))
    #expect(machine.isAccepting(state) && !machine.goesOn(state))
  }

  @Test("many readings of one text cost no more than one")
  func ambiguity() throws {
    let grammar = #"""
      root ::= x
      x ::= a x "1" | b x "2" | x2
      x2 ::= "c" | "(" x ")" x
      a ::= "a"
      b ::= "a" | "a" "a"?
      """#
    var machine = GrammarMachine(try Guide.grammar(grammar).program())
    let text = String(repeating: "a", count: 200) + "c" + String(repeating: "12", count: 100)
    let answers = [text, text + "1"].map { machine.accepts($0.utf8) }
    #expect(answers == [true, false])
  }

  @Test("huge repetitions are counted, not written out")
  func counters() throws {
    let program = try Guide.jsonSchema(#"{"type": "string", "maxLength": 1000000000}"#).program()
    #expect(program.nodeCount < 1000)
    var machine = GrammarMachine(
      try Guide.grammar(#"root ::= "ab"{70,1000000}"#).program())
    let answers = [69, 70, 5000].map { machine.accepts(String(repeating: "ab", count: $0).utf8) }
    #expect(answers == [false, true, true])
  }

  @Test(
    "left recursion is refused with the way round, and so is what has no text",
    arguments: [
      (
        #"root ::= root "a" | "b""#,
        "The rule 'root' may begin with itself (root → root), which has no end. Let it begin with "
          + "something else, or write a repetition."
      ),
      (
        "root ::= a\na ::= \"x\"? b\nb ::= a \"y\" | \"z\"",
        "The rule 'a' may begin with itself (a → b → a), which has no end. Let it begin with something "
          + "else, or write a repetition."
      ),
      (
        #"root ::= "a" root"#,
        "No text at all fits: the grammar's rule 'root' can never come to an end. Loosen it."
      ),
    ])
  func refusals(grammar: String, sentence: String) {
    #expect {
      try Guide.grammar(grammar).validate()
    } throws: {
      ($0 as? GuideError)?.message == sentence
    }
  }
}
