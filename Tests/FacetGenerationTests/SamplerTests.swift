// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import Foundation
import Testing

@Suite("Sampling")
struct SamplerTests {
  /// Normally distributed logits by Box and Muller.
  static func logits(_ count: Int, spread: Float = 2, seed: UInt64) -> [Float] {
    var generator = RandomGenerator(seed: seed)
    return (0..<count).map { _ in
      let radius = sqrt(-2 * log(1 - generator.uniform()))
      return spread * Float(radius * cos(2 * .pi * generator.uniform()))
    }
  }

  @Test("temperature 0 takes the likeliest token, the first of equals")
  func greedy() throws {
    var sampler = try Sampler(.greedy)
    for count in [1, 15, 16, 17, 63, 64, 65, 1000] {
      let row = Self.logits(count, seed: UInt64(count))
      let expected = row.firstIndex(of: row.max() ?? 0)
      #expect(try sampler.next(row) == Int32(expected ?? -1))
    }
    #expect(try sampler.next([1, 3, 2, 3, 3]) == 1)
  }

  @Test("penalties and bias move the greedy choice")
  func greedyWithPenalties() throws {
    var options = Sampling.greedy
    options.presencePenalty = 1
    options.logitBias = [4: 2.5]
    var sampler = try Sampler(options)
    let row: [Float] = [0, 3, 2.5, 1, 0]
    #expect(try sampler.next(row) == 1)
    sampler.accept(1)
    #expect(try sampler.next(row) == 2)
    sampler.accept(2)
    #expect(try sampler.next(row) == 4)
  }

  @Test("the window forgets tokens older than its size; -1 remembers all, 0 none")
  func penaltyWindow() throws {
    let row: [Float] = [2, 1, 0, 0]
    func choice(window: Int, after tokens: [Int32]) throws -> Int32 {
      var options = Sampling.greedy
      options.frequencyPenalty = 5
      options.penaltyWindow = window
      var sampler = try Sampler(options)
      for token in tokens { sampler.accept(token) }
      return try sampler.next(row)
    }
    #expect(try choice(window: 3, after: [0, 2, 2]) == 1)
    #expect(try choice(window: 3, after: [0, 2, 2, 2]) == 0)
    #expect(try choice(window: 2, after: [0, 0, 0, 2, 0]) == 1)
    #expect(try choice(window: -1, after: [0, 2, 2, 2, 2]) == 1)
    #expect(try choice(window: 0, after: [0, 0, 0]) == 0)
  }

  static let samplings: [Sampling] = [
    .unfiltered, Sampling(temperature: 0.7, topK: 0, topP: 1), Sampling(),
    Sampling(topK: 12, topP: 1), Sampling(topK: 0, topP: 0.8),
    Sampling(topK: 0, topP: 1, minP: 0.05), Sampling(topK: 0, topP: 1, typicalP: 0.7),
    Sampling(temperature: 1.5, topK: 40, topP: 0.9, minP: 0.02, repetitionPenalty: 1.2),
  ]

  @Test("draws follow the distribution: chi-square over 20,000 draws", arguments: samplings)
  func chiSquare(_ sampling: Sampling) throws {
    var sampling = sampling
    sampling.seed = 42
    let row = Self.logits(60, seed: 3)
    var sampler = try Sampler(sampling)
    sampler.accept(5)
    let distribution = try sampler.distribution(row)
    let draws = 20_000
    var seen: [Int32: Int] = [:]
    for _ in 0..<draws { seen[try sampler.next(row), default: 0] += 1 }
    // Tokens expected fewer than eight times are counted together, as the test demands.
    var statistic = 0.0
    var classes = 0
    var rare = (expected: 0.0, seen: 0)
    for (token, probability) in distribution {
      let expected = probability * Double(draws)
      let count = seen.removeValue(forKey: token) ?? 0
      if expected < 8 {
        rare = (rare.expected + expected, rare.seen + count)
        continue
      }
      statistic += (Double(count) - expected) * (Double(count) - expected) / expected
      classes += 1
    }
    if rare.expected >= 1 {
      let difference = Double(rare.seen) - rare.expected
      statistic += difference * difference / rare.expected
      classes += 1
    }
    #expect(seen.isEmpty, "tokens outside the distribution: \(seen)")
    // Wilson and Hilferty's bound of chi-square at one in a thousand (z = 3.09).
    let freedom = Double(max(classes - 1, 1))
    let bound = freedom * pow(1 - 2 / (9 * freedom) + 3.09 * sqrt(2 / (9 * freedom)), 3)
    #expect(statistic < bound, "\(statistic) over \(classes) classes")
  }

