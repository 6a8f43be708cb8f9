// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Testing

/// What `facet run` says and does about guides.
@Suite("Guides of facet run")
struct GuideOptionTests {
  private static func file(_ name: String, _ text: String) throws -> String {
    let path = TinyModel.folder + "/" + name
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test("answers follow the schema, the grammar, the expression or the choices that are given")
  func answers() throws {
    let schema = try Self.file(
      "schema.json",
      #"{"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3}"#)
    let grammar = try Self.file("grammar.gbnf", "root ::= (\"tic\" | \"tac\"){2} \"!\"")
    for seed in 0..<4 {
      func answer(_ arguments: String...) throws -> String {
        let common = ["run", TinyModel.base, "a", "--temperature", "2", "--seed", "\(seed)"]
        let outcome = try Facet.Child(common + arguments).outcome()
        #expect(outcome.status == 0, "\(outcome.error)")
        return String(outcome.output.dropLast())
      }
      let list = try JSONDecoder().decode(
        [Bool].self, from: Data(answer("--schema", schema).utf8))
      #expect((2...3).contains(list.count))
      #expect(
        ["tictic!", "tictac!", "tactic!", "tactac!"].contains(try answer("--grammar", grammar)))
      #expect(["red", "light blue"].contains(try answer("--choices", "red,light blue")))
      let number = try answer("--regex", "[0-9]{3}-[0-9]{2}")
      #expect(number.count == 6 && number.dropFirst(3).first == "-")
    }
  }

  @Test("--json says that the guide is complete and how much it forced")
  func json() throws {
    let outcome = try Facet.run("run", TinyModel.base, "a", "--choices", "only this", "--json")
    #expect(outcome.output.contains(#""reason":"guide_complete""#))
    #expect(outcome.output.contains(#""forced_tokens":9"#))
  }

  @Test("an answer cut off by --max-tokens says so")
  func cut() throws {
    let outcome = try Facet.run(
      "run", TinyModel.base, "a", "--choices", "only this", "--max-tokens", "3")
    #expect(outcome.status == 0)
    #expect(
      outcome.error
        == "facet: stopped after 3 tokens, before the guide's text was complete; --max-tokens sets "
        + "another number.\n")
  }

  @Test("flags that contradict one another, and guides that cannot be followed, are refused")
  func refusals() throws {
    func error(_ status: Int32, _ arguments: String...) throws -> String {
      let outcome = try Facet.Child(["run", TinyModel.base, "a"] + arguments).outcome()
      #expect(outcome.status == status)
      return outcome.error.split(separator: "\n").first.map(String.init) ?? ""
    }
    #expect(
      try error(2, "--regex", "a", "--choices", "b")
        == "Error: --regex and --choices both say what the answer must look like; give one of them."
    )
    #expect(
      try error(2, "--json-object", "--stop", "x")
        == "Error: --stop would cut off what --json-object asks for; give one of the two.")
    #expect(
      try error(2, "--regex", "a(?!b)")
        == "Error: The regular expression 'a(?!b)' has a negative look-ahead '(?!…)' at character 2, "
        + "which guides do not support. Write it without.")
    #expect(
      try error(2, "--choices", "a,,b")
        == "Error: The list of choices is empty or has an empty text; give texts to choose from.")
    let schema = try Self.file("not.json", #"{"not": {"type": "string"}}"#)
    #expect(
      try error(1, "--schema", schema)
        == "facet: The schema's keyword 'not' at '#/not' is not supported by guides. Leave it out, or say "
        + "the same with others (docs/guided-generation.md lists them).")
    #expect(
      try error(1, "--grammar", "/nowhere/at/all")
        == "facet: There is no file '/nowhere/at/all' that can be read.")
  }
}
