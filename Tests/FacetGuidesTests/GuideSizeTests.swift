// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import Testing

@Suite("Guides that would explode")
struct GuideSizeTests {
  private func message(_ guide: Guide) -> String {
    do {
      try guide.validate()
      return "no error"
    } catch {
      return error.message
    }
  }

  @Test("schemas are refused by what is too much, or stay small, at once")
  func schemas() {
    let start = ContinuousClock.now
    let deep = (0..<60).reduce(#"{"type": "null"}"#) { inner, _ in
      #"{"type": "array", "items": \#(inner)}"#
    }
    #expect(message(.jsonSchema(deep)) == "no error")
    let tooDeep = (0..<500).reduce("true") { inner, _ in #"{"items": \#(inner)}"# }
    #expect(
      message(.jsonSchema(tooDeep))
        == "'the schema' is not JSON: it is nested too deeply at byte 639.")
    let choice = #"{"anyOf": [{"minLength": 1}, {"minLength": 2}, {"minItems": 1}]}"#
    let product = Array(repeating: choice, count: 12).joined(separator: ", ")
    #expect(
      message(.jsonSchema(#"{"allOf": [\#(product)]}"#)).hasSuffix(
        " has more than 256 combinations of choices. Make it smaller."))
    let pattern = #"{"type": "string", "pattern": "a", "maxLength": 1000000000}"#
    #expect(
      message(.jsonSchema(pattern))
        == "At '#': The regular expression 'a' takes more than 8192 states together with the lengths and patterns "
        + "beside it. Make it smaller.")
    let properties = (0..<300).map { #""p\#($0)": true"# }.joined(separator: ", ")
    let counted = #"{"type": "object", "minProperties": 100, "properties": {\#(properties)}}"#
    #expect(
      message(.jsonSchema(counted)).hasSuffix(
        " has too many properties to count them. Leave out minProperties and maxProperties."))
    let constants = (0..<20_001).map { #"{"items": {"const": \#($0)}}"# }.joined(separator: ", ")
    #expect(
      message(.jsonSchema(#"{"type": "array", "prefixItems": [\#(constants)]}"#))
        == "The schema takes more than 20000 rules. Make it smaller.")
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test("expressions and grammars are refused by what is too much, at once")
  func grammars() {
    let start = ContinuousClock.now
    let powers = "((((a{1000}b){1000}c){1000}d)|^e){1000}"
    #expect(
      message(.regularExpression(powers))
        == "The regular expression '\(powers)' takes more than 8192 states together with the lengths and "
        + "patterns beside it. Make it smaller.")
    let brackets = String(repeating: "(", count: 100_000)
    #expect(
      message(.regularExpression(brackets)).hasSuffix(
        "' is malformed at character 129: groups are nested too deeply."))
    #expect(
      message(.grammar("root ::= " + brackets))
        == "The grammar is malformed at line 1, column 138: brackets are nested too deeply.")
    let long = "root ::= \"" + String(repeating: "a", count: 400_001) + "\""
    #expect(
      message(.grammar(long))
        == "The grammar is too large: it takes more than 400000 nodes. Make it smaller.")
    #expect(
      message(.grammar("root ::= \"a\"{2000000000,}"))
        == "A repetition of at least 2000000000 times is asked for; no text is that long.")
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