  @Test("a seed repeats the draws; another seed gives others; no seed picks one")
  func seeds() throws {
    let row = Self.logits(5000, seed: 9)
    func draws(_ seed: UInt64?) throws -> (tokens: [Int32], seed: UInt64) {
      var options = Sampling.unfiltered
      options.seed = seed
      var sampler = try Sampler(options)
      var tokens: [Int32] = []
      for _ in 0..<50 { tokens.append(try sampler.next(row)) }
      return (tokens, sampler.seed)
    }
    #expect(try draws(7).tokens == draws(7).tokens)
    #expect(try draws(7).tokens != draws(8).tokens)
    let unseeded = try draws(nil)
    #expect(try draws(unseeded.seed).tokens == unseeded.tokens)
    // A reader of JSON that knows only doubles gets it whole.
    #expect(unseeded.seed < 1 << 53)
  }

  @Test(
    "filters cut a large vocabulary exactly where a full sort would", arguments: [0.3, 0.9, 0.999])
  func largeVocabulary(_ topP: Float) throws {
    let row = Self.logits(40_000, spread: 3, seed: 21)
    let maximum = Double(row.max() ?? 0)
    let order = row.indices.sorted { (row[$0], $1) > (row[$1], $0) }
    let total = row.reduce(0) { $0 + exp(Double($1) - maximum) }
    var mass = 0.0
    var kept: Set<Int32> = []
    for index in order {
      kept.insert(Int32(index))
      mass += exp(Double(row[index]) - maximum) / total
      if mass >= Double(topP) { break }
    }
    var sampler = try Sampler(Sampling(topK: 0, topP: topP))
    let found = try sampler.distribution(row)
    // Single precision may move the border by a token of a millionth.
    #expect(abs(found.count - kept.count) <= 1 + kept.count / 2000)
    #expect(found.count == Set(found.map(\.token)).count)
    #expect(
      Set(found.prefix(kept.count).map(\.token)).subtracting(kept).count <= 1 + kept.count / 2000)
    var topK = try Sampler(Sampling(topK: 1000, topP: 1))
    let thousand = try topK.distribution(row).map(\.token)
    #expect(thousand == order.prefix(1000).map { Int32($0) }.sorted())
  }

  @Test("equal logits are told apart by token id, the lower first")
  func ties() throws {
    let row = [Float](repeating: 1, count: 500)
    var topK = try Sampler(Sampling(topK: 10, topP: 1))
    #expect(try topK.distribution(row).map(\.token) == Array(0..<10))
    var topP = try Sampler(Sampling(topK: 0, topP: 0.0999))
    #expect(try topP.distribution(row).map(\.token) == Array(0..<50))
  }

  @Test("log-probabilities are those of the model's own distribution")
  func logProbabilities() throws {
    let row = Self.logits(3001, seed: 33)
    let total = log(row.reduce(0) { $0 + exp(Double($1)) })
    var options = Sampling(temperature: 0.3, topK: 2)
    options.logitBias = [17: 50]
    var sampler = try Sampler(options)
    let (chosen, top) = sampler.logProbabilities(of: 17, top: 5, in: row)
    #expect(abs(Double(chosen) - (Double(row[17]) - total)) < 1e-5)
    let order = row.indices.sorted { row[$0] > row[$1] }
    #expect(top.map(\.token) == order.prefix(5).map { Int32($0) })
    for (entry, index) in zip(top, order) {
      #expect(abs(Double(entry.logProbability) - (Double(row[index]) - total)) < 1e-5)
    }
    #expect(sampler.logProbabilities(of: 0, top: 0, in: row).top.isEmpty)
    #expect(sampler.logProbabilities(of: 0, top: 9, in: Array(row.prefix(4))).top.count == 4)
  }

  @Test("logits that are not numbers, or all ruled out, are an error", arguments: samplings)
  func noCandidate(_ sampling: Sampling) throws {
    let message =
      "No token can be drawn: the model's logits are not numbers, or every token is ruled out by its "
      + "logit bias. Check the model file and the options."
    for row in [[.nan, .nan], [Float.infinity, 1], [-.infinity, -.infinity], []] as [[Float]] {
      var sampler = try Sampler(sampling)
      #expect(throws: GenerationError(.noCandidate, message)) { try sampler.next(row) }
    }
    var options = sampling
    options.logitBias = [0: -.infinity, 1: -.infinity]
    var sampler = try Sampler(options)
    #expect(throws: GenerationError(.noCandidate, message)) { try sampler.next([3, 4]) }
    options.logitBias = [0: -.infinity, 900: 3]
    var biased = try Sampler(options)
    #expect(try biased.next([3, -4]) == 1)
  }

  @Test("options out of range are refused by name")
  func validation() {
    func message(_ change: (inout Sampling) -> Void) -> String? {
      var sampling = Sampling()
      change(&sampling)
      do {
        try sampling.validate()
        return nil
      } catch {
        return error.message
      }
    }
    #expect(message { _ in } == nil)
    #expect(
      message { $0.temperature = -1 }
        == "The temperature is -1.0; it must be 0 (always the likeliest token) or more.")
    #expect(message { $0.topK = -2 } == "Top-k is -2; it must be 0 (off) or more.")
    #expect(
      message { $0.topP = 0 } == "Top-p is 0.0; it must lie above 0 and be at most 1 (off).")
    #expect(message { $0.minP = 1.5 } == "Min-p is 1.5; it must lie between 0 (off) and 1.")
    #expect(
      message { $0.typicalP = .nan }
        == "Typical-p is nan; it must lie above 0 and be at most 1 (off).")
    #expect(
      message { $0.repetitionPenalty = 0 }
        == "The repetition penalty is 0.0; it must lie above 0 (1 is off).")
    #expect(
      message { $0.presencePenalty = .infinity }
        == "The presence penalty is inf; it must be a finite number (0 is off).")
    #expect(
      message { $0.frequencyPenalty = .nan }
        == "The frequency penalty is nan; it must be a finite number (0 is off).")
    #expect(
      message { $0.penaltyWindow = -3 }
        == "The penalty window is -3 tokens; it must be -1 (all), 0 (none) or more.")
    #expect(
      message { $0.logitBias = [-4: 1] }
        == "The logit bias of token -4 is 1.0; tokens are 0 or more, biases are numbers.")
  }

  @Test("JSON names the options it changes and survives a round trip")
  func json() throws {
    let text = #"{"temperature": 0.5, "logit_bias": {"12": -3.5}, "seed": 18446744073709551615}"#
    let sampling = try JSONDecoder().decode(Sampling.self, from: Data(text.utf8))
    #expect(sampling == Sampling(temperature: 0.5, logitBias: [12: -3.5], seed: .max))
    let again = try JSONDecoder().decode(Sampling.self, from: JSONEncoder().encode(sampling))
    #expect(again == sampling)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Sampling.self, from: Data(#"{"logit_bias": {"x": 1}}"#.utf8))
    }
  }
}
