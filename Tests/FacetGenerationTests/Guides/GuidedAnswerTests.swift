// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetModel
import FacetTensor
import FacetTokenizer
import Foundation
import Testing

@Suite("Guided answers")
struct GuidedAnswerTests {
  static let schema = Guide.jsonSchema(
    #"""
    {"type": "object", "required": ["kind", "sizes"], "additionalProperties": false, "properties": {
      "kind": {"enum": ["cat", "catfish", "dog"]},
      "sizes": {"type": "array", "items": {"type": "integer", "minimum": -20, "maximum": 300},
        "minItems": 1, "maxItems": 4},
      "alive": {"type": "boolean"}}}
    """#)

  private struct Animal: Decodable {
    var kind: String
    var sizes: [Int]
    var alive: Bool?
  }

  @Test(
    "follow their schema at any temperature, with any filter, for every family's vocabulary",
    arguments: ["gemma1", "gemma2", "gemma3", "llama", "mistral"])
  func families(family: String) throws {
    let model = try Fixture(family).model
    var forced = 0
    for seed in 0..<12 as Range<UInt64> {
      var session = try Session(model)
      var options = GenerationOptions(
        sampling: Sampling(
          temperature: [0, 0.7, 1, 2][Int(seed % 4)], topK: seed % 3 == 0 ? 0 : 20,
          topP: seed % 5 == 0 ? 1 : 0.9, minP: seed % 2 == 0 ? 0 : 0.05,
          repetitionPenalty: seed % 3 == 1 ? 1.2 : 1, seed: seed), maxTokens: 200)
      options.guide = Self.schema
      let golden = try Fixture.golden("short", family: family)
      let answer = try session.transcript(Prompt(tokens: golden.tokens), options)
      let summary = try #require(answer.summary)
      #expect(summary.reason == .guideComplete, "\(answer.text)")
      let animal = try JSONDecoder().decode(Animal.self, from: Data(answer.text.utf8))
      #expect(["cat", "catfish", "dog"].contains(animal.kind))
      #expect((1...4).contains(animal.sizes.count))
      #expect(animal.sizes.allSatisfy { (-20...300).contains($0) })
      #expect(summary.generatedTokens == answer.tokens.count)
      forced += summary.forcedTokens
      // The cache holds no more than was said; forced text at the end need not be read.
      #expect((golden.tokens + answer.ids).starts(with: session.tokens))
      #expect(session.tokens.count < golden.tokens.count + answer.ids.count)
    }
    #expect(forced > 0)
  }

  @Test("end with the end of the turn only where the guide may end, and go on where it may not")
  func ending() throws {
    let model = try Fixture().model
    let stop = try #require(model.tokenizer.special.stop.first { $0 < 1000 })
    // A model that wants to stop all the time.
    var sampling = Sampling.greedy
    sampling.logitBias = Dictionary(
      uniqueKeysWithValues: model.tokenizer.special.stop.map { ($0, 1000) })
    var options = GenerationOptions(sampling: sampling, maxTokens: 60)
    options.guide = .regularExpression("[a-z]{7,}")
    var session = try Session(model)
    let answer = try session.transcript(model.prompt("a"), options)
    #expect(answer.summary?.reason == .endOfTurn)
    #expect(answer.ids.last == stop || model.tokenizer.special.stop.contains(answer.ids.last ?? -1))
    #expect(answer.text.count >= 7)
    #expect(answer.text.allSatisfy { ("a"..."z").contains($0) })
  }

  @Test("that run out of tokens say so")
  func tooShort() throws {
    let model = try Fixture().model
    for most in [1, 2, 5, 9] {
      var options = GenerationOptions(sampling: .greedy, maxTokens: most)
      options.guide = Self.schema
      var session = try Session(model)
      let answer = try session.transcript(model.prompt("a"), options)
      #expect(answer.summary?.reason == .maxTokens)
      #expect(answer.tokens.count == most)
    }
    var options = GenerationOptions(sampling: .greedy)
    options.guide = .choices([String(repeating: "far too long for this ", count: 20)])
    var session = try Session(model, context: 24)
    let answer = try session.transcript(model.prompt("a"), options)
    #expect(answer.summary?.reason == .contextFull)
    #expect(session.tokens.count <= 24)
  }

  @Test("forced text costs no draw, and its log-probabilities are those of one token after another")
  func forced() throws {
    let model = try Fixture().model
    let text = "the cat sat on the mat"
    var options = GenerationOptions(sampling: .greedy, logProbabilities: 2)
    options.guide = .choices([text])
    var session = try Session(model)
    let prompt = model.prompt("once")
    let answer = try session.transcript(prompt, options)
    #expect(answer.text == text)
    #expect(answer.ids == model.tokenizer.encode(text))
    #expect(answer.summary?.forcedTokens == answer.ids.count)
    #expect(answer.summary?.reason == .guideComplete)
    var other = try Session(model)
    var logits = try other.prefill(prompt.tokens)
    var sampler = try Sampler(.greedy)
    for token in answer.tokens {
      let expected = logits.withFloats { sampler.logProbabilities(of: token.id, top: 2, in: $0) }
      #expect(token.logProbability == expected.chosen)
      #expect(token.alternatives == expected.top)
      logits = try other.decode(token.id)
    }
    options.logProbabilities = nil
    #expect(try session.transcript(prompt, options).ids == answer.ids)
  }

  @Test("with guesses are the same as without")
  func speculation() throws {
    let model = try Fixture().model
    var options = GenerationOptions(sampling: Sampling(temperature: 1.5, seed: 5), maxTokens: 80)
    options.guide = Self.schema
    let prompt = model.prompt("the the the the the")
    var plain = try Session(model)
    var guessing = try Session(model, speculation: Speculation(.lookup, pace: .always))
    let expected = try plain.transcript(prompt, options)
    #expect(try guessing.transcript(prompt, options).ids == expected.ids)
    // And the session goes on without a guide as ever.
    options.guide = nil
    let next = try plain.transcript(prompt, options)
    #expect(try guessing.transcript(prompt, options).ids == next.ids)
  }

  @Test("are refused where options contradict or rule everything out")
  func refusals() throws {
    let model = try Fixture().model
    var session = try Session(model)
    var options = GenerationOptions(stop: ["x"], guide: .choices(["a"]))
    #expect {
      try session.transcript(model.prompt("a"), options)
    } throws: {
      ($0 as? GenerationError)?.message
        == "A guide and stop texts are given; a stop text would cut off what the guide asks for. Give "
        + "one of the two."
    }
    options = GenerationOptions(guide: .regularExpression("[ab]+c"))
    let letters = (0..<TokenID(model.configuration.vocabulary)).filter { token in
      let bytes = model.tokenizer.bytes(of: token)
      return !bytes.isEmpty && bytes.allSatisfy { (0x61...0x63).contains($0) }
    }
    for token in letters { options.sampling.logitBias[token] = -.infinity }
    #expect {
      try session.transcript(model.prompt("a"), options)
    } throws: {
      ($0 as? GenerationError)?.message
        == "No token can be drawn: the guide, the logit bias and the model leave none. Loosen the guide "
        + "or the bias, or check the model file."
    }
    options = GenerationOptions(guide: .choices([]))
    #expect(
      throws: GenerationError(
        .invalidGuide,
        "The list of choices is empty or has an empty text; give texts to choose from.")
    ) { try session.transcript(model.prompt("a"), options) }
  }

  @Test("go through JSON as options do")
  func coding() throws {
    let guides: [Guide] = [
      Self.schema, .jsonSchema("true"), .grammar("root ::= \"a\" | [^a]+"),
      .regularExpression("[a-z]+"), .choices(["yes", "no"]),
      .toolCalls(
        ToolGuide([ToolDefinition(name: "f")], syntax: .gemma4, answer: .choices(["yes"]))),
    ]
    for guide in guides {
      let options = GenerationOptions(guide: guide)
      let data = try JSONEncoder().encode(options)
      #expect(try JSONDecoder().decode(GenerationOptions.self, from: data) == options)
    }
  }
}
