// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTokenizer
import Foundation
import Testing

/// Guessing ahead changes the time an answer takes and nothing else.
@Suite("Speculation")
struct SpeculationTests {
  /// A prompt that repeats itself, so that there is something to look up.
  static let prompt = Prompt(
    tokens: [2] + (0..<5).flatMap { _ in [40, 41, 42, 300, 301, 302, 50, 51, 52, 53] })

  /// A draft for the fixtures of `family`: the same model, read by other kernels, so that it is mostly
  /// but not always right.
  static func guesses(_ source: String, _ model: LanguageModel) -> Speculation {
    Speculation(source == "lookup" ? .lookup : .draft(model), pace: .always)
  }

  @Test(
    "greedy answers are those of decoding one by one",
    arguments: ["gemma1", "gemma2", "gemma3", "llama", "mistral"], ["lookup", "draft"])
  func greedy(family: String, source: String) throws {
    for precision in [Precision.exact, .fast] {
      let fixture = try Fixture(family, precision: precision)
      var plain = try Session(fixture.model)
      var guessing = try Session(
        fixture.model, speculation: Self.guesses(source, fixture.model))
      let options = GenerationOptions(sampling: .greedy, maxTokens: 120)
      let expected = try plain.transcript(Self.prompt, options)
      let found = try guessing.transcript(Self.prompt, options)
      #expect(found.ids == expected.ids)
      #expect(found.text == expected.text)
      #expect(found.summary?.reason == expected.summary?.reason)
      #expect(guessing.tokens == plain.tokens)
      let summary = try #require(found.summary)
      #expect(summary.acceptedTokens <= summary.draftedTokens)
      // A model that drafts for itself is always right.
      if source == "draft" {
        #expect(summary.draftedTokens > 60)
        #expect(summary.acceptedTokens >= summary.draftedTokens * 9 / 10)
      }
    }
  }

  @Test("greedy answers stand against a draft that is nearly always wrong, and is soon left alone")
  func wrongDraft() throws {
    try withFolder { folder in
      try RandomModel(headScale: 0.25).write(to: folder + "model.gguf", seed: 1)
      try RandomModel(layers: 1, headScale: 0.25).write(to: folder + "draft.gguf", seed: 2)
      let model = try LanguageModel.load(path: folder + "model.gguf")
      let draft = try LanguageModel.load(path: folder + "draft.gguf")
      // Penalties keep both from saying the same token for ever.
      let options = GenerationOptions(
        sampling: Sampling(
          temperature: 0, frequencyPenalty: 3, penaltyWindow: -1, logitBias: [1: -.infinity]),
        maxTokens: 90)
      var plain = try Session(model)
      let expected = try plain.transcript(Prompt(tokens: [2, 270, 271]), options)
      for pace in [Speculation.Pace.always, .adaptive] {
        var guessing = try Session(
          model, speculation: Speculation(.draft(draft), pace: pace))
        let found = try guessing.transcript(Prompt(tokens: [2, 270, 271]), options)
        #expect(found.ids == expected.ids)
        let drafted = try #require(found.summary).draftedTokens
        #expect(pace == .always ? drafted > 100 : drafted < 45, "\(drafted)")
      }
    }
  }

  @Test("a lookup draws the very tokens that the seed stands for, under every option")
  func lookupSampled() throws {
    let fixture = try Fixture(precision: .fast)
    let samplings = [
      Sampling(seed: 3), Sampling(topK: 0, topP: 1, seed: 4),
      Sampling(temperature: 0.4, topK: 8, topP: 0.8, minP: 0.02, typicalP: 0.9, seed: 5),
      Sampling(
        temperature: 0.5, repetitionPenalty: 1.2, presencePenalty: 0.1, frequencyPenalty: 0.1,
        penaltyWindow: 20, logitBias: [40: 4, 41: 4, 300: -.infinity], seed: 6),
    ]
    var drafted = 0
    for sampling in samplings {
      let options = GenerationOptions(sampling: sampling, maxTokens: 100, logProbabilities: 2)
      var plain = try Session(fixture.model)
      var guessing = try Session(
        fixture.model, speculation: Speculation(.lookup, pace: .always))
      let expected = try plain.transcript(Self.prompt, options)
      let found = try guessing.transcript(Self.prompt, options)
      // Log-probabilities and alternatives, too.
      #expect(found.tokens.map(\.id) == expected.tokens.map(\.id))
      #expect(found.tokens == expected.tokens)
      drafted += found.summary?.draftedTokens ?? 0
    }
    #expect(drafted > 50)
  }

