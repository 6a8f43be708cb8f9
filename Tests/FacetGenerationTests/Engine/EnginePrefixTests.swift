// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTokenizer
import Testing

/// What prompts have in common is read once.
@Suite("Engine: common beginnings")
struct EnginePrefixTests {
  typealias Scheduling = EngineSchedulingTests

  /// A text of `count` tokens and a question of five.
  static func question(_ count: Int, _ question: Int) -> [TokenID] {
    Scheduling.letters(count - 1) + Scheduling.letters(5, question).dropFirst()
  }

  @Test("a chat's next turn reads only what is new, however long the last answer was")
  func nextTurn() async throws {
    let model = try Scheduling.model()
    let engine = try Engine(model)
    for length in [3, 100, 700] {
      let prompt = Scheduling.letters(30, length)
      let first = EngineQuestion.long(prompt, length, model)
      let answer = try await engine.transcript(first.prompt, first.options)
      let next = EngineQuestion.long(prompt + answer.ids + Scheduling.letters(4, 9), 12, model)
      let found = try await engine.transcript(next.prompt, next.options)
      // The last token of the answer was drawn and never read.
      #expect(found.summary?.cachedTokens == prompt.count + length - 1)
      #expect(differences(found, try next.alone(model)).isEmpty)
    }
  }

  @Test("prompts that come at once with one beginning read it once")
  func atOnce() async throws {
    let model = try Scheduling.model()
    let engine = try Engine(model)
    let cached = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<8 {
        let question = EngineQuestion.long(Self.question(300, 2 + index), 6, model)
        group.addTask {
          let found = try await engine.transcript(question.prompt, question.options)
          #expect(differences(found, try question.alone(model)).isEmpty)
          return found.summary?.cachedTokens ?? 0
        }
      }
      return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(cached.filter { $0 >= 300 }.count == 7)
  }

  @Test("a beginning whose windows have moved on is read once more and then kept")
  func movedOn() async throws {
    let model = try Scheduling.model()
    let engine = try Engine(model)
    // Windows of 16 and a ring of 16 + 256 + 128: after 900 tokens the first 100 are out of reach.
    var cached: [Int] = []
    for index in 0..<3 {
      let tail = Scheduling.letters(900, 2 + index).dropFirst()
      let question = EngineQuestion.long(Scheduling.letters(99) + tail, 4, model)
      let found = try await engine.transcript(question.prompt, question.options)
      #expect(differences(found, try question.alone(model)).isEmpty)
      cached.append(found.summary?.cachedTokens ?? -1)
    }
    #expect(cached == [0, 0, 100])
  }

  @Test("a question about a text that was asked about before costs its own tokens")
  func secondQuestion() async throws {
    let model = try Scheduling.model()
    let engine = try Engine(model)
    for (index, length) in [10, 300, 900].enumerated() {
      let first = EngineQuestion.long(Self.question(200 + index, 3), length, model)
      _ = try await engine.transcript(first.prompt, first.options)
      let second = EngineQuestion.long(Self.question(200 + index, 8), 20, model)
      let found = try await engine.transcript(second.prompt, second.options)
      #expect(found.summary?.cachedTokens == 200 + index, "after \(length) tokens")
      #expect(differences(found, try second.alone(model)).isEmpty)
      // The first one is still there.
      let again = try await engine.transcript(first.prompt, first.options)
      #expect(again.summary?.cachedTokens == first.prompt.tokens.count - 1)
    }
  }

  @Test("no more is kept than the memory for it allows, and nothing where there is none")
  func memory() async throws {
    let model = try Scheduling.model()
    for limit in [0, 4 << 20] {
      let engine = try Engine(model, options: Engine.Options(sequences: 2, prefixMemory: limit))
      for index in 0..<12 {
        let question = EngineQuestion.long(Scheduling.letters(60, index), 3, model)
        _ = try await engine.transcript(question.prompt, question.options)
      }
      let status = try await engine.settle()
      #expect((status.keptPrefixes == 0) == (limit == 0))
      #expect(status.keptPrefixes < 12)
      let first = EngineQuestion.long(Scheduling.letters(60, 0), 3, model)
      let again = try await engine.transcript(first.prompt, first.options)
      #expect(again.summary?.cachedTokens == 0)
    }
  }

  @Test("where the memory is full, sequences that begin take that of those that would leave")
  func takenOver() async throws {
    let model = try Scheduling.model()
    let question = { EngineQuestion.long(Scheduling.letters(60, $0), 20, model) }
    let first = try Engine(model)
    _ = try await first.transcript(question(0).prompt, question(0).options)
    let one = try await first.settle().cacheBytes
    #expect(one > 0)

    let engine = try Engine(model, options: Engine.Options(sequences: 8, prefixMemory: 8 * one))
    for index in 0..<16 {
      _ = try await engine.transcript(question(index).prompt, question(index).options)
    }
    let full = try await engine.settle()
    #expect(full.keptPrefixes == 8)
    // All of them are with the engine before the first is read.
    let next = (16..<24).map(question)
    let streams = try next.map { try engine.events($0.prompt, options: $0.options) }
    for (stream, question) in zip(streams, next) {
      var found = Transcript()
      for try await event in stream { found.note(event) }
      #expect(differences(found, try question.alone(model)).isEmpty)
    }
    #expect(try await engine.settle().peakCacheBytes < full.peakCacheBytes + one)
    #expect(try await engine.settle().keptPrefixes == 8)
  }
}
