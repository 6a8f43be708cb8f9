// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

/// What `@Generable` writes, written by hand.
struct Sight: Generable, Encodable, Equatable {
  enum Kind: Generable, Encodable, Equatable {
    case tower, `default`

    static var generationOutline: GenerationOutline { .choices(["tower", "default"]) }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      switch try container.decode(String.self) {
      case "tower": self = .tower
      case "default": self = .default
      default:
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "No case.")
      }
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(self == .tower ? "tower" : "default")
    }
  }
  var name: String
  var stars: Int
  var kinds: [Kind]
  var nearby: [Sight]?
  var price: Double?

  static var generationOutline: GenerationOutline {
    .object(
      description: "A place to see",
      [
        GenerationOutline.Member(
          "name", String.self, description: "In English", guides: [.pattern("[A-Z][a-z ]{1,20}")]),
        GenerationOutline.Member("stars", Int.self, guides: [.range(1...5)]),
        GenerationOutline.Member("kinds", [Kind].self, guides: [.count(1...2)]),
        GenerationOutline.Member(
          "nearby", [Sight].self, isOptional: true, guides: [.maximumCount(2)]),
        GenerationOutline.Member("price", Double.self, isOptional: true, guides: [.minimum(0.5)]),
      ])
  }
  struct PartiallyGenerated: Decodable, Sendable {
    var name: String?
    var stars: Int?
    var kinds: [Kind]?
    var nearby: [Sight.PartiallyGenerated]?
    var price: Double?

    init(from decoder: any Decoder) throws {
      let members = try GrowingMembers(decoder)
      name = members.value("name")
      stars = members.value("stars")
      kinds = members.value("kinds")
      nearby = members.value("nearby")
      price = members.value("price")
    }
  }
}

/// An enumeration whose cases hold values, coded as Swift codes it.
enum Move: Generable, Codable, Equatable {
  case wait
  case step(x: Int, y: Int)
  case say(String)

  static var generationOutline: GenerationOutline {
    .alternatives(
      description: "What to do",
      [
        GenerationOutline.Alternative("wait"),
        GenerationOutline.Alternative(
          "step",
          [GenerationOutline.Member("x", Int.self), GenerationOutline.Member("y", Int.self)]),
        GenerationOutline.Alternative("say", [GenerationOutline.Member("_0", String.self)]),
      ])
  }
}

@Suite("Generable types")
struct GenerableTests {
  /// Types that name no outline, and one inside a type that is only decoded.
  struct Plain: Generable { var count: UInt8 }
  struct Holder: Decodable { var move: Move }
  struct Chooser: Decodable { var kind: Sight.Kind }
  struct Inner: Generable {
    var tags: [String]
    static var generationOutline: GenerationOutline {
      .object([
        GenerationOutline.Member(
          "tags", [String].self, guides: [.minimumCount(1), .element(.anyOf(["a", "b"]))])
      ])
    }
  }
  enum Level: Int, Generable {
    case low = 1, high = 3
    static var generationOutline: GenerationOutline { .choices([1, 3]) }
  }
  enum Empty: Generable {
    static var generationOutline: GenerationOutline { .alternatives([]) }
    init(from decoder: any Decoder) throws { throw CancellationError() }
  }