  @Test("most tokens, the context, stop texts and cancelling hold inside a guessed stretch")
  func ends() async throws {
    let fixture = try Fixture()
    let speculation = Self.guesses("draft", fixture.model)
    var plain = try Session(fixture.model)
    let whole = try plain.transcript(
      Self.prompt, GenerationOptions(sampling: .greedy, maxTokens: 40))
    for count in 1...9 {
      var session = try Session(fixture.model, speculation: speculation)
      let options = GenerationOptions(sampling: .greedy, maxTokens: count)
      let found = try session.transcript(Self.prompt, options)
      #expect(found.ids == Array(whole.ids.prefix(count)))
      #expect(found.summary?.reason == .maxTokens)
      #expect(session.tokens == Self.prompt.tokens + found.ids.dropLast())

      let context = Self.prompt.tokens.count + count
      var narrow = try Session(fixture.model, context: context, speculation: speculation)
      let full = try narrow.transcript(Self.prompt, GenerationOptions(sampling: .greedy))
      #expect(full.ids == Array(whole.ids.prefix(count + 1)))
      #expect(full.summary?.reason == .contextFull)

      let cancelled = try await Task {
        var session = try Session(fixture.model, speculation: speculation)
        var transcript = Transcript()
        try session.generate(Self.prompt, options: .init(sampling: .greedy)) { event in
          transcript.note(event)
          if transcript.tokens.count == count {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
          }
        }
        return transcript
      }.value
      #expect(cancelled.ids == Array(whole.ids.prefix(count)))
      #expect(cancelled.summary?.reason == .cancelled)
    }
    let middle = whole.text.index(whole.text.startIndex, offsetBy: whole.text.count / 2)
    let stop = String(whole.text[middle...].prefix(3))
    let options = GenerationOptions(sampling: .greedy, maxTokens: 40, stop: [stop])
    var session = try Session(fixture.model, speculation: speculation)
    let stopped = try session.transcript(Self.prompt, options)
    #expect(stopped.text == (try plain.transcript(Self.prompt, options)).text)
    #expect(stopped.summary?.reason == .stopText(stop))
  }

  @Test("what the listener throws leaves a session that goes on rightly")
  func listenerThrows() throws {
    struct Full: Error {}
    let fixture = try Fixture()
    let options = GenerationOptions(sampling: .greedy, maxTokens: 30)
    var plain = try Session(fixture.model)
    let expected = try plain.transcript(Self.prompt, options)
    var session = try Session(
      fixture.model, speculation: Self.guesses("draft", fixture.model))
    for count in 1...6 {
      var seen = 0
      #expect(throws: Full.self) {
        try session.generate(Self.prompt, options: options) { event in
          if case .token = event { seen += 1 }
          if seen == count { throw Full() }
        }
      }
      #expect(session.tokens.count == Self.prompt.tokens.count + count - 1)
    }
    #expect(try session.transcript(Self.prompt, options).ids == expected.ids)
  }

  @Test("a draft of another vocabulary, and counts out of range, are refused in a sentence")
  func refusals() throws {
    let fixture = try Fixture()
    func message(_ speculation: Speculation) -> String {
      do {
        _ = try Session(fixture.model, speculation: speculation)
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message(Speculation(.lookup, tokens: 0))
        == "0 tokens are to be guessed at once; it must be between 1 and 3.")
    #expect(
      message(Speculation(.lookup, tokens: 4))
        == "4 tokens are to be guessed at once; it must be between 1 and 3.")
    try withFolder { folder in
      try RandomModel(layers: 1).write(to: folder + "draft.gguf")
      let draft = try LanguageModel.load(path: folder + "draft.gguf")
      #expect(
        message(Speculation(.draft(draft)))
          == "Random cannot draft for \(fixture.model.card.name): its vocabulary is another one (287 "
          + "tokens instead of 384). Use a smaller model of the same family.")
    }
  }
}
