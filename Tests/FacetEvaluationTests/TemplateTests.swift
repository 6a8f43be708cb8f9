// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import Testing

@Suite("Templates")
struct TemplateTests {
  static let row = json(
    #"{"q":" a b ","n":3,"s":"2","list":["x","y"],"o":{"t":["é","e\u0301"]},"key":"y","flag":true,"brace":"}"}"#
  )

  static func json(_ text: String) -> JSON {
    (try? JSONReader.read([UInt8](text.utf8), path: "row")) ?? .null
  }

  @Test(
    "fields, steps and braces give what docs/evaluation.md says",
    arguments: [
      ("Q: {q|strip}?", "Q: a b?"), ("{q|lstrip}|{q|rstrip}|", "a b | a b|"),
      ("{n}{flag}", "3True"),
      ("{o.t.0}", "é"), ("{list|letters}", "A. x\nB. y"), ("{list|join:\", \"}", "x, y"),
      ("{list|item:1|capitalize}", "Y"), ("{s|int|plus:-1}", "1"),
      ("{key|position:\"list\"}", "1"), ("{q|replace:\" \":\"_\"}", "_a_b_"),
      ("{q|substitute:\"(a) (b)\":\"\\\\2|$1\"}", " b|$1 "), ("{{q}} {brace}", "{q} }"),
      ("{q|replace:\"|\":\"}\"}", " a b "), ("", ""),
    ])
  func text(_ source: String, _ expected: String) throws {
    #expect(try Template(source).text(Self.row) == expected)
  }

  @Test("one expression alone keeps its kind")
  func value() throws {
    #expect(try Template("{list}").value(Self.row).array?.count == 2)
    #expect(try Template("{n}").value(Self.row) == .integer(3))
    #expect(try Template("{n} ").value(Self.row) == .string("3 "))
  }

  @Test("texts are code points: what is canonically equivalent stays apart")
  func codePoints() throws {
    let replaced = try Template("{o.t.1|replace:\"\u{e9}\":\"x\"}").text(Self.row)
    #expect(replaced.unicodeScalars.count == 2)
  }

  @Test(
    "what a row lacks is an error that names the field",
    arguments: [
      ("{missing}", "The field 'missing' is missing."),
      ("{list.5}", "'list.5' has only 2 elements."),
      ("{list}!", "'list' is no text."), ("{q|join:\",\"}", "'q|join:\",\"' is no list."),
      ("{q|plus:1}", "'q|plus:1' is no whole number."),
      ("{q|position:\"list\"}", "'q|position:\"list\"' is \" a b \", which is not in 'list'."),
      ("{list|item:2|strip}", "'list|item:2|strip' has only 2 elements."),
    ])
  func missing(_ source: String, _ sentence: String) throws {
    let template = try Template(source)
    let error = #expect(throws: EvaluationError.self) { try template.text(Self.row) }
    #expect(error?.message == sentence)
  }

  @Test(
    "a template that means nothing is refused",
    arguments: [
      ("{q", "The template '{q' has a brace without its partner."),
      ("q}", "The template 'q}' has a brace without its partner."), ("{}", "'{}' names no field."),
      (
        "{q|shout}",
        "'shout' in '{q|shout}' is no step of a template; docs/evaluation.md lists them."
      ),
      (
        "{q|replace:\"a\"}",
        "'replace:\"a\"' in '{q|replace:\"a\"}' is no step of a template; docs/evaluation.md lists them."
      ), ("{q|substitute:\"(\":\"\"}", "'(' is no regular expression."),
    ])
  func refused(_ source: String, _ sentence: String) {
    let error = #expect(throws: EvaluationError.self) { try Template(source) }
    #expect(error?.message == sentence)
  }
}
