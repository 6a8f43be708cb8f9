// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetGeneration
import FacetModel
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

/// Tiny models of every family (Tests/Goldens/PROVENANCE.md).
enum TinyModels {
  static let families = ["gemma1", "gemma2", "gemma3", "llama", "mistral"]

  static func load(_ family: String) throws -> LanguageModel {
    try LanguageModel.load(
      path: Goldens.path("fixtures/\(family)/\(family).gguf"),
      options: LanguageModel.LoadOptions(threads: 1, precision: .exact))
  }
}

@Suite("Engines of evaluation")
struct EngineTests {
  /// Groups of texts that share `prefix`; some choices have one token, some begin alike.
  private static func groups(
    _ count: Int, prefix: [TokenID], _ random: inout SeededGenerator
  ) -> [ScoredGroup] {
    func tokens(_ count: Int) -> [TokenID] {
      (0..<count).map { _ in TokenID.random(in: 10..<300, using: &random) }
    }
    return (0..<count).map { index in
      let context = prefix + tokens([1, 2, 7, 8, 9, 31, 33, 60][index % 8])
      let common = tokens(index % 3)
      let choices = (0..<(1 + index % 4)).map { choice in
        common + tokens([1, 1, 2, 5, 12][(index + choice) % 5])
      }
      return ScoredGroup(
        choices.map { ScoredText(tokens: context + $0, contextCount: context.count) })
    }
  }

  /// ln p of a text's continuation by one pass over all of it, and whether it is what greedy gives.
  private static func definition(
    _ model: LanguageModel, _ text: ScoredText
  ) throws -> LikelihoodEngine.Answer {
    let cache = try model.transformer.makeCache(
      capacity: text.tokens.count, chunk: text.tokens.count)
    let logits = try model.transformer.forward(
      Batch(text.tokens, cache: cache, logits: .all), workspace: Workspace()
    ).floats()
    let width = model.configuration.vocabulary
    var answer = LikelihoodEngine.Answer()
    for place in text.contextCount..<text.tokens.count {
      let row = logits[(place - 1) * width..<place * width].map(Double.init)
      let most = row.max() ?? 0
      let total = most + log(row.reduce(0) { $0 + exp($1 - most) })
      answer.logProbability += row[Int(text.tokens[place])] - total
      if row[Int(text.tokens[place])] < most { answer.isGreedy = false }
    }
    return answer
  }

  @Test(
    "likelihoods are those of one plain pass, however texts share what and are batched",
    arguments: TinyModels.families, [0, 3, 40])
  func likelihoods(_ family: String, _ prefixCount: Int) throws {
    let model = try TinyModels.load(family)
    var random = SeededGenerator.announced("likelihoods \(family) \(prefixCount)", salt: 7)
    let prefix = (0..<prefixCount).map { _ in TokenID.random(in: 10..<300, using: &random) }
    let groups = Self.groups(19, prefix: prefix, &random)
    let longest = groups.map(\.longest).max() ?? 0
    let expected = try groups.map { try $0.texts.map { try Self.definition(model, $0) } }
    for size in [1, 5, 19] {
      let engine = LikelihoodEngine(model, prefix: prefix, longest: longest)
      var found: [[LikelihoodEngine.Answer]] = []
      for start in stride(from: 0, to: groups.count, by: size) {
        found += try engine.score(Array(groups[start..<min(groups.count, start + size)]))
      }
      for (group, answers) in expected.enumerated() {
        for (text, answer) in answers.enumerated() {
          let difference = found[group][text].logProbability - answer.logProbability
          #expect(abs(difference) < 1e-3, "batches of \(size), \(group), \(text)")
          #expect(found[group][text].isGreedy == answer.isGreedy)
        }
      }
    }
  }

