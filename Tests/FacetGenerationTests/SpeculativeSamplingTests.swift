// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Testing

/// Answers drawn with a draft model have the distribution of the model itself.
@Suite("Speculative sampling")
struct SpeculativeSamplingTests {
  static let prompt = Prompt(tokens: [2, 270, 271, 272])
  static let runs = 3000
  static let length = 4

  /// The probability of every answer of four tokens, step by step from the model's own logits.
  static func expected(
    _ model: LanguageModel, _ sampling: Sampling
  ) throws -> [[TokenID]: Double] {
    var answers: [[TokenID]: Double] = [[]: 1]
    var session = try Session(model)
    for _ in 0..<length {
      var longer: [[TokenID]: Double] = [:]
      for (answer, probability) in answers {
        var sampler = try Sampler(sampling)
        for token in prompt.tokens + answer { sampler.accept(token) }
        let logits = try session.prefill(prompt.tokens + answer).floats()
        for next in try sampler.distribution(logits) where next.probability > 0 {
          longer[answer + [next.token]] = probability * next.probability
        }
      }
      answers = longer
    }
    return answers
  }

  /// Pearson's statistic over its degrees of freedom, in standard deviations; rare answers are taken
  /// together.
  static func deviation(_ counts: [[TokenID]: Int], _ expected: [[TokenID]: Double]) -> Double {
    var (statistic, cells, rareExpected, rareCount) = (0.0, 0, 0.0, 0)
    for (answer, probability) in expected {
      let (wanted, found) = (probability * Double(runs), counts[answer] ?? 0)
      if wanted < 5 {
        rareExpected += wanted
        rareCount += found
      } else {
        statistic += (Double(found) - wanted) * (Double(found) - wanted) / wanted
        cells += 1
      }
    }
    if rareExpected > 0 {
      statistic +=
        (Double(rareCount) - rareExpected) * (Double(rareCount) - rareExpected)
        / rareExpected
      cells += 1
    }
    // Answers that cannot be.
    if counts.keys.contains(where: { expected[$0] == nil }) { return .infinity }
    let freedom = Double(max(1, cells - 1))
    return (statistic - freedom) / (2 * freedom).squareRoot()
  }

  @Test("3,000 answers pass a chi-square test that the draft's own answers fail")
  func distribution() throws {
    try withFolder { folder in
      try RandomModel(layers: 2, headScale: 0.25).write(
        to: folder + "model.gguf", seed: 1)
      try RandomModel(layers: 1, headScale: 0.25).write(
        to: folder + "draft.gguf", seed: 1)
      let options = LanguageModel.LoadOptions(threads: 1)
      let model = try LanguageModel.load(path: folder + "model.gguf", options: options)
      let draft = try LanguageModel.load(path: folder + "draft.gguf", options: options)
      let stops = model.tokenizer.special.stop
      let never = Dictionary(uniqueKeysWithValues: stops.map { ($0, -Float.infinity) })
      let samplings = [
        Sampling(topK: 6, topP: 1, logitBias: never),
        Sampling(
          temperature: 1.5, topK: 8, topP: 0.9, minP: 0.02, repetitionPenalty: 1.5,
          frequencyPenalty: 0.4, penaltyWindow: 3, logitBias: never),
      ]
      for (salt, sampling) in samplings.enumerated() {
        let expected = try Self.expected(model, sampling)
        let total = expected.values.reduce(0, +)
        #expect(abs(total - 1) < 1e-6)
        var session = try Session(
          model, speculation: Speculation(.draft(draft), pace: .always))
        var counts: [[TokenID]: Int] = [:]
        var (drafted, accepted) = (0, 0)
        for run in 0..<Self.runs {
          var seeded = sampling
          seeded.seed = UInt64(salt * 1_000_000 + run)
          let found = try session.transcript(
            Self.prompt, GenerationOptions(sampling: seeded, maxTokens: Self.length))
          counts[found.ids, default: 0] += 1
          drafted += found.summary?.draftedTokens ?? 0
          accepted += found.summary?.acceptedTokens ?? 0
        }
        let deviation = Self.deviation(counts, expected)
        let wrong = Self.deviation(counts, try Self.expected(draft, sampling))
        print("sampling \(salt): \(deviation) standard deviations; the draft's \(wrong)")
        print("accepted \(accepted) of \(drafted)")
        // Seeds are fixed, so this is so or not; of honest samplers four in a million exceed 4.5.
        #expect(deviation < 4.5)
        #expect(wrong > 50)
        // Both rules were at work.
        #expect(drafted > Self.runs && accepted > drafted / 20 && accepted < drafted * 19 / 20)
      }
    }
  }
}