  @Test("the schema has the outline's members, descriptions and guides, and refers to itself")
  func outlined() throws {
    let schema = try Sight.generationSchema
    try schema.guide.validate()
    let expected = ##"""
      {"$ref": "#/$defs/Sight", "$defs": {"Sight": {"type": "object", "description": "A place to see",
        "properties": {
          "name": {"type": "string", "pattern": "^(?:[A-Z][a-z ]{1,20})$", "description": "In English"},
          "stars": {"type": "integer", "minimum": 1, "maximum": 5},
          "kinds": {"type": "array", "items": {"enum": ["tower", "default"]}, "minItems": 1, "maxItems": 2},
          "nearby": {"type": "array", "items": {"$ref": "#/$defs/Sight"}, "maxItems": 2},
          "price": {"type": "number", "minimum": 0.5}},
        "required": ["name", "stars", "kinds"], "additionalProperties": false}}}
      """##
    #expect(try SchemaTests.object(schema.text) == SchemaTests.object(expected), "\(schema.text)")
  }

  @Test("the cases of an enumeration are what Swift codes, and come back")
  func alternatives() throws {
    let schema = try Move.generationSchema
    try schema.guide.validate()
    for move in [Move.wait, .step(x: 1, y: -2), .say("hm")] {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      let text = String(decoding: try encoder.encode(move), as: UTF8.self)
      #expect(try Self.follows(text, schema.guide), "\(text)")
      #expect(try JSONDecoder().decode(Move.self, from: Data(text.utf8)) == move)
    }
    #expect(schema.text.contains(#""description":"What to do""#))
  }

  /// Whether the guide allows `text`, which has the form that guides write.
  static func follows(_ text: String, _ guide: Guide) throws -> Bool {
    let spaced = text.replacingOccurrences(of: ":", with: ": ")
      .replacingOccurrences(of: ",", with: ", ")
    var machine = GrammarMachine(try guide.program())
    let state = machine.next(machine.start, Array(spaced.utf8))
    return machine.isAccepting(state)
  }

  @Test("without an outline a type is what it decodes; simple guides give the keywords they name")
  func simple() throws {
    #expect(
      try Plain.generationSchema.text
        == #"{"type":"object","properties":{"count":{"type":"integer","minimum":0,"maximum":255}},"#
        + #""required":["count"],"additionalProperties":false}"#)
    #expect(try Level.generationSchema.text == #"{"enum":[1,3]}"#)
    #expect(try [String].generationSchema.text == #"{"type":"array","items":{"type":"string"}}"#)
    #expect(
      try Inner.generationSchema.text.contains(
        #"{"tags":{"type":"array","items":{"enum":["a","b"]},"minItems":1}}"#))
  }

  @Test("every guide is what its schema says")
  func guides() throws {
    func text<T: Decodable & Sendable>(_ guide: GenerationGuide<T>) throws -> String {
      let member = GenerationOutline.Member("one", T.self, guides: [guide])
      let schema = try Outlined.$outline.withValue(.object([member])) {
        try Outlined.generationSchema.text
      }
      let before = #"{"type":"object","properties":{"one":"#
      let after = #"},"required":["one"],"additionalProperties":false}"#
      #expect(schema.hasPrefix(before) && schema.hasSuffix(after))
      return String(schema.dropFirst(before.count).dropLast(after.count))
    }
    #expect(try text(GenerationGuide<Int>.minimum(3)) == #"{"type":"integer","minimum":3}"#)
    #expect(try text(GenerationGuide<Int>.maximum(3)) == #"{"type":"integer","maximum":3}"#)
    #expect(try text(GenerationGuide<Double>.maximum(1.5)) == #"{"type":"number","maximum":1.5}"#)
    #expect(
      try text(GenerationGuide<Double>.range(0...1))
        == #"{"type":"number","maximum":1.0,"minimum":0.0}"#)
    #expect(try text(GenerationGuide<String>.constant("x")) == #"{"enum":["x"]}"#)
    #expect(
      try text(GenerationGuide<String>.length(2...4))
        == #"{"type":"string","maxLength":4,"minLength":2}"#)
    #expect(
      try text(GenerationGuide<String>.maximumLength(9)) == #"{"type":"string","maxLength":9}"#)
    #expect(
      try text(GenerationGuide<[Bool]>.count(2))
        == #"{"type":"array","items":{"type":"boolean"},"maxItems":2,"minItems":2}"#)
    #expect(
      try text(GenerationGuide<[Int]>.element(.range(0...9)))
        == #"{"type":"array","items":{"type":"integer","maximum":9,"minimum":0}}"#)
  }

  @Test("generable types inside others: cases are sampled, what cannot be is refused by name")
  func nested() throws {
    #expect(
      try Schema(of: Chooser.self).text.contains(#"{"kind":{"enum":["tower","default"]}}"#))
    let refusal = message { _ = try Schema(of: Holder.self) }
    #expect(
      refusal
        == "The type 'Holder' holds 'Move' in 'move', of which no sample can be made; let it be Generable "
        + "too. Or give its schema as JSON text.")
    #expect(
      message { _ = try Empty.generationSchema }
        == "The type 'Empty' has no cases. Or give its schema as JSON text.")
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch { return "\(error)" }
  }

  @Test("snapshots have members as soon as they are there, and the last one grows")
  func snapshots() async throws {
    let answer =
      #"{"name": "Old tower", "stars": 4, "kinds": ["tower", "default"], "#
      + #""nearby": [{"name": "Gate", "stars": 1, "kinds": ["tower"]}], "price": 12.5}"#
    let (session, _) = try SessionTests.scripted([answer])
    let stream = try session.streamResponse(to: "A sight.", generating: Sight.self)
    var names: [String] = []
    var kinds: [Int] = []
    var nearby: [String] = []
    var last: Sight.PartiallyGenerated?
    for try await snapshot in stream {
      // From the opening brace on there is always a value.
      let partial = try #require(snapshot.content)
      if let name = partial.name, names.last != name { names.append(name) }
      if let count = partial.kinds?.count, kinds.last != count { kinds.append(count) }
      if let name = partial.nearby?.first?.name, nearby.last != name { nearby.append(name) }
      last = partial
    }
    #expect(names == (0...9).map { String("Old tower".prefix($0)) })
    #expect(kinds == [0, 1, 2] && nearby == ["", "G", "Ga", "Gat", "Gate"])
    #expect(last?.stars == 4 && last?.price == 12.5 && last?.kinds == [.tower, .default])
    let (again, _) = try SessionTests.scripted([answer])
    let value = try await again.respond(to: "A sight.", generating: Sight.self).content
    #expect(value.nearby?.first?.kinds == [.tower] && value.price == 12.5)
  }

  @Test("answers of a random model are values of the types, within their guides")
  func typed() async throws {
    let model = try TestModels.conversing()
    var seen = 0
    for seed in 1...8 as ClosedRange<UInt64> {
      let options = GenerationOptions(
        sampling: Sampling(temperature: 1, topK: 0, topP: 1, seed: seed), maxTokens: 1000)
      let session = LanguageModelSession(model: model)
      do {
        let sight = try await session.respond(
          to: "A sight.", generating: Sight.self, mention: .guideOnly, options: options
        ).content
        #expect((1...5).contains(sight.stars) && (1...2).contains(sight.kinds.count))
        #expect(sight.name.count <= 21 && (sight.nearby?.count ?? 0) <= 2)
        #expect((sight.price ?? 1) >= 0.5)
        let move = try await session.respond(
          to: "A move.", generating: Move.self, mention: .guideOnly, options: options
        ).content
        if case .say(let text) = move { #expect(!text.contains("\u{0}")) }
        seen += 1
      } catch let error as SessionError where error.code == .incompleteAnswer { continue }
    }
    #expect(seen > 0)
  }
}

/// A type whose outline each test gives.
private struct Outlined: Generable {
  @TaskLocal static var outline = GenerationOutline.decoded

  static var generationOutline: GenerationOutline { outline }
}
