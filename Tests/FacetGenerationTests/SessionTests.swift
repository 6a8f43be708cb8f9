// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTokenizer
import Foundation
import Testing

@Suite("Session")
struct SessionTests {
  static func greedy(_ count: Int, stop: [String] = []) -> GenerationOptions {
    GenerationOptions(sampling: .greedy, maxTokens: count, stop: stop)
  }

  @Test(
    "greedy answers are the oracle's",
    arguments: ["gemma1", "gemma2", "gemma3", "llama", "mistral"], ["one", "short"])
  func greedyGolden(family: String, prompt: String) throws {
    let golden = try Fixture.golden(prompt, family: family)
    let fixture = try Fixture(family)
    var session = try Session(fixture.model)
    let transcript = try session.transcript(Prompt(tokens: golden.tokens), Self.greedy(64))
    // The oracle goes on after a stop token; we end with it.
    let stops = fixture.model.tokenizer.special.stop
    let end = golden.greedy.firstIndex(where: stops.contains).map { $0 + 1 } ?? golden.greedy.count
    #expect(transcript.ids == Array(golden.greedy[..<end]))
    let stopped = transcript.ids.last.map(stops.contains) ?? false
    #expect(transcript.summary?.reason == (stopped ? .endOfTurn : .maxTokens))
  }

