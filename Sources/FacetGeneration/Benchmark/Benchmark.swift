// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor

/// How fast a model reads and writes on this machine.
///
/// The same protocol as llama-bench: random tokens; one pass over the prompt, then one token at a
/// time after it; the first run warms up and does not count.
public struct Benchmark: Sendable, Hashable, Codable {
  /// The model's file.
  public var model: String
  /// Threads that shared the work.
  public var threads: Int
  /// Tokens read at once.
  public var prompt: Int
  /// Tokens decoded one by one.
  public var generate: Int
  /// Exact or fast.
  public var precision: String
  /// The kernels in use.
  public var instructionSet: String
  /// Median of the runs: tokens of the prompt per second.
  public var prefillTokensPerSecond: Double
  /// Median of the runs: decoded tokens per second.
  public var decodeTokensPerSecond: Double
  /// Every run's figure.
  public var prefillRuns: [Double]
  /// Every run's figure.
  public var decodeRuns: [Double]

  enum CodingKeys: String, CodingKey {
    case model, threads, prompt, generate, precision
    case instructionSet = "instruction_set"
    case prefillTokensPerSecond = "prefill_tokens_per_s"
    case decodeTokensPerSecond = "decode_tokens_per_s"
    case prefillRuns = "prefill_runs"
    case decodeRuns = "decode_runs"
  }

  /// Measures `model`, `runs` times after a warm-up, with `depth` tokens in the cache before each;
  /// `progress` is told after every run.
  public static func run(
    _ model: LanguageModel, prompt: Int = 512, generate: Int = 64, runs: Int = 3, depth: Int = 0,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> Benchmark {
    guard prompt >= 0, generate >= 0, depth >= 0, prompt + generate >= 1, runs >= 1, runs <= 1000
    else {
      throw GenerationError(
        .invalidOption,
        "\(runs) runs over a prompt of \(prompt) and \(generate) more tokens cannot be measured; give "
          + "at least one of each.")
    }
    var session = try Session(model, context: depth + prompt + generate)
    var generator = RandomGenerator(seed: 0)
    var prefill: [Double] = []
    var decode: [Double] = []
    for run in 0...runs {
      session.reset()
      _ = try time(&session, depth, chunk: Session.chunk, &generator)
      let read = try time(&session, prompt, chunk: Session.chunk, &generator)
      let written = try time(&session, generate, chunk: 1, &generator)
      if run > 0 {
        if prompt > 0 { prefill.append(rounded(Double(prompt) / read, to: 10)) }
        if generate > 0 { decode.append(rounded(Double(generate) / written, to: 100)) }
      }
      try progress(run)
    }
    return Benchmark(
      model: String(model.card.path.split(separator: "/").last ?? ""),
      threads: model.threadCount, prompt: prompt, generate: generate,
      precision: model.transformer.precision.rawValue,
      instructionSet: model.instructionSet.rawValue,
      prefillTokensPerSecond: median(prefill), decodeTokensPerSecond: median(decode),
      prefillRuns: prefill, decodeRuns: decode)
  }

  /// Seconds that `count` random tokens take, `chunk` at a time.
  private static func time(
    _ session: inout Session, _ count: Int, chunk: Int, _ generator: inout RandomGenerator
  ) throws -> Double {
    let vocabulary = Int32(clamping: session.model.configuration.vocabulary)
    let tokens = (0..<count).map { _ in
      Int32.random(in: min(300, vocabulary - 1)..<vocabulary, using: &generator)
    }
    let start = ContinuousClock.now
    for first in stride(from: 0, to: count, by: chunk) {
      try Task.checkCancellation()
      let end = min(first + chunk, count)
      _ = try session.forward(
        Array(tokens[first..<end]), logits: chunk == 1 || end == count ? .last : .none)
    }
    return (ContinuousClock.now - start) / .seconds(1)
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard let middle = sorted.dropFirst(sorted.count / 2).first else { return 0 }
    return sorted.count % 2 == 1 ? middle : (middle + sorted[sorted.count / 2 - 1]) / 2
  }

  private static func rounded(_ value: Double, to parts: Double) -> Double {
    (value * parts).rounded() / parts
  }
}
