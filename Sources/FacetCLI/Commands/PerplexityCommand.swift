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

  func validate() throws {
    if let chunks, chunks < 1 {
      throw ValidationError("The number of chunks is \(chunks); it must be 1 or more.")
    }
    if chunk < 4 { throw ValidationError("A chunk is \(chunk) tokens; it must be 4 or more.") }
  }

  func run() async throws {
    let reference = file == nil ? ModelStore.defaultModel : first
    let text = try Self.text(file ?? first)
    try await Interrupts.cancelling {
      let model = try await engine.model(reference).language
      try measure(
        model, ModelStore().displayName(of: reference), model.tokenizer.encode(text, bos: true))
    }
  }

  private static func text(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure("There is no file '\(path)' that can be read.")
    }
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw Failure("'\(path)' is not UTF-8 text.")
    }
    return text
  }

  private func measure(_ model: LanguageModel, _ name: String, _ tokens: [TokenID]) throws {
    let start = ContinuousClock.now
    let isTerminal = OutputFile.error.isTerminal && !Terminal.isDumb
    let result = try model.perplexity(of: tokens, chunkLength: chunk, most: chunks) {
      result, total in
      let left = (ContinuousClock.now - start) / result.chunks * (total - result.chunks)
      let line =
        "chunk \(result.chunks) of \(total)  perplexity \(Self.figure(result.value))  "
        + "\(Int((left / .seconds(1)).rounded())) s left"
      if isTerminal {
        try? OutputFile.error.write("\r\(line)\u{1b}[K" + (result.chunks == total ? "\n" : ""))
      } else if result.chunks == total || result.chunks % max(1, total / 10) == 0 {
        OutputFile.error.tell(line)
      }
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