  @Test("text, tokens and counts tell the same story")
  func accounting() throws {
    let golden = try Fixture.golden("short")
    let fixture = try Fixture()
    var session = try Session(fixture.model)
    let prompt = Prompt(tokens: golden.tokens)
    let transcript = try session.transcript(prompt, Self.greedy(20))
    let summary = try #require(transcript.summary)
    #expect(summary.reason == .maxTokens)
    #expect(summary.promptTokens == golden.tokens.count)
    #expect(summary.cachedTokens == 0)
    #expect(summary.generatedTokens == 20)
    #expect(transcript.prefill == [0, golden.tokens.count])
    #expect(summary.prefillTime > .zero && summary.decodeTime > .zero)
    #expect(summary.prefillTokensPerSecond > 0 && summary.decodeTokensPerSecond > 0)
    #expect(
      transcript.text == fixture.model.tokenizer.decode(transcript.ids, from: .continuation))
    // The last token was drawn but never read.
    #expect(session.tokens == golden.tokens + transcript.ids.dropLast())
  }

  @Test("a prompt that continues what the cache holds is read from there, with the same answer")
  func prefixReuse() throws {
    let fixture = try Fixture()
    let golden = try Fixture.golden("long")
    let half = Array(golden.tokens.prefix(30))
    var session = try Session(fixture.model)
    _ = try session.transcript(Prompt(tokens: half), Self.greedy(4))
    let reused = try session.transcript(Prompt(tokens: golden.tokens), Self.greedy(16))
    var fresh = try Session(fixture.model)
    let alone = try fresh.transcript(Prompt(tokens: golden.tokens), Self.greedy(16))
    #expect(reused.summary?.cachedTokens == 30)
    #expect(alone.summary?.cachedTokens == 0)
    #expect(reused.ids == alone.ids)
    // The same prompt again: all but its last token is held.
    let again = try session.transcript(Prompt(tokens: golden.tokens), Self.greedy(16))
    #expect(again.summary?.cachedTokens == golden.tokens.count - 1)
    #expect(again.ids == alone.ids)
  }

  @Test("an answer that differs from the next prompt is forgotten, not mixed in")
  func divergence() throws {
    let fixture = try Fixture()
    let golden = try Fixture.golden("long")
    var session = try Session(fixture.model)
    var other = golden.tokens
    other[5] = 300
    _ = try session.transcript(Prompt(tokens: other), Self.greedy(40))
    let after = try session.transcript(Prompt(tokens: golden.tokens), Self.greedy(16))
    var fresh = try Session(fixture.model)
    #expect(
      after.ids == (try fresh.transcript(Prompt(tokens: golden.tokens), Self.greedy(16))).ids)
  }

  @Test("the same seed gives the same answer, another seed another one")
  func seeds() throws {
    let fixture = try Fixture()
    let prompt = Prompt(tokens: try Fixture.golden("short").tokens)
    var session = try Session(fixture.model)
    func answer(_ seed: UInt64, _ session: inout Session) throws -> Transcript {
      try session.transcript(
        prompt, GenerationOptions(sampling: Sampling(topK: 0, topP: 1, seed: seed), maxTokens: 12))
    }
    let first = try answer(1, &session)
    #expect(try answer(1, &session).ids == first.ids)
    #expect(try answer(2, &session).ids != first.ids)
    #expect(first.summary?.seed == 1)
  }

  @Test("the answer ends where the context does, and says so")
  func contextFull() throws {
    let fixture = try Fixture()
    let golden = try Fixture.golden("short")
    var session = try Session(fixture.model, context: 12)
    let options = GenerationOptions(sampling: .greedy)
    let transcript = try session.transcript(Prompt(tokens: golden.tokens), options)
    #expect(transcript.summary?.reason == .contextFull)
    // 8 of the prompt, 4 more read, and the one that those bring.
    #expect(transcript.ids == Array(golden.greedy.prefix(5)))
  }

  @Test("a stop text ends the answer and is not shown, not even its beginning")
  func stopText() throws {
    let fixture = try Fixture()
    let prompt = Prompt(tokens: try Fixture.golden("short").tokens)
    var session = try Session(fixture.model)
    let whole = try session.transcript(prompt, Self.greedy(30)).text
    let middle = whole.index(whole.startIndex, offsetBy: whole.count / 2)
    let stop = String(whole[middle...].prefix(3))
    let transcript = try session.transcript(prompt, Self.greedy(30, stop: ["nowhere", stop]))
    #expect(transcript.summary?.reason == .stopText(stop))
    let expected = whole.range(of: stop).map { String(whole[..<$0.lowerBound]) }
    #expect(transcript.text == expected)
  }

  @Test("log-probabilities are those of a softmax over the logits")
  func logProbabilities() throws {
    let fixture = try Fixture()
    let tokens = try Fixture.golden("short").tokens
    var session = try Session(fixture.model)
    let options = GenerationOptions(sampling: .greedy, maxTokens: 3, logProbabilities: 4)
    let transcript = try session.transcript(Prompt(tokens: tokens), options)
    var check = try Session(fixture.model)
    var logits = try check.prefill(tokens).floats()
    for token in transcript.tokens {
      let total = log(logits.reduce(0) { $0 + exp(Double($1)) })
      let expected = logits.enumerated().sorted { $0.element > $1.element }.prefix(4)
      #expect(token.alternatives.map(\.token) == expected.map { Int32($0.offset) })
      for (found, wanted) in zip(token.alternatives, expected) {
        #expect(abs(Double(found.logProbability) - (Double(wanted.element) - total)) < 1e-4)
      }
      #expect(token.logProbability == token.alternatives.first?.logProbability)
      logits = try check.decode(token.id).floats()
    }
  }

  @Test("a cancelled task stops at the next token and keeps what there is")
  func cancellation() async throws {
    let fixture = try Fixture()
    let tokens = try Fixture.golden("short").tokens
    let transcript = try await Task {
      var session = try Session(fixture.model)
      var transcript = Transcript()
      try session.generate(Prompt(tokens: tokens), options: Self.greedy(60)) { event in
        transcript.note(event)
        if transcript.tokens.count == 7 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
      }
      return transcript
    }.value
    #expect(transcript.tokens.count == 7)
    #expect(transcript.summary?.reason == .cancelled)
    #expect(transcript.summary?.generatedTokens == 7)
  }

  @Test("a task cancelled beforehand reads nothing")
  func cancelledBeforehand() async throws {
    let fixture = try Fixture()
    let tokens = try Fixture.golden("short").tokens
    let transcript = try await Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      var session = try Session(fixture.model)
      return try session.transcript(Prompt(tokens: tokens), Self.greedy(60))
    }.value
    #expect(transcript.tokens.isEmpty)
    #expect(transcript.summary?.reason == .cancelled)
  }

  @Test("an error of the listener ends the answer and is thrown on")
  func listenerThrows() throws {
    struct Full: Error {}
    let fixture = try Fixture()
    let tokens = try Fixture.golden("short").tokens
    var session = try Session(fixture.model)
    var count = 0
    var caught: (any Error)?
    do {
      try session.generate(Prompt(tokens: tokens), options: Self.greedy(60)) { event in
        if case .token = event { count += 1 }
        if count == 3 { throw Full() }
      }
    } catch { caught = error }
    #expect(caught is Full)
    #expect(count == 3)
  }

  @Test("prompts that cannot be read are refused with numbers")
  func refusals() throws {
    let fixture = try Fixture()
    var session = try Session(fixture.model, context: 16)
    func message(_ tokens: [Int32], _ session: inout Session) -> String {
      do {
        _ = try session.transcript(Prompt(tokens: tokens), Self.greedy(1))
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message([], &session) == "The prompt has no tokens; give at least one word.")
    #expect(
      message(Array(repeating: 5, count: 17), &session)
        == "The prompt has 17 tokens and the context 16. Shorten the prompt, or use a larger context "
        + "(this model takes up to 256).")
    #expect(
      message([2, 400], &session) == "Token 400 is not in the model's vocabulary of 384.")
    // Nothing was lost: the session still answers.
    #expect(message([2, 5], &session) == "no error")
  }

  @Test("contexts out of range are refused")
  func contextRange() throws {
    let fixture = try Fixture()
    for context in [0, -1, 257] {
      var message = ""
      do { _ = try Session(fixture.model, context: context) } catch { message = "\(error)" }
      #expect(
        message
          == "A context of \(context) tokens is asked for; \(fixture.model.card.name) takes between 1 "
          + "and 256.")
    }
    #expect(try Session(fixture.model).contextLength == 256)
  }

  @Test("sessions of one model on several tasks do not disturb one another")
  func concurrentSessions() async throws {
    let fixture = try Fixture()
    let golden = try Fixture.golden("short")
    try await withThrowingTaskGroup(of: [Int32].self) { group in
      for _ in 0..<4 {
        group.addTask {
          var session = try Session(fixture.model)
          return try session.transcript(Prompt(tokens: golden.tokens), Self.greedy(24)).ids
        }
      }
      for try await ids in group { #expect(ids == Array(golden.greedy.prefix(24))) }
    }
  }
}
