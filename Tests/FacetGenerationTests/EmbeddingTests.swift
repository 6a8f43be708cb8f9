// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTestSupport
import Foundation
import Testing

/// What transformers makes of texts on the fixtures (Tests/Goldens/PROVENANCE.md).
struct TextGolden: Decodable {
  var tokens: [Int32]
  var mean: [Float]
  var last: [Float]
  var scores: [Float]

  static func of(_ family: String) throws -> [TextGolden] {
    let url = URL(fileURLWithPath: Goldens.path("embeddings/fixtures.json"))
    let all = try JSONDecoder().decode([String: [TextGolden]].self, from: Data(contentsOf: url))
    return all[family] ?? []
  }
}

@Suite("Embeddings")
struct EmbeddingTests {
  static let families = ["gemma1", "gemma2", "gemma3", "llama", "mistral"]

  /// The greatest distance of two vectors in units of the second's root mean square.
  static func distance(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    let square = expected.reduce(0) { $0 + $1 * $1 } / Float(expected.count)
    return (zip(found, expected).map { abs($0 - $1) }.max() ?? 0) / square.squareRoot()
  }

  @Test(
    "means and last states of all texts together are those of transformers", arguments: families)
  func agreeing(_ family: String) throws {
    let model = try Fixture(family).model
    let goldens = try TextGolden.of(family)
    #expect(goldens.count >= 7)
    for pooling in EmbeddingOptions.Pooling.allCases {
      let found = try model.embed(
        tokens: goldens.map(\.tokens), options: .init(pooling: pooling, scaling: .none))
      for (embedding, golden) in zip(found, goldens) {
        let expected = pooling == .mean ? golden.mean : golden.last
        #expect(Self.distance(embedding.vector, expected) < 1e-4, "\(golden.tokens.count) tokens")
        #expect(embedding.tokenCount == golden.tokens.count)
      }
    }
  }

  @Test("a text has the same vector alone and among many of all lengths")
  func batched() throws {
    let model = try Fixture().model
    let long = try TextGolden.of("gemma3").map(\.tokens).max { $0.count < $1.count } ?? []
    let texts = (1...40).map { Array(long.prefix($0 * 5)) }
    let together = try model.embed(tokens: texts)
    #expect(texts.flatMap { $0 }.count > 4_000)
    for (text, vector) in zip(texts, together) {
      let alone = try model.embed(tokens: [text])
      #expect(Self.distance(vector.vector, alone[0].vector) < 1e-4)
    }
  }

  @Test("vectors have length 1, and fewer dimensions are the first ones made that long")
  func dimensions() throws {
    let model = try Fixture().model
    let whole = try model.embed(["The rain on the roof"])[0]
    #expect(abs(whole.similarity(to: whole) - 1) < 1e-5)
    let part = try model.embed(["The rain on the roof"], options: .init(dimensions: 8))[0]
    let length = whole.vector.prefix(8).reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(Self.distance(part.vector, whole.vector.prefix(8).map { $0 / length }) < 1e-5)
    #expect(try model.embed([]).isEmpty)
  }

  @Test("what cannot be embedded is refused with its number and what to do")
  func refusals() throws {
    let model = try Fixture().model
    func message(_ texts: [[Int32]], _ options: EmbeddingOptions = .init()) -> String {
      do {
        return "\(try model.embed(tokens: texts, options: options).count) vectors"
      } catch { return "\(error)" }
    }
    let name = model.card.name
    let long = [Int32](repeating: 9, count: 257)
    #expect(message([[2], []]) == "Text 2 has no tokens; give at least one word.")
    #expect(
      message([[2], [3], long])
        == "Text 3 has 257 tokens and \(name) takes 256. Shorten it, or ask for its beginning.")
    #expect(message([long], .init(overlong: .truncate)) == "1 vectors")
    #expect(
      message([[2]], .init(dimensions: 49))
        == "Vectors of 49 dimensions are asked for; \(name) gives between 1 and 48.")
    #expect(message([[2], [400]]) == "Token 400 is not in the model's vocabulary of 384.")
  }
}

@Suite("Scores of texts")
struct TextScoreTests {
  @Test("log-probabilities are those of transformers", arguments: EmbeddingTests.families)
  func agreeing(_ family: String) throws {
    let model = try Fixture(family).model
    for golden in try TextGolden.of(family) where golden.tokens.count > 1 {
      let score = try model.score(golden.tokens)
      #expect(score.tokens.map(\.id) == golden.tokens)
      #expect(score.tokens[0].logProbability == nil)
      let found = score.tokens.dropFirst().compactMap(\.logProbability)
      #expect(found.count == golden.scores.count && score.scoredCount == found.count)
      for (mine, theirs) in zip(found, golden.scores) { #expect(abs(mine - theirs) < 2e-3) }
      let total = golden.scores.reduce(0.0) { $0 + Double($1) }
      #expect(abs(score.logProbability - total) < 1e-4 * abs(total) + 1e-3)
    }
  }

  @Test("scores from a place on are the same as those of the whole text")
  func continuation() throws {
    let model = try Fixture().model
    let tokens = try TextGolden.of("gemma3").map(\.tokens).max { $0.count < $1.count } ?? []
    let whole = try model.score(tokens)
    for first in [1, 2, 100, tokens.count - 1] {
      let part = try model.score(tokens, from: first)
      #expect(part.scoredCount == tokens.count - first)
      for index in tokens.indices where index >= first {
        let (mine, theirs) = (part.tokens[index], whole.tokens[index])
        #expect(abs((mine.logProbability ?? 9) - (theirs.logProbability ?? 0)) < 1e-4)
      }
    }
  }

  @Test("alternatives are the likeliest tokens, and texts join to the whole")
  func alternatives() throws {
    let model = try Fixture().model
    let score = try model.score("The rain on the roof", alternatives: 3)
    #expect(score.tokens.map(\.text).joined() == "The rain on the roof")
    for token in score.tokens.dropFirst() {
      #expect(token.alternatives.count == 3)
      #expect(token.alternatives.allSatisfy { $0.logProbability <= 0 })
      let best = token.alternatives[0].logProbability
      #expect((token.logProbability ?? 1) <= best)
    }
    let after = try model.score(" roof", after: "The rain on the")
    #expect(after.tokens.map(\.id) == score.tokens.map(\.id))
    #expect(after.scoredCount < score.scoredCount && after.scoredCount > 0)
    let tail = after.tokens.compactMap(\.logProbability)
    let same = score.tokens.compactMap(\.logProbability).suffix(tail.count)
    for (mine, theirs) in zip(tail, same) { #expect(abs(mine - theirs) < 1e-4) }
  }

  @Test("what cannot be scored is refused with numbers")
  func refusals() throws {
    let model = try Fixture().model
    func message(_ tokens: [Int32], from first: Int = 1, _ alternatives: Int = 0) -> String {
      do {
        _ = try model.score(tokens, from: first, alternatives: alternatives)
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message([2]) == "The text has 1 tokens, none of which can be scored. Give a longer one.")
    #expect(
      message([2, 9], from: 2)
        == "The text has 2 tokens, none of which can be scored. Give a longer one.")
    #expect(
      message([Int32](repeating: 9, count: 257))
        == "The text has 257 tokens and \(model.card.name) takes 256. Shorten it.")
    #expect(
      message([2, 400])
        == "Token 400 is not in the vocabulary of \(model.card.name), which has 384.")
    #expect(
      message([2, 9], from: 1, 101)
        == "Log-probabilities are asked for 101 tokens; it must be between 0 and 100.")
  }
}
