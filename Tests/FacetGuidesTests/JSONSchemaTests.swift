// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetTensor
import Foundation
import Testing

@Suite("JSON Schemas as guides")
struct JSONSchemaTests {
  private func accepted(_ schema: String, _ texts: [String]) throws -> [String] {
    var machine = GrammarMachine(try Guide.jsonSchema(schema).program())
    return texts.filter { machine.accepts($0.utf8) }
  }

  @Test("properties come in their order, optional ones may be absent, others are not written")
  func objects() throws {
    let schema = #"""
      {"type": "object", "required": ["b"], "properties": {
        "a": {"type": "null"}, "b": {"const": 1}, "c": {"enum": ["x", 2.5]}}}
      """#
    let good = [
      #"{"b": 1}"#, #"{"a": null, "b": 1}"#, #"{"a": null, "b": 1, "c": 2.5}"#,
      #"{"b": 1, "c": "x"}"#,
    ]
    let bad = [
      "{}", #"{"a": null}"#, #"{"b": 1, "a": null}"#, #"{"b":1}"#, #"{"b": 1, "d": 1}"#,
      #"{"b": 1, }"#, #"{"b": 1, "c": 2}"#, #"{ "b": 1}"#,
    ]
    #expect(try accepted(schema, good + bad) == good)
  }

  @Test("described other properties come last, and never have the name of one that came before")
  func additional() throws {
    let schema = #"""
      {"type": "object", "properties": {"ab": {"const": 1}},
        "additionalProperties": {"type": "boolean"}, "maxProperties": 3}
      """#
    let good = [
      "{}", #"{"ab": 1}"#, #"{"a": true}"#, #"{"ab": 1, "abc": true, "": false}"#,
      #"{"é\n": true}"#,
    ]
    let bad = [
      #"{"ab": true}"#, #"{"\u0061b": true}"#, #"{"a": true, "ab": 1}"#, #"{"a": 1}"#,
      #"{"ab": 1, "x": true, "y": true, "z": true}"#,
    ]
    #expect(try accepted(schema, good + bad) == good)
  }

  @Test("arrays keep to their prefix, their items and their bounds")
  func arrays() throws {
    let schema = #"""
      {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": {"const": 3},
        "minItems": 1, "maxItems": 4}
      """#
    let good = ["[1]", "[1, 2]", "[1, 2, 3]", "[1, 2, 3, 3]"]
    #expect(
      try accepted(schema, good + ["[]", "[2]", "[1, 3]", "[1, 2, 3, 3, 3]", "[1,2]"]) == good)
    let fixed = #"{"type": "array", "prefixItems": [{"const": 1}], "minItems": 2}"#
    #expect(try accepted(fixed, ["[1]", "[1, {}]", "[1, 2, 3]"]) == ["[1, {}]"])
    let counted = #"{"type": "array", "items": {"const": 1}, "minItems": 70, "maxItems": 90}"#
    let texts = [69, 70, 90, 91].map {
      "[" + (0..<$0).map { _ in "1" }.joined(separator: ", ") + "]"
    }
    #expect(try accepted(counted, texts) == Array(texts[1...2]))
  }

  @Test("strings are counted in characters, however they are written")
  func strings() throws {
    let schema = #"{"type": "string", "minLength": 2, "maxLength": 3}"#
    let good = [#""ab""#, #""é\u00e9😀""#, #""\ud83d\ude00\"""#, #""\/\n""#]
    let bad = [#""a""#, #""abcd""#, #""\ud83dx""#, #""\x""#, "\"a\n\"", #""ab"#]
    #expect(try accepted(schema, good + bad) == good)
    let both = #"{"type": "string", "pattern": "^a+$", "maxLength": 2}"#
    #expect(try accepted(both, [#""a""#, #""aa""#, #""aaa""#, #""b""#]) == [#""a""#, #""aa""#])
    // One part is repeated less, or more: no automaton, whatever the length.
    let limited =
      #"{"type": "string", "pattern": "^(x[a-z]{2,}|(ab)*-)$", "minLength": 4, "maxLength": 90000}"#
    let long = String(repeating: "ab", count: 45_000)
    #expect(
      try accepted(
        limited,
        [
          "xab", "xabc", "-", "ab-", "abab-", "x" + long, "x" + long.dropFirst(), long + "-",
          String(long.dropLast(2)) + "-",
        ].map { "\"\($0)\"" })
        == ["xabc", "abab-", "x" + long.dropFirst(), String(long.dropLast(2)) + "-"].map {
          "\"\($0)\""
        })
    let two = #"{"type": "string", "allOf": [{"pattern": "a"}, {"pattern": "b$"}], "minLength": 3}"#
    #expect(
      try accepted(two, [#""ab""#, #""xab""#, #""a\nb""#, #""aba""#]) == [#""xab""#, #""a\nb""#])
  }

  @Test("whole numbers lie between their bounds, each one tried")
  func integers() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    for _ in 0..<60 {
      let (first, second) = (source.below(2400) - 1200, source.below(2400) - 1200)
      let (low, high) = (min(first, second), max(first, second))
      let isOpen = source.below(2) == 0
      let bounds =
        isOpen
        ? #""exclusiveMinimum": \#(low - 1), "exclusiveMaximum": \#(high + 1)"#
        : #""minimum": \#(low), "maximum": \#(high)"#
      let schema = #"{"type": "integer", \#(bounds)}"#
      let texts = (-1300...1300).map { "\($0)" }
      let expected = texts.filter { Int($0).map { (low...high).contains($0) } ?? false }
      #expect(try accepted(schema, texts + ["-0", "00", "01", "1.0"]) == expected, "\(schema)")
    }
    let half = #"{"type": "integer", "minimum": 12}"#
    let more = ["12", "99", "100", "123456789012345678"]
    #expect(try accepted(half, ["-13", "0", "11"] + more + ["1234567890123456789"]) == more)
    let third = #"{"type": "integer", "multipleOf": 7}"#
    let texts = (-500...500).map { "\($0)" }
    #expect(try accepted(third, texts) == texts.filter { (Int($0) ?? 1) % 7 == 0 })
    let few = #"{"type": "integer", "multipleOf": 7, "minimum": -20, "maximum": 30}"#
    #expect(
      try accepted(few, texts)
        == texts.filter { Int($0).map { $0 % 7 == 0 && (-20...30).contains($0) } ?? false })
  }

  @Test("bounds that Swift writes with an exponent count to the last digit")
  func fineBounds() throws {
    let fine = #"{"type": "number", "minimum": 0.00001, "maximum": 0.000025}"#
    let inside = ["0.00001", "0.000011", "0.00002", "0.000025"]
    #expect(try accepted(fine, ["0", "0.000009", "0.000026", "0.1", "1"] + inside) == inside)
  }

  @Test("numbers with a fraction lie between their bounds, on a grid of a thousandth")
  func numbers() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    let grid = (-2600...2600).map { index -> (text: String, value: Int) in
      let (whole, rest) = (index.magnitude / 1000, index.magnitude % 1000)
      var digits = String("\(rest + 1000)".dropFirst())
      // Half of them without zeros at the end.
      while index % 2 == 0, digits.hasSuffix("0") { digits.removeLast() }
      let sign = index < 0 ? "-" : ""
      return (sign + "\(whole)" + (digits.isEmpty ? "" : "." + digits), index)
    }
    for _ in 0..<60 {
      let scale = [1, 10, 100, 1000][source.below(4)]
      func bound() -> Int { (source.below(5000) - 2500) / scale * scale }
      let (first, second) = (bound(), bound())
      let (low, high) = (min(first, second), max(first, second))
      let (isLowOpen, isHighOpen) = (source.below(2) == 0, source.below(2) == 0)
      let sides = source.below(3)
      var keywords = [#""type": "number""#]
      if sides != 1 {
        keywords.append(
          #""\#(isLowOpen ? "exclusiveMinimum" : "minimum")": \#(Double(low) / 1000)"#)
      }
      if sides != 2 {
        keywords.append(
          #""\#(isHighOpen ? "exclusiveMaximum" : "maximum")": \#(Double(high) / 1000)"#)
      }
      let schema = "{" + keywords.joined(separator: ", ") + "}"
      let expected = grid.filter { entry in
        (sides == 1 || (isLowOpen ? entry.value > low : entry.value >= low))
          && (sides == 2 || (isHighOpen ? entry.value < high : entry.value <= high))
      }.map(\.text)
      var machine = try? GrammarMachine(Guide.jsonSchema(schema).program())
      let found = grid.map(\.text).filter { machine?.accepts($0.utf8) ?? false }
      #expect(found == expected, "\(schema)")
    }
  }

  @Test("choices, references and recursion are followed")
  func structure() throws {
    let tree = #"""
      {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "required": ["v"],
        "properties": {"v": {"type": "integer"}, "sub": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}}
      """#
    let good = [#"{"v": 1}"#, #"{"v": 1, "sub": [{"v": 2, "sub": []}, {"v": 3}]}"#]
    #expect(try accepted(tree, good + [#"{"v": 1, "sub": [{}]}"#]) == good)
    let union = #"""
      {"oneOf": [
        {"type": "object", "required": ["t"], "properties": {"t": {"const": "a"}, "x": {"type": "null"}}},
        {"type": "object", "required": ["t"], "properties": {"t": {"const": "b"}}},
        {"type": "string", "maxLength": 1}]}
      """#
    let members = [#"{"t": "a", "x": null}"#, #"{"t": "b"}"#, #""""#]
    #expect(try accepted(union, members + [#"{"t": "b", "x": null}"#, #"{"t": "c"}"#]) == members)
    let merged = #"""
      {"allOf": [{"properties": {"a": {"type": "number"}}, "required": ["a"]},
        {"properties": {"a": {"type": "integer"}, "b": {"const": 0}}}], "type": "object"}
      """#
    #expect(try accepted(merged, [#"{"a": 1, "b": 0}"#, #"{"a": 1.5}"#]) == [#"{"a": 1, "b": 0}"#])
    let listed =
      #"{"enum": ["a", "bb", 3, null, 4.5], "minLength": 2, "maximum": 4, "type": ["string", "number"]}"#
    #expect(try accepted(listed, [#""a""#, #""bb""#, "3", "null", "4.5"]) == [#""bb""#, "3"])
  }

  @Test(
    "true allows any JSON in the one form that is written, and nothing that Foundation cannot read")
  func free() throws {
    let good = [
      "null", "-0.5e+10", #"{"a": {"b": [1, 2, []]}, "": {}}"#, #"["\u0000"]"#, "[true, false]",
    ]
    let bad = ["", "nul", "01", "[1,2]", "[1, 2", "{1: 2}", #"{"a": 1,}"#, "1 ", "+1", "NaN"]
    #expect(try accepted("true", good + bad) == good)
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    var machine = GrammarMachine(try Guide.jsonSchema("true").program())
    for _ in 0..<400 {
      // A random walk that prefers to close what is open.
      var (state, text) = (machine.start, [UInt8]())
      for _ in 0..<4000 {
        if machine.isAccepting(state), !machine.goesOn(state) || source.below(3) == 0 { break }
        let closing = Array("]}\"1".utf8).filter { machine.next(state, $0) != GrammarMachine.dead }
        let any = (0...255).filter { machine.next(state, $0) != GrammarMachine.dead }
        let byte =
          closing.isEmpty || source.below(3) == 0 ? any[source.below(any.count)] : closing[0]
        text.append(byte)
        state = machine.next(state, byte)
      }
      guard machine.isAccepting(state) else { continue }
      #expect(throws: Never.self, "\(String(decoding: text, as: UTF8.self)), seed \(seed)") {
        try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
      }
    }
  }

  @Test(
    "what is not supported is refused by its name and place",
    arguments: [
      (
        #"{"properties": {"a/b": {"not": {}}}}"#,
        "The schema's keyword 'not' at '#/properties/a~1b/not' is not supported by guides. Leave it out, or say the same with others (docs/guided-generation.md lists them)."
      ),
      (
        #"{"$defs": {"x": {"patternProperties": {}}}}"#,
        "The schema's keyword 'patternProperties' at '#/$defs/x/patternProperties' is not supported by guides. Leave it out, or say the same with others (docs/guided-generation.md lists them)."
      ),
      (
        #"{"uniqueItems": true}"#,
        "The schema's keyword 'uniqueItems' at '#/uniqueItems' is not supported by guides, since it looks back on all items. Leave it out."
      ),
      (
        #"{"format": "hostname"}"#,
        "The schema's format 'hostname' at '#/format' is not supported by guides; supported are date, date-time, email, ipv4, ipv6, time, uri, uuid."
      ),
      (
        #"{"type": "number", "multipleOf": 0.1}"#,
        "The schema at '#/multipleOf' is no whole number above 0; whether a number is a multiple of a fraction depends on rounding, so guides refuse it. Use pattern on a string, or leave it out."
      ),
      (
        #"{"oneOf": [{"type": "integer"}, {"type": "number"}]}"#,
        "The schema at '#/oneOf' has schemas 0 and 1, which a value may hold to both as far as can be told. Use anyOf, or tell them apart by a required property with its own const."
      ),
      (
        #"{"$ref": "other.json"}"#,
        "The schema at '#/$ref' refers to 'other.json'; guides follow only references inside the document, such as '#/$defs/name'."
      ),
      (
        ##"{"$ref": "#/$defs/x"}"##,
        "The schema at '#/$ref' refers to '#/$defs/x', which is not there."
      ),
      (
        ##"{"$ref": "#"}"##,
        "No text at all fits: the grammar's rule '#' can never come to an end. Loosen it."
      ),
      (
        #"{"type": "strin"}"#,
        "The schema at '#/type' must be null, boolean, integer, number, string, array or object, or a list of those names."
      ),
      (
        #"{"pattern": "(a"}"#,
        "At '#/pattern': The regular expression '(a' is malformed at character 3: ')' is missing."
      ),
      (
        "[1]",
        "The schema at '#' is neither an object nor true or false; a schema must be one of them."
      ),
      ("{", "'the schema' is not JSON: a key is missing at byte 1."),
      (
        #"{"type": "object", "minProperties": 3, "additionalProperties": {}}"#,
        "The schema at '#/minProperties' asks for more properties than are described, and guides cannot tell those that are not apart. Describe them in 'properties'."
      ),
      (
        #"{"properties": [true]}"#,
        "The schema at '#/properties' is no object; it must hold schemas by their names."
      ),
      (
        #"{"anyOf": []}"#,
        "The schema at '#/anyOf' must be a list of at least one schema."
      ),
      (
        #"{"enum": [[1], [2]], "minItems": 2}"#,
        "The schema at '#' lists values that are arrays or objects and says more about them, which guides do not check. Leave one of the two out."
      ),
      (
        ##"{"allOf": [{"$ref": "#"}], "minItems": 1}"##,
        "The schema at '#/allOf/0' refers to itself beside other keywords, or nests allOf, anyOf and oneOf too deeply. Let references stand alone."
      ),
      (
        ##"{"$ref": "#/%zz"}"##,
        "The schema at '#/$ref' refers to '#/%zz', which is malformed."
      ),
      (
        #"{"type": "integer", "minimum": 1e19}"#,
        "The schema at '#/minimum' is beyond 18 digits, which guides do not write."
      ),
      (
        #"{"type": "integer", "multipleOf": 513}"#,
        "The schema at '#' has 'multipleOf' with bounds that hold more than 4096 multiples, or with a number above 512 and no bounds, which guides do not support. Leave one of them out."
      ),
      (
        #"{"type": "number", "minimum": 0.00001, "maximum": 12345678901}"#,
        "The schema at '#/minimum' has more digits than a bound of numbers may have in guides, which is 15 in all."
      ),
      (
        #"{"type": "number", "minimum": 0.0000000000000001}"#,
        "The schema at '#/minimum' is too large or too fine a bound for guides: 15 digits in all are the limit."
      ),
      ("false", "No text at all fits: the grammar's rule '#' can never come to an end. Loosen it."),
    ])
  func refusals(schema: String, sentence: String) {
    #expect {
      try Guide.jsonSchema(schema).validate()
    } throws: {
      ($0 as? GuideError)?.message == sentence
    }
  }

  @Test(
    "every other keyword of the draft is refused by name, wherever it stands",
    arguments: [
      "not", "if", "then", "else", "dependentSchemas", "dependentRequired", "dependencies",
      "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "contains",
      "minContains", "maxContains", "additionalItems", "contentEncoding", "contentMediaType",
      "contentSchema", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary",
      "discriminator", "nullable", "anyof",
    ])
  func otherKeywords(_ keyword: String) throws {
    for (before, place, after) in [
      ("{", "#", "}"), (#"{"properties": {"a": {"#, "#/properties/a", "}}}"),
      (#"{"anyOf": [true, {"items": {"#, "#/anyOf/1/items", "}}]}"),
      (#"{"$defs": {"unused": {"#, "#/$defs/unused", "}}}"),
    ] {
      let sentence =
        "The schema's keyword '\(keyword)' at '\(place)/\(keyword)' is not supported by guides. Leave it "
        + "out, or say the same with others (docs/guided-generation.md lists them)."
      #expect {
        try Guide.jsonSchema(#"\#(before)"type": "object", "\#(keyword)": {}\#(after)"#).validate()
      } throws: {
        ($0 as? GuideError)?.message == sentence
      }
    }
  }
}
