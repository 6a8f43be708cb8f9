// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetGuides
import FacetModel
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Testing

/// Answers of many at once are those of each alone.
@Suite("Engine")
struct EngineTests {
  @Test(
    "answers at the same time are what sessions give alone",
    arguments: ["gemma1", "gemma2", "gemma3", "llama", "mistral"])
  func families(family: String) async throws {
    let model = try Fixture(family).model
    let engine = try Engine(model)
    var generator = SeededGenerator.announced("engine \(family)", salt: 11)
    let questions = (0..<24).map { _ in EngineQuestion.random(using: &generator) }
    try await withThrowingTaskGroup(of: [String].self) { group in
      for question in questions {
        group.addTask {
          differences(
            try await engine.transcript(question.prompt, question.options),
            try question.alone(model))
        }
      }
      for try await found in group { #expect(found.isEmpty) }
    }
    let status = try await engine.settle()
    #expect(status.finished.values.reduce(0, +) == 24)
    #expect(status.promptTokens == questions.reduce(0) { $0 + $1.prompt.tokens.count })
    // Many of them begin alike.
    #expect(status.cachedTokens > 0 && status.keptPrefixes > 0)
  }

  @Test("the oracle's greedy answers come out of a full engine", arguments: ["gemma3", "llama"])
  func goldens(family: String) async throws {
    let model = try Fixture(family).model
    let engine = try Engine(model, options: Engine.Options(sequences: 3, chunk: 5))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["one", "short", "long", "short", "one", "long", "short"] {
        group.addTask {
          let golden = try Fixture.golden(name, family: family)
          let found = try await engine.transcript(
            Prompt(tokens: golden.tokens), SessionTests.greedy(golden.greedy.count))
          let stops = model.tokenizer.special.stop
          let end = golden.greedy.firstIndex(where: stops.contains).map { $0 + 1 }
          #expect(found.ids == Array(golden.greedy[..<(end ?? golden.greedy.count)]))
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("adapters of different requests do not touch one another")
  func adapters() async throws {
    let model = try Fixture("gemma3").model
    let checkpoint = try AdapterCheckpoint.open(path: Goldens.path("adapters/gemma3-dora"))
    let whole = try Adapter(checkpoint, for: model.configuration)
    var half = whole
    half.strength = 0.5
    let engine = try Engine(model)
    let tokens = try Fixture.golden("long").tokens
    let sets: [[Adapter]] = [[], [whole], [half], [half, half]]
    var alone: [[TokenID]] = []
    for set in sets {
      let question = EngineQuestion(
        prompt: Prompt(tokens: tokens), options: SessionTests.greedy(20), adapters: set)
      alone.append(try question.alone(model).ids)
    }
    #expect(Set(alone).count > 1)
    try await withThrowingTaskGroup(of: Void.self) { [alone] group in
      for index in 0..<12 {
        group.addTask {
          let found = try await engine.transcript(
            Prompt(tokens: tokens), SessionTests.greedy(20), adapters: sets[index % 4])
          #expect(found.ids == alone[index % 4])
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("the fast path agrees where one token is clearly the likeliest")
  func fastPath() async throws {
    let model = try Fixture("gemma3", precision: .fast).model
    let engine = try Engine(model)
    let tokens = try Fixture.golden("long").tokens
    var options = SessionTests.greedy(24)
    options.logProbabilities = 2
    let question = EngineQuestion(prompt: Prompt(tokens: tokens), options: options)
    let alone = try question.alone(model)
    try await withThrowingTaskGroup(of: Transcript.self) { group in
      for length in 0..<10 {
        // Others of every length keep the batch's shape changing.
        let other = EngineQuestion.long(Array(tokens.prefix(3 + length)), 5 + 3 * length, model)
        group.addTask { try await engine.transcript(other.prompt, other.options) }
      }
      let found = try await engine.transcript(question.prompt, question.options)
      for (mine, other) in zip(found.tokens, alone.tokens) {
        guard mine.id == other.id else {
          // They may part only where the two likeliest were as good as equal.
          let margin = other.alternatives[0].logProbability - other.alternatives[1].logProbability
          #expect(margin < 0.05)
          break
        }
        #expect(abs((mine.logProbability ?? 0) - (other.logProbability ?? 0)) < 0.05)
      }
      try await group.waitForAll()
    }
  }

  @Test("tell their story in order: reading, tokens, the end")
  func order() async throws {
    let model = try Fixture().model
    let engine = try Engine(model, options: Engine.Options(chunk: 7))
    let tokens = try Fixture.golden("long").tokens
    let found = try await engine.transcript(Prompt(tokens: tokens), SessionTests.greedy(9))
    #expect(found.prefill == Array(stride(from: 0, to: tokens.count, by: 7)) + [tokens.count])
    let summary = try #require(found.summary)
    #expect(summary.reason == .maxTokens && summary.generatedTokens == 9)
    #expect(summary.promptTokens == tokens.count && summary.cachedTokens == 0)
    #expect(summary.prefillTime > .zero && summary.decodeTime > .zero)
    #expect(found.text == model.tokenizer.decode(found.ids, from: .continuation))
  }

  @Test("the context's end is that of a session")
  func contextFull() async throws {
    let model = try Fixture().model
    let golden = try Fixture.golden("short")
    let engine = try Engine(model, options: Engine.Options(context: 12))
    let options = GenerationOptions(sampling: .greedy)
    let found = try await engine.transcript(Prompt(tokens: golden.tokens), options)
    #expect(found.summary?.reason == .contextFull)
    #expect(found.ids == Array(golden.greedy.prefix(5)))
    for guide in [Guide.regularExpression("abcdefghijklmnopqrstuvwxyz"), GuidedAnswerTests.schema] {
      for probabilities in [nil, 1] {
        var guided = options
        guided.guide = guide
        guided.logProbabilities = probabilities
        var session = try Session(model, context: 12)
        let alone = try session.transcript(Prompt(tokens: golden.tokens), guided)
        let together = try await engine.transcript(Prompt(tokens: golden.tokens), guided)
        #expect(differences(together, alone).isEmpty)
      }
    }
  }
}
