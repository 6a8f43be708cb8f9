// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct PerplexityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Measure how well a model predicts a text.",
    discussion: """
      The text is cut into chunks as llama-perplexity does, so that figures compare: the first token \
      of each chunk becomes the beginning of sequence, and the second half counts. A single argument \
      is the file, and the model is \(ModelStore.defaultModel). JSON keys: model, perplexity, \
      standard_error, chunks, chunk, tokens, precision, threads, seconds.
      """)

  @Argument(
    help: ArgumentHelp("The model, or with one argument the file.", valueName: "model-or-file"))
  var first: String

  @Argument(help: "The text file.")
  var file: String?

  @Option(parsing: .unconditional, help: "Tokens of a chunk.")
  var chunk = 512

  @Option(parsing: .unconditional, help: "Measure at most this many chunks (default: all).")
  var chunks: Int?

  @OptionGroup var engine: EngineOptions

  @Flag(help: "Print JSON.")
  var json = false

  /// The result, as JSON.
  private struct Page: Encodable {
    var model: String
    var perplexity: Double
    var standard_error: Double?
    var chunks: Int
    var chunk: Int
    var tokens: Int
    var precision: String
    var threads: Int
    var seconds: Double
  }

  func validate() throws { try ChunkChoice(chunk, chunks).validate() }

  func run() async throws {
    let reference = file == nil ? ModelStore.defaultModel : first
    let text = try TextFile.read(file ?? first)
    try await Interrupts.cancelling {
      let model = try await engine.model(reference).language
      try measure(
        model, ModelStore().displayName(of: reference), model.tokenizer.encode(text, bos: true))
    }
  }

  private func measure(_ model: LanguageModel, _ name: String, _ tokens: [TokenID]) throws {
    let start = ContinuousClock.now
    var line = ProgressLine()
    let result = try model.perplexity(of: tokens, chunkLength: chunk, most: chunks) {
      result, total in
      try Task.checkCancellation()
      line.show(
        "chunk \(result.chunks) of \(total)  perplexity \(Self.figure(result.value))  "
          + ProgressLine.left(since: start, result.chunks, of: total), result.chunks, of: total)
    }
    if json {
      let page = Page(
        model: name,
        perplexity: result.value, standard_error: result.standardError, chunks: result.chunks,
        chunk: chunk, tokens: result.count, precision: engine.precision.rawValue,
        threads: model.threadCount, seconds: (ContinuousClock.now - start) / .seconds(1))
      return try OutputFile.standard.write(JSONText.line(page) + "\n")
    }
    let error = result.standardError.map { " ± \(Self.figure($0))" } ?? ""
    try OutputFile.standard.write(
      "Perplexity: \(Self.figure(result.value))\(error) (\(result.chunks) "
        + "\(result.chunks == 1 ? "chunk" : "chunks") of \(chunk))\n")
  }

  private static func figure(_ value: Double) -> String { String(format: "%.4f", value) }
}