  @Test("written answers are those of a session, however many are written at once")
  func writing() throws {
    let model = try TinyModels.load("gemma3")
    var random = SeededGenerator.announced("writing", salt: 8)
    let prefix = (0..<9).map { _ in TokenID.random(in: 10..<300, using: &random) }
    let prompts = [1, 2, 8, 30, 5].map { count in
      prefix + (0..<count).map { _ in TokenID.random(in: 10..<300, using: &random) }
    }
    let expected = try prompts.map { prompt in
      var session = try Session(model)
      var tokens: [TokenID] = []
      var logits = try session.prefill(prompt).floats()
      while tokens.count < 24 {
        let next = TokenID(logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 })
        if model.tokenizer.special.stop.contains(next) { break }
        tokens.append(next)
        logits = try session.decode(next).floats()
      }
      return model.tokenizer.decode(tokens)
    }
    for size in [1, 3, 5] {
      let engine = WritingEngine(
        model, prefix: prefix, longest: 70, TaskDefinition.Generation(mostTokens: 24))
      var found: [String] = []
      for start in stride(from: 0, to: prompts.count, by: size) {
        let part = prompts[start..<min(prompts.count, start + size)]
        found += try engine.write(part.map { WritingEngine.Order(prompt: $0) })
      }
      #expect(found == expected)
    }
    // A stop takes itself and what follows away.
    let scalar = expected[3].unicodeScalars.dropFirst(expected[3].unicodeScalars.count / 2).first
    let stop = scalar.map { String($0) } ?? "x"
    let engine = WritingEngine(
      model, prefix: prefix, longest: 70,
      TaskDefinition.Generation(stops: [stop], mostTokens: 24))
    let cut = try engine.write([WritingEngine.Order(prompt: prompts[3])])[0]
    #expect(cut == expected[3].components(separatedBy: stop)[0])
  }

  @Test("drawn answers depend on their seed, and not on what is written beside them")
  func drawing() throws {
    let model = try TinyModels.load("gemma3")
    var settings = TaskDefinition.Generation(mostTokens: 16)
    settings.temperature = 1.5
    let prompt: [TokenID] = [2, 40, 41, 42, 43, 44, 45, 46, 47, 48]
    let engine = WritingEngine(model, prefix: [], longest: 70, settings)
    let orders = (0..<6).map { WritingEngine.Order(prompt: prompt, seed: UInt64($0)) }
    let together = try engine.write(orders)
    #expect(Set(together).count > 3)
    #expect(try engine.write(orders) == together)
    let alone = try orders.map { try engine.write([$0])[0] }
    #expect(alone == together)
  }

  @Test("a text longer than the context is cut in windows that score each token once")
  func windows() throws {
    let model = try TinyModels.load("gemma3")
    let text = String(repeating: "some words and ", count: 9)
    let encoder = RequestEncoder(model.tokenizer)
    let all = encoder.context(text)
    for length in [2, 3, 7, all.count - 1, all.count, all.count + 5] {
      let windows = try encoder.windows(text, contextLength: length)
      #expect(windows.flatMap { $0.tokens[$0.contextCount...] } == all)
      #expect(windows.allSatisfy { $0.tokens.count <= length + 1 && $0.contextCount >= 1 })
    }
  }

  @Test("spaces at the end of a context belong to what follows, and an empty context is <bos>")
  func encoding() throws {
    let model = try TinyModels.load("gemma3")
    let encoder = RequestEncoder(model.tokenizer)
    func scored(_ context: String, _ continuation: String) throws -> ScoredText {
      try #require(encoder.scored([(context, continuation)]).first)
    }
    let plain = try scored("some words", " and more")
    #expect(try scored("some words ", "and more") == plain)
    #expect(plain.tokens == encoder.context("some words and more"))
    let alone = try scored("", "some words")
    #expect(alone.contextCount == 1)
    #expect(alone.tokens == encoder.context("some words"))
    let error = #expect(throws: EvaluationError.self) { try scored("some", "") }
    #expect(error?.message == "The choice '' has no tokens of its own.")

    // Requests that share a context, or do not, have the tokens that they have alone.
    let requests: [(context: String, continuation: String)] = [
      ("some words", " and more"), ("some words", " or less"),
      ("", "some words"), ("some words ", "and more"), ("other words", " and more"),
    ]
    #expect(
      try encoder.scored(requests) == requests.map { try scored($0.context, $0.continuation) })
  }
}
