// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

/// A type with everything that a schema can be found of.
struct Recipe: Codable, Sendable, Equatable {
  enum Course: String, Codable, CaseIterable, Sendable { case starter, main, dessert }
  struct Ingredient: Codable, Sendable, Equatable {
    var name: String
    var grams: Double?
  }
  var title: String
  var course: Course
  var minutes: UInt8
  var isVegan: Bool
  var ingredients: [Ingredient]
  var notes: [String: String]?
  var link: URL?
  var made: Date?

  enum CodingKeys: String, CodingKey {
    case title, course, minutes, ingredients, notes, link, made
    case isVegan = "vegan"
  }
}

/// The same while it grows.
struct PartialRecipe: Decodable, Sendable {
  struct Ingredient: Decodable, Sendable { var name: String? }
  var title: String?
  var course: String?
  var ingredients: [Ingredient]?
}

/// A type that holds itself.
final class Branch: Codable, Sendable {
  let name: String
  let branches: [Branch]
  let next: Branch?
}

@Suite("Schemas of types")
struct SchemaTests {
  struct Endless: Decodable {
    var next: Box
    final class Box: Decodable { var content: Endless }
  }
  enum Open: String, Decodable { case a, b }
  struct HoldsOpen: Decodable { var open: Open }
  enum Payload: Codable { case text(String), number(Int) }
  struct Pair: Decodable {
    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      _ = try list.decode(Int.self)
    }
  }

  static func object(_ text: String) throws -> NSDictionary {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
  }

  @Test("a type is described by what it decodes")
  func described() throws {
    let schema = try Schema(of: Recipe.self)
    let expected = #"""
      {"type": "object", "properties": {
        "title": {"type": "string"}, "course": {"enum": ["starter", "main", "dessert"]},
        "minutes": {"type": "integer", "minimum": 0, "maximum": 255},
        "vegan": {"type": "boolean"},
        "ingredients": {"type": "array", "items": {"type": "object", "properties": {
          "name": {"type": "string"}, "grams": {"type": "number"}}, "required": ["name"],
          "additionalProperties": false}},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
        "link": {"type": "string", "format": "uri"},
        "made": {"type": "string",
          "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"}},
        "required": ["title", "course", "minutes", "ingredients", "vegan"],
        "additionalProperties": false}
      """#
    #expect(try Self.object(schema.text) == Self.object(expected), "\(schema.text)")
    try schema.guide.validate()
    // The order of the coding keys, in which they are decoded.
    let order = ["title", "course", "minutes", "ingredients", "notes", "link", "made", "vegan"]
    let places = order.map { schema.text.range(of: "\"\($0)\":{")?.lowerBound }
    #expect(
      places.allSatisfy { $0 != nil }
        && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
  }

  @Test("a type that holds itself refers to itself")
  func recursive() throws {
    let schema = try Schema(of: Branch.self)
    try schema.guide.validate()
    #expect(
      schema.text.contains(##""branches":{"type":"array","items":{"$ref":"#/$defs/Branch"}}"##))
    #expect(
      schema.text.hasPrefix(##"{"$ref":"#/$defs/Branch","$defs":{"Branch":{"type":"object""##))
  }

  @Test("simple types are described too")
  func simple() throws {
    #expect(try Schema(of: [Int].self).text == #"{"type":"array","items":{"type":"integer"}}"#)
    #expect(try Schema(of: String.self).text == #"{"type":"string"}"#)
    #expect(try Schema(of: UInt.self).text == #"{"type":"integer","minimum":0}"#)
    #expect(
      try Schema(of: [Bool?].self).text
        == #"{"type":"array","items":{"anyOf":[{"type":"boolean"},{"type":"null"}]}}"#)
  }

  @Test("what cannot be known is refused with the type's name")
  func refusals() throws {
    func message<T: Decodable>(_ type: T.Type) -> String {
      do { return try Schema(of: type).text } catch { return "\(error)" }
    }
    #expect(
      message(HoldsOpen.self)
        == "The type 'Open' does not say what its cases are; let it be CaseIterable. Or give its schema as "
        + "JSON text.")
    #expect(message(Endless.self).hasSuffix("so it has no end. Or give its schema as JSON text."))
    #expect(
      message(Pair.self)
        == "The type 'Pair' reads an array element by element, whose schema is not known. Or give its "
        + "schema as JSON text.")
    #expect(message(Payload.self).hasPrefix("The type 'Payload'"))
  }

  @Test("answers of a random model are values of the type, and snapshots grow into them")
  func typed() async throws {
    let model = try TestModels.conversing()
    var seen = 0
    for seed in 1...6 as ClosedRange<UInt64> {
      let session = LanguageModelSession(model: model)
      let options = GenerationOptions(
        sampling: Sampling(temperature: 1, topK: 0, topP: 1, seed: seed), maxTokens: 1500)
      let stream = try session.streamResponse(
        to: "A recipe.", generating: Recipe.self, partially: PartialRecipe.self,
        mention: .guideOnly, options: options)
      var titles: [String] = []
      var last = ""
      do {
        for try await snapshot in stream {
          if let title = snapshot.content?.title { titles.append(title) }
          last = snapshot.text
        }
      } catch let error as SessionError where error.code == .incompleteAnswer { continue }
      seen += 1
      #expect(
        !titles.isEmpty
          && zip(titles, titles.dropFirst()).allSatisfy { $1.utf8.starts(with: $0.utf8) })
      let decoder = JSONDecoder()
      decoder.dateDecodingStrategy = .iso8601
      let value = try decoder.decode(Recipe.self, from: Data(last.utf8))
      #expect(value.title == titles.last)
    }
    #expect(seen > 0)
  }

  @Test("a value comes with its text")
  func responded() async throws {
    let (session, _) = try SessionTests.scripted([#"{"a": 1, "b": 2}"#, #"{"a": 1"#])
    let response = try await session.respond(to: "?", generating: Adder.Arguments.self)
    #expect(response.content.a == 1 && response.content.b == 2)
    #expect(response.text == #"{"a": 1, "b": 2}"#)
    guard case .prompt(let prompt) = response.entries.first else { return }
    #expect(
      prompt.hasPrefix("?\n\nAnswer with JSON that holds to this schema:\n{\"type\":\"object\""))
    let message = await SessionTests.message {
      _ = try await session.respond(to: "?", generating: Adder.Arguments.self)
    }
    #expect(
      message
        == "The answer is no 'Arguments': {\"a\": 1. Allow more tokens, or change the type.")
  }

  @Test("the beginning of any JSON is made whole, and whole JSON stays as it is")
  func partial() throws {
    let text = #"{"a": [1, 2.5, {"b": "x\"\u00e9\\", "c": null}], "d": true, "e": {}, "f": "end"}"#
    var count = 0
    for end in 0...text.count {
      guard let whole = PartialJSON.completed(String(text.prefix(end))) else {
        #expect(end == 0)
        continue
      }
      count += 1
      let value = try? JSONSerialization.jsonObject(with: Data(whole.utf8))
      #expect(value is [String: Any], "\(text.prefix(end)) → \(whole)")
    }
    #expect(count == text.count)
    #expect(PartialJSON.completed(text) == text)
    for (begun, whole) in [
      (#"{"a": "He"#, #"{"a": "He"}"#), (#"{"a": 12"#, "{}"), (#"{"a": 12,"#, #"{"a": 12}"#),
      (#"["x", "#, #"["x"]"#), (#"{"a": tr"#, "{}"), (#"{"a": "x\u00"#, #"{"a": "x"}"#),
    ] { #expect(PartialJSON.completed(begun) == whole) }
    #expect(PartialJSON.completed("tr") == nil)
  }
}
