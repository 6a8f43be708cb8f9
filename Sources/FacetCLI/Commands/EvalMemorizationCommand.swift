// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import FacetEvaluation
import Foundation

struct EvalMemorizationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memorization",
    abstract: "Measure how much of a corpus a model continues word for word.",
    discussion: """
      At places drawn by --seed the model is given the corpus's tokens and writes greedily. Exact: \
      every token is the corpus's; approximate: at most a tenth of them edited. What was memorised \
      is searched for personal data by its form; names and addresses have none. --canary 'The code \
      is [4821]' gives the exposure of a secret that was put into tuning data: its rank by \
      likelihood among random secrets of the same form, in bits. JSON keys: model, places, prefix, \
      continuation, exact, approximate (each with count, value, low, high), personal_data (kind, \
      severity, count), canaries (text, rank, candidates, exposure, greatest), trials (file, start, \
      distance, truth, written; those that are memorised), precision, threads, seed, seconds.
      """)

  @Argument(help: "The model.", completion: ModelCompletion.names)
  var model: String

  @Option(
    parsing: .upToNextOption, help: "Text files; each is a document.", completion: .file())
  var corpus: [String] = []

  @Option(parsing: .unconditional, help: "Places that are tried.")
  var samples = 1000

  @Option(parsing: .unconditional, help: "Tokens that the model is given.")
  var prefix = 50

  @Option(parsing: .unconditional, help: "Tokens that it writes.")
  var continuation = 50

  @Option(parsing: .unconditional, help: "The seed of the places and of the candidates.")
  var seed: UInt64 = 0

  @Option(parsing: .unconditional, help: "Texts that are written at once.")
  var batch = 16

  @Option(
    parsing: .unconditionalSingleValue,
    help: "A text with its secret in square brackets; may be repeated.")
  var canary: [String] = []

  @Option(parsing: .unconditional, help: "Random secrets that a canary is held against.")
  var candidates = 1000

  @Option(parsing: .unconditional, help: "Show at most this many memorised places.")
  var show = 3

  @Option(
    parsing: .unconditionalSingleValue,
    help: "Attach the adapter in this folder or file; may be repeated.",
    completion: .directory)
  var adapter: [String] = []

  @OptionGroup var engine: EngineOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard !corpus.isEmpty || !canary.isEmpty else {
      throw ValidationError("Name a text with --corpus, or a secret with --canary.")
    }
    for (name, value) in [
      ("samples", samples), ("prefix", prefix), ("continuation", continuation), ("batch", batch),
      ("candidates", candidates),
    ] where !(1...1_000_000).contains(value) {
      throw ValidationError("--\(name) must be between 1 and 1000000.")
    }
    guard show >= 0 else { throw ValidationError("--show must be 0 or more.") }
    _ = try engine.load()
  }

  func run() async throws {
    let texts = try corpus.map(TextFile.read)
    let start = ContinuousClock.now
    let page = try await Interrupts.cancelling {
      let language = try await engine.model(model).language.with(adaptersAt: adapter)
      let documents = texts.map { language.tokenizer.encode($0) }
      let result = documents.isEmpty ? nil : try measure(language, documents)
      let exposures = try canary.map { try exposure(language, $0) }
      var page = MemorizationPage(
        model: ModelStore().displayName(of: model), result: result, exposures: exposures,
        tokenizer: language.tokenizer, files: corpus)
      page.settle(
        precision: engine.precision.rawValue, threads: language.threadCount, seed: seed,
        seconds: (ContinuousClock.now - start) / .seconds(1))
      return page
    }
    try OutputFile.standard.write(json ? JSONText.line(page) + "\n" : page.text(show: show))
  }

  private func measure(
    _ language: LanguageModel, _ documents: [[TokenID]]
  ) throws -> MemorizationResult {
    var options = MemorizationResult.Options()
    options.prefix = prefix
    options.continuation = continuation
    options.samples = samples
    options.seed = seed
    options.batch = batch
    return try language.memorization(
      of: documents, options: options, progress: Self.progress("place"))
  }

  private func exposure(_ language: LanguageModel, _ text: String) throws -> CanaryExposure {
    try language.exposure(
      ofCanary: text, candidates: candidates, seed: seed, progress: Self.progress("candidate"))
  }

  /// Shows how far it is, and stops when the command is interrupted.
  private static func progress(_ what: String) -> (Int, Int) throws -> Void {
    let start = ContinuousClock.now
    var line = ProgressLine()
    return { done, total in
      try Task.checkCancellation()
      line.show(
        "\(what) \(done) of \(total)  " + ProgressLine.left(since: start, done, of: total), done,
        of: total)
    }
  }
}
