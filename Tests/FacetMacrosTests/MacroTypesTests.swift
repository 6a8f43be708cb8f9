// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  public import Facet
  import Foundation
  import Testing

  /// A trip, with everything that the macros understand.
  @Generable(description: "A trip")
  public struct Trip: Equatable {
    /// Where it goes.
    @Guide(description: "Where it goes", .pattern("[A-Z][a-z]{1,12}")) public var place: String
    /// How long it takes.
    @Guide(.range(1...30)) public var days: Int
    @Guide(.range(0...1)) var comfort: Double
    @Guide(description: "What to see", .count(1...3), .element(.maximumLength(12)))
    var sights: [String]
    @Guide(.anyOf(["train", "boat"])) var by: String?
    var season: Season
    var stops: [Stop]
    var best: Optional<Stop>
    var leaves: Date?
    var `default`: Bool
    static let count = 3
    var nights: Int { days - 1 }

    @Generable
    enum Season { case spring, summer, `default` }

    @Generable
    struct Stop: Equatable {
      var name: String
      var altitude: UInt16?
      var next: [Stop]?

      enum CodingKeys: String, CodingKey {
        case name = "called"
        case altitude, next
      }
    }
  }

  /// Raw values, and values in cases.
  @Generable
  enum Level: Int { case low = 1, high = 5 }

  @Generable
  enum Mood: String, Codable, CaseIterable { case good, bad = "poor" }

  @Generable(description: "What to do next")
  indirect enum Step: Equatable {
    case wait
    case go(to: String, quickly: Bool?)
    case both(Step, Step)
  }

  /// Guides of how many elements there are, alone: nothing beside them says what the elements are.
  @Generable
  struct Lists {
    @Guide(.count(2)) var pairs: [Int]
    @Guide(description: "Words", .count(1...3)) var words: [String]
    @Guide(.minimumCount(1)) var some: [Trip.Stop]
    @Guide(.maximumCount(4)) var few: [Trip.Stop]?
  }

  @Suite("Types with macros")
  struct MacroTypesTests {
    static func object(_ text: String) throws -> NSDictionary {
      try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
    }

    @Test("how many elements a list has can be said without saying what they are")
    func counts() throws {
      let schema = try Self.object(Lists.generationSchema.text)
      let properties = try #require(schema["properties"] as? [String: NSDictionary])
      func bounds(_ name: String) -> [Int?] {
        [properties[name]?["minItems"] as? Int, properties[name]?["maxItems"] as? Int]
      }
      #expect(bounds("pairs") == [2, 2])
      #expect(bounds("words") == [1, 3])
      #expect(bounds("some") == [1, nil])
      #expect(bounds("few") == [nil, 4])
    }

    @Test("a struct's schema has its properties, descriptions and guides")
    func described() throws {
      let schema = try Trip.generationSchema
      try schema.guide.validate()
      let date =
        #"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"#
      let expected = ##"""
        {"type": "object", "description": "A trip", "properties": {
          "place": {"type": "string", "pattern": "^(?:[A-Z][a-z]{1,12})$", "description": "Where it goes"},
          "days": {"type": "integer", "minimum": 1, "maximum": 30},
          "comfort": {"type": "number", "minimum": 0, "maximum": 1},
          "sights": {"type": "array", "items": {"type": "string", "maxLength": 12}, "minItems": 1,
            "maxItems": 3, "description": "What to see"},
          "by": {"enum": ["train", "boat"]},
          "season": {"enum": ["spring", "summer", "default"]},
          "stops": {"type": "array", "items": {"$ref": "#/$defs/Stop"}},
          "best": {"$ref": "#/$defs/Stop"},
          "leaves": {"type": "string", "pattern": "\##(date)"},
          "default": {"type": "boolean"}},
          "required": ["place", "days", "comfort", "sights", "season", "stops", "default"],
          "additionalProperties": false,
          "$defs": {"Stop": {"type": "object", "properties": {
            "called": {"type": "string"},
            "altitude": {"type": "integer", "minimum": 0, "maximum": 65535},
            "next": {"type": "array", "items": {"$ref": "#/$defs/Stop"}}},
            "required": ["called"], "additionalProperties": false}}}
        """##
      #expect(try Self.object(schema.text) == Self.object(expected), "\(schema.text)")
    }

    @Test("what holds to the schema is decoded")
    func decoded() throws {
      let text = #"""
        {"place": "Rome", "days": 3, "comfort": 0.5, "sights": ["Forum"], "by": "train",
         "season": "default", "stops": [{"called": "Pisa", "next": [{"called": "Siena"}]}], "default": true}
        """#
      let trip = try JSONDecoder().decode(Trip.self, from: Data(text.utf8))
      #expect(trip.place == "Rome" && trip.season == .default && trip.nights == 2 && trip.default)
      #expect(trip.stops.first?.next?.first?.name == "Siena" && trip.best == nil)
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(Trip.Season.self, from: Data("\"winter\"".utf8))
      }
    }

    @Test("while it grows, every property is there as soon as something of it is")
    func growing() throws {
      let text = #"{"place": "Ro", "days": 3, "season": "spr", "stops": [{"called": "Pi"}, {}]}"#
      let trip = try JSONDecoder().decode(Trip.PartiallyGenerated.self, from: Data(text.utf8))
      #expect(trip.place == "Ro" && trip.days == 3 && trip.season == nil && trip.sights == nil)
      #expect(trip.stops?.count == 2 && trip.stops?.first?.name == "Pi" && trip.default == nil)
    }

    @Test("enumerations are their names, their raw values, or what Swift codes")
    func enumerations() throws {
      #expect(try Level.generationSchema.text == #"{"enum":[1,5]}"#)
      #expect(try Mood.generationSchema.text == #"{"enum":["good","poor"]}"#)
      #expect(try JSONDecoder().decode([Level].self, from: Data("[5]".utf8)) == [.high])
      let schema = try Step.generationSchema
      try schema.guide.validate()
      #expect(
        schema.text.contains(
          #"{"go":{"type":"object","properties":{"to":{"type":"string"},"quickly":{"type":"boolean"}},"#
            + #""required":["to"],"additionalProperties":false}}"#))
      let text = #"{"both": {"_0": {"go": {"to": "Rome"}}, "_1": {"wait": {}}}}"#
      let step = try JSONDecoder().decode(Step.self, from: Data(text.utf8))
      #expect(step == .both(.go(to: "Rome", quickly: nil), .wait))
    }

    @Test("a model answers with values of such a type, as they come")
    func answered() async throws {
      let path =
        #filePath.split(separator: "Tests/FacetMacrosTests")[0]
        + "Tests/Goldens/fixtures/llama/llama.gguf"
      let options = LanguageModel.LoadOptions(threads: 2, precision: .exact)
      let language = try LanguageModel.load(path: String(path), options: options)
      let model = Model(language.conversing(as: "[INST] <<SYS>>"))
      var values: [Step] = []
      for seed in 1...20 as ClosedRange<UInt64> {
        let sampling = Sampling(temperature: 1, topK: 0, topP: 1, seed: seed)
        let stream = try LanguageModelSession(model: model).streamResponse(
          to: "?", generating: Step.self, mention: .guideOnly,
          options: GenerationOptions(sampling: sampling, maxTokens: 100))
        do { values.append(try await stream.collect().content) } catch is SessionError { continue }
      }
      #expect(!values.isEmpty)
    }
  }
#endif
