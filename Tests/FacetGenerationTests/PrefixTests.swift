// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import Testing

/// What two prompts have in common is read once.
@Suite("Common beginnings")
struct PrefixTests {
  /// A text of 60 tokens and a question of some more.
  static func prompt(_ question: Int32) -> Prompt {
    Prompt(
      tokens: [2] + (0..<59).map { 264 + ($0 * 7 + $0 / 5) % 20 } + (0..<5).map { question + $0 })
  }

  static func greedy(_ count: Int) -> GenerationOptions {
    GenerationOptions(
      sampling: Sampling(temperature: 0, logitBias: [1: -.infinity]), maxTokens: count)
  }

  @Test("a second question costs its own tokens, however long the first answer was")
  func secondQuestion() throws {
    try withFolder { folder in
      // A ring of 16 + 512 + 128 positions: an answer of 700 goes once around it.
      var model = RandomModel()
      model.context = 1024
      try model.write(to: folder + "model.gguf")
      let language = try LanguageModel.load(path: folder + "model.gguf")
      for length in [10, 300, 700, 900] {
        var session = try Session(language)
        let first = try session.transcript(Self.prompt(265), Self.greedy(length))
        #expect(first.ids.count == length)
        let second = try session.transcript(Self.prompt(270), Self.greedy(20))
        #expect(second.summary?.cachedTokens == 60, "after \(length) tokens")
        var fresh = try Session(language)
        let alone = try fresh.transcript(Self.prompt(270), Self.greedy(20))
        #expect(second.ids == alone.ids)
        // And back to the first, past the second.
        let again = try session.transcript(Self.prompt(265), Self.greedy(10))
        #expect(again.summary?.cachedTokens == 60)
        #expect(again.ids == Array(first.ids.prefix(10)))
      }
    }
  }

  @Test("forks go on alone from what they share")
  func forks() throws {
    let fixture = try Fixture()
    let golden = try Fixture.golden("long")
    let half = golden.tokens.count / 2
    var trunk = try Session(fixture.model)
    _ = try trunk.prefill(Array(golden.tokens.prefix(half)))
    var left = try trunk.fork()
    var right = try trunk.fork(speculation: Speculation(.lookup))
    let first = try left.transcript(Prompt(tokens: golden.tokens), Self.greedy(12))
    var other = golden.tokens
    other[half] = 300
    let second = try right.transcript(Prompt(tokens: other), Self.greedy(12))
    #expect(first.summary?.cachedTokens == half && second.summary?.cachedTokens == half)
    var fresh = try Session(fixture.model)
    let alone = try fresh.transcript(Prompt(tokens: golden.tokens), Self.greedy(12))
    let otherAlone = try fresh.transcript(Prompt(tokens: other), Self.greedy(12))
    #expect(first.ids == alone.ids)
    #expect(second.ids == otherAlone.ids)
    #expect(trunk.tokens == Array(golden.tokens.prefix(half)))
  }

  @Test("a session goes back to any earlier token that it still holds")
  func truncation() throws {
    let fixture = try Fixture()
    let golden = try Fixture.golden("long")
    var session = try Session(fixture.model)
    _ = try session.prefill(golden.tokens)
    let (beyond, before) = (session.truncate(to: 1000), session.truncate(to: -1))
    #expect(!beyond && !before)
    let isBack = session.truncate(to: 10)
    #expect(isBack && session.tokens == Array(golden.tokens.prefix(10)))
  }
}
