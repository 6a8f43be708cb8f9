// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import Testing

@Suite("GBNF grammars as guides")
struct GBNFTests {
  private func accepts(_ grammar: String, _ text: String) throws -> Bool {
    var machine = GrammarMachine(try Guide.grammar(grammar).program())
    return machine.accepts(text.utf8)
  }

  @Test(
    "literals, classes, groups, comments, repetitions and escapes mean what llama.cpp means by them"
  )
  func syntax() throws {
    let grammar = #"""
      # A list of numbers.
      root   ::= number (sep number)* end?   # comments end with the line
      number ::= "-"? [0-9]{1,3} | "\x41\u00e9\U0001F600" |
                 [^\x00-\x7F] "!"{2,}
      sep    ::= (
        "," | ";"
      ) ws
      ws     ::= [ \t]*
      end    ::= "\"" . "\\" [\]a-]
      """#
    for text in ["1", "-12, 3;999", "Aé😀", "ü!!,1", "1\"x\\]", "1\"é\\-", "5,\t 5\"\n\\a"] {
      #expect(try accepts(grammar, text), "\(text)")
    }
    for text in ["", "1234", "--1", "1,", "x!!", "ü!", "1\"x\\b", "1\n", "Aé"] {
      #expect(try !accepts(grammar, text), "\(text)")
    }
  }

  @Test(
    "what is malformed is refused with its place",
    arguments: [
      (
        "rule ::= \"a\"",
        "The grammar has no rule 'root', which says what a whole answer is. Add one."
      ),
      (
        "root ::= \"a\"\nroot ::= \"b\"",
        "The grammar is malformed at line 2, column 10: the rule 'root' comes twice."
      ),
      (
        "root ::= item",
        "The grammar names the rule 'item' at line 1, column 10, but has no such rule. Add it, or "
          + "correct the name."
      ),
      (
        "root ::= \"a",
        "The grammar is malformed at line 1, column 12: a text in quotation marks does not end."
      ),
      ("root ::= [a-", "The grammar is malformed at line 1, column 13: ']' is missing."),
      (
        "root ::= [z-a]",
        "The grammar is malformed at line 1, column 14: the range z-a is the wrong way round."
      ),
      (
        "root = \"a\"",
        "The grammar is malformed at line 1, column 6: '::=' is missing after 'root'."
      ),
      ("root ::= (\"a\"", "The grammar is malformed at line 1, column 14: ')' is missing."),
      (
        #"root ::= "\q""#,
        #"The grammar is malformed at line 1, column 13: the escape '\q' is unknown."#
      ),
      (
        "root ::= \"a\"{3,2}",
        "The grammar is malformed at line 1, column 18: {3,2} has its numbers the wrong way round."
      ),
    ])
  func refusals(grammar: String, sentence: String) {
    #expect {
      try Guide.grammar(grammar).validate()
    } throws: {
      ($0 as? GuideError)?.message == sentence
    }
  }

  @Test("no cut or changed text of a grammar crashes the reader")
  func fuzz() {
    let grammar = #"root ::= ("a" | [b-d\n]{2,3} x)* # c"# + "\nx ::= \"\\u00e9\" . root?"
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    let scalars = Array(grammar.unicodeScalars)
    for _ in 0..<3000 {
      var text = scalars
      for _ in 0...source.below(3) {
        switch source.below(3) {
        case 0: text = Array(text.prefix(source.below(text.count + 1)))
        case 1 where !text.isEmpty:
          text[source.below(text.count)] = scalars[source.below(scalars.count)]
        default: text.insert(scalars[source.below(scalars.count)], at: source.below(text.count + 1))
        }
      }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: text)
      try? Guide.grammar(String(view)).validate()
      try? Guide.regularExpression(String(view)).validate()
      try? Guide.jsonSchema(String(view)).validate()
    }
  }
}
