// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetModel
import FacetTensor
import FacetTokenizer

extension Engine {
  /// Everything that one answer brings.
  func transcript(
    _ prompt: Prompt, _ options: GenerationOptions = GenerationOptions(),
    adapters: [Adapter]? = nil
  ) async throws -> Transcript {
    var transcript = Transcript()
    for try await event in try events(prompt, options: options, adapters: adapters) {
      transcript.note(event)
    }
    return transcript
  }

  /// Waits until nothing runs and nothing waits.
  func settle() async throws -> EngineStatus {
    while true {
      let status = status
      if status.running == 0, status.waiting == 0 { return status }
      try await Task.sleep(for: .milliseconds(1))
    }
  }
}

/// What an engine may be asked.
struct EngineQuestion: Sendable {
  var prompt: Prompt
  var options: GenerationOptions
  var adapters: [Adapter] = []

  /// The answer of a session of its own.
  func alone(_ model: LanguageModel) throws -> Transcript {
    var session = try Session(model)
    try session.attach(adapters)
    return try session.transcript(prompt, options)
  }

  /// Goes on until `count` tokens, and no end of the turn before.
  static func long(_ prompt: [TokenID], _ count: Int?, _ model: LanguageModel) -> EngineQuestion {
    var sampling = Sampling.greedy
    for token in model.tokenizer.special.stop { sampling.logitBias[token] = -.infinity }
    return EngineQuestion(
      prompt: Prompt(tokens: prompt),
      options: GenerationOptions(sampling: sampling, maxTokens: count))
  }

  /// A random one for a model whose letters are tokens from 300 on; of every two, one begins like others.
  static func random(using generator: inout some RandomNumberGenerator) -> EngineQuestion {
    let shared = Int.random(in: 0..<3, using: &generator)
    let common = (0..<40).map { TokenID(300 + ($0 * (7 + shared) + $0 / 5) % 40) }
    let own = (0..<Int.random(in: 1..<60, using: &generator)).map { _ in
      TokenID.random(in: 300..<340, using: &generator)
    }
    var sampling = Sampling(
      temperature: [0, 0.7, 1, 1.5].randomElement(using: &generator) ?? 0,
      topK: [0, 5, 64].randomElement(using: &generator) ?? 0,
      topP: [0.9, 1].randomElement(using: &generator) ?? 1,
      seed: UInt64.random(in: 0..<1 << 40, using: &generator))
    if Bool.random(using: &generator) { sampling.repetitionPenalty = 1.2 }
    var options = GenerationOptions(
      sampling: sampling, maxTokens: Int.random(in: 1..<40, using: &generator))
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: options.logProbabilities = Int.random(in: 0..<4, using: &generator)
    case 1: options.stop = ["e", "zz"]
    case 2: options.guide = GuidedAnswerTests.schema
    case 3:
      options.guide = .regularExpression("(abcdefgh|abcdxyz)+[a-z ]{4,30}")
      options.logProbabilities = 1
    default: break
    }
    let isShared = Bool.random(using: &generator)
    return EngineQuestion(
      prompt: Prompt(tokens: [2] + (isShared ? common : []) + own), options: options)
  }
}

/// Holds an answer to what a session gave alone: the same tokens, text and end.
func differences(_ found: Transcript, _ expected: Transcript) -> [String] {
  var list: [String] = []
  if found.ids != expected.ids { list.append("tokens \(found.ids), alone \(expected.ids)") }
  if found.text != expected.text { list.append("text '\(found.text)', alone '\(expected.text)'") }
  if found.summary?.reason != expected.summary?.reason {
    list.append(
      "end \(String(describing: found.summary?.reason)), alone "
        + "\(String(describing: expected.summary?.reason))")
  }
  if found.summary?.forcedTokens != expected.summary?.forcedTokens { list.append("forced tokens") }
  if found.summary?.generatedTokens != expected.summary?.generatedTokens { list.append("counts") }
  for (mine, other) in zip(found.tokens, expected.tokens) {
    let (a, b) = (mine.logProbability, other.logProbability)
    let near = zip(mine.alternatives, other.alternatives).allSatisfy {
      abs($0.logProbability - $1.logProbability) < 1e-4
    }
    let isNear = near && mine.alternatives.count == other.alternatives.count
    if (a == nil) != (b == nil) || abs((a ?? 0) - (b ?? 0)) > 1e-4 || !isNear {
      list.append("log-probabilities \(mine), alone \(other)")
      break
    }
  }
  return list
}
