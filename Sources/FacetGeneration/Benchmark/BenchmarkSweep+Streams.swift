// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

extension BenchmarkSweep {
  /// Measures an engine of `model` under so many requests at once, for every number of ``streams``: each a
  /// prompt of random tokens and an answer of the wanted length, drawn as models usually are.
  ///
  /// A run's figure is the tokens of all answers by the time from the first request to the last token, prompts
  /// included.
  public func measureStreams(
    _ model: LanguageModel, name: String,
    progress: @Sendable (BenchmarkRow) throws -> Void = { _ in }
  ) async throws -> [BenchmarkRow] {
    try validate()
    var rows: [BenchmarkRow] = []
    for (prompt, tokens) in zip(prompts, generates) {
      for count in streams {
        let load = StreamLoad(model, count: count, prompt: prompt, tokens: tokens)
        var (rates, firstTokens, gaps) = ([Double](), [Double](), [Double]())
        for run in 0..<warmups + runs {
          let found = try await load.run(seed: UInt64(run))
          guard run >= warmups else { continue }
          rates.append((Double(count * tokens) / found.seconds * 100).rounded() / 100)
          firstTokens += found.firstTokens
          gaps += found.gaps
        }
        let key = BenchmarkRow.Key(
          model: name, kind: .serve, tokens: tokens, batch: count, depth: prompt)
        var row = BenchmarkRow(
          key: key, threads: model.threadCount, precision: model.transformer.precision.rawValue,
          runs: rates)
        row.waits = BenchmarkWaits(firstTokens: firstTokens, gaps: gaps)
        try progress(row)
        rows.append(row)
      }
    }
    return rows
  }
}

/// Requests that come at once to an engine of their own.
private struct StreamLoad: Sendable {
  let model: LanguageModel
  let count: Int
  let prompt: Int
  let tokens: Int

  struct Result: Sendable {
    var seconds = 0.0
    var firstTokens: [Double] = []
    var gaps: [Double] = []
  }

  init(_ model: LanguageModel, count: Int, prompt: Int, tokens: Int) {
    self.model = model
    self.count = count
    self.prompt = prompt
    self.tokens = tokens
  }

  func run(seed: UInt64) async throws -> Result {
    let engine = try Engine(
      model,
      options: Engine.Options(sequences: count, context: prompt + tokens, prefixMemory: 0))
    var generator = RandomGenerator(seed: seed)
    let vocabulary = Int32(clamping: model.configuration.vocabulary)
    let prompts = (0..<count).map { _ in
      (0..<prompt).map { _ in
        Int32.random(in: min(300, vocabulary - 1)..<vocabulary, using: &generator)
      }
    }
    let start = ContinuousClock.now
    return try await withThrowingTaskGroup(of: [ContinuousClock.Instant].self) { group in
      for (index, prompt) in prompts.enumerated() {
        let events = try engine.events(
          Prompt(tokens: prompt), options: options(seed: UInt64(index)))
        group.addTask {
          var times: [ContinuousClock.Instant] = []
          for try await event in events {
            if case .token = event { times.append(.now) }
          }
          return times
        }
      }
      var result = Result()
      for try await times in group {
        guard let first = times.first, let last = times.last else { continue }
        result.seconds = max(result.seconds, (last - start) / .seconds(1))
        result.firstTokens.append((first - start) / .seconds(1))
        result.gaps += zip(times, times.dropFirst()).map { ($1 - $0) / .seconds(1) }
      }
      return result
    }
  }

  private func options(seed: UInt64) -> GenerationOptions {
    var sampling = model.defaultSampling
    sampling.seed = seed
    for token in model.tokenizer.special.stop { sampling.logitBias[token] = -.infinity }
    return GenerationOptions(sampling: sampling, maxTokens: tokens)
  }
}
