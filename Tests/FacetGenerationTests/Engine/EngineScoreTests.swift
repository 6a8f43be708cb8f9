// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTokenizer
import Testing

/// Scores of given tokens.
@Suite("Engine: scores")
struct EngineScoreTests {
  @Test(
    "are those that a session gives token by token", arguments: ["gemma2", "gemma3", "mistral"])
  func session(family: String) async throws {
    let model = try Fixture(family).model
    let tokens = try Fixture.golden("long", family: family).tokens
    let engine = try Engine(model, options: Engine.Options(chunk: 19))
    let scores = try await engine.score(tokens, alternatives: 3)
    #expect(scores.map(\.id) == tokens)
    #expect(scores[0].logProbability == nil && scores[0].alternatives.isEmpty)
    var session = try Session(model)
    var sampler = try Sampler(.greedy)
    var logits = try session.prefill([tokens[0]])
    for (place, token) in tokens.enumerated().dropFirst() {
      let expected = logits.withFloats { sampler.logProbabilities(of: token, top: 3, in: $0) }
      let found = try #require(scores[place].logProbability)
      #expect(abs(found - expected.chosen) < 1e-4)
      #expect(scores[place].alternatives.map(\.token) == expected.top.map(\.token))
      logits = try session.decode(token)
    }
  }

  @Test("from a place on need the tokens before it read only once")
  func from() async throws {
    let model = try Fixture().model
    let tokens = try Fixture.golden("long").tokens
    let engine = try Engine(model)
    let all = try await engine.score(tokens)
    let read = engine.status.promptTokens - engine.status.cachedTokens
    let part = try await engine.score(tokens, from: 40)
    #expect(part[..<40].allSatisfy { $0.logProbability == nil })
    for (found, expected) in zip(part[40...], all[40...]) {
      #expect(abs((found.logProbability ?? 1) - (expected.logProbability ?? 0)) < 1e-4)
    }
    let again = engine.status.promptTokens - engine.status.cachedTokens - read
    #expect(again == tokens.count - 39)
    // Of nothing but the last.
    let last = try await engine.score(tokens, from: 10_000)
    #expect(last.count { $0.logProbability != nil } == 1)
  }

  @Test("stand beside answers without changing them")
  func beside() async throws {
    let model = try Fixture().model
    let tokens = try Fixture.golden("long").tokens
    let engine = try Engine(model)
    let question = EngineQuestion.long(Array(tokens.prefix(12)), 40, model)
    let expected = try await engine.score(tokens, alternatives: 1)
    async let answer = engine.transcript(question.prompt, question.options)
    for _ in 0..<5 {
      let scores = try await engine.score(Array(tokens.reversed()) + tokens)
      #expect(scores.count == 2 * tokens.count)
    }
    #expect(differences(try await answer, try question.alone(model)).isEmpty)
    #expect(try await engine.score(tokens, alternatives: 1).map(\.id) == expected.map(\.id))
  }

  @Test("of one token are none, of no token an error")
  func edges() async throws {
    let model = try Fixture().model
    let engine = try Engine(model)
    let one = try await engine.score([2])
    #expect(one.count == 1 && one[0].logProbability == nil)
    await #expect(throws: GenerationError.self) { try await engine.score([]) }
    await #expect(
      throws: GenerationError(
        .invalidOption,
        "Log-probabilities are asked for 101 tokens; it must be between 0 and 100.")
    ) { try await engine.score([2, 3], alternatives: 101) }
    #expect(try await engine.settle().finished == [.scored: 1])
  }
}
