// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measure how far a model's predictions lie from another's.",
    discussion: """
      The first model is the reference. The text is cut into chunks as for facet perplexity. KL is \
      the divergence of the second model's probabilities from the first's at each token that counts, \
      in nats; same top is the part of tokens that both find likeliest. JSON keys: reference, \
      candidate (each with model, perplexity, standard_error), perplexity_ratio, kl_mean, \
      kl_standard_error, kl_median, kl_p99, kl_max, same_top, chunks, chunk, tokens, precision, \
      threads, seconds.
      """)

  @Argument(help: "The reference.", completion: ModelCompletion.names)
  var reference: String

  @Argument(help: "The model that is compared with it.", completion: ModelCompletion.names)
  var candidate: String

  @Argument(help: "The text file.", completion: .file())
  var text: String

  @Option(parsing: .unconditional, help: "Tokens of a chunk.")
  var chunk = 512

  @Option(parsing: .unconditional, help: "Measure at most this many chunks (default: all).")
  var chunks: Int?

  @OptionGroup var engine: EngineOptions

  @Flag(help: "Print JSON.")
  var json = false

  /// One of the two models.
  private struct Side: Encodable {
    var model: String
    var perplexity: Double
    var standard_error: Double?
  }

  /// The result, as JSON.
  private struct Page: Encodable {
    var reference: Side
    var candidate: Side
    var perplexity_ratio: Double
    var kl_mean: Double
    var kl_standard_error: Double?
    var kl_median: Double
    var kl_p99: Double
    var kl_max: Double
    var same_top: Double
    var chunks: Int
    var chunk: Int
    var tokens: Int
    var precision: String
    var threads: Int
    var seconds: Double
  }

  func validate() throws { try ChunkChoice(chunk, chunks).validate() }

  func run() async throws {
    let text = try TextFile.read(text)
    let page = try await Interrupts.cancelling {
      let reference = try await engine.model(reference).language
      let candidate = try await engine.model(candidate).language
      return try measure(reference, candidate, reference.tokenizer.encode(text, bos: true))
    }
    try OutputFile.standard.write(json ? JSONText.line(page) + "\n" : Self.table(page))
  }

  private func measure(
    _ reference: LanguageModel, _ candidate: LanguageModel, _ tokens: [TokenID]
  ) throws -> Page {
    let start = ContinuousClock.now
    var line = ProgressLine()
    let result = try reference.divergence(
      of: candidate, on: tokens, chunkLength: chunk, most: chunks
    ) { result, total in
      try Task.checkCancellation()
      line.show(
        "chunk \(result.chunks) of \(total)  mean KL \(Self.small(result.mean))  "
          + ProgressLine.left(since: start, result.chunks, of: total), result.chunks, of: total)
    }
    let store = ModelStore()
    func side(_ name: String, _ perplexity: Perplexity) -> Side {
      Side(
        model: store.displayName(of: name), perplexity: perplexity.value,
        standard_error: perplexity.standardError)
    }
    return Page(
      reference: side(self.reference, result.reference),
      candidate: side(self.candidate, result.candidate),
      perplexity_ratio: result.perplexityLoss + 1, kl_mean: result.mean,
      kl_standard_error: result.standardError, kl_median: result.median,
      kl_p99: result.quantile(0.99), kl_max: result.quantile(1), same_top: result.sameTop,
      chunks: result.chunks, chunk: chunk, tokens: result.count,
      precision: engine.precision.rawValue, threads: reference.threadCount,
      seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  private static func table(_ page: Page) -> String {
    var table = TextTable(["", "PERPLEXITY", "±"])
    table.rightAligned = [1, 2]
    for side in [page.reference, page.candidate] {
      table.add([side.model, figure(side.perplexity), side.standard_error.map(figure) ?? "–"])
    }
    var rest = TextTable()
    rest.rightAligned = [1]
    let error = page.kl_standard_error.map { "± \(small($0))" } ?? ""
    rest.add(["perplexity", "\(String(format: "%+.3f", (page.perplexity_ratio - 1) * 100)) %"])
    rest.add(["mean KL", small(page.kl_mean), error])
    rest.add(["median KL", small(page.kl_median)])
    rest.add(["99 % KL", small(page.kl_p99)])
    rest.add(["greatest KL", small(page.kl_max)])
    rest.add(["same top", "\(String(format: "%.2f", page.same_top * 100)) %"])
    return table.text + rest.text
      + "\(page.tokens) tokens of \(page.chunks) \(page.chunks == 1 ? "chunk" : "chunks") of "
      + "\(page.chunk)\n"
  }

  private static func figure(_ value: Double) -> String { String(format: "%.4f", value) }
  private static func small(_ value: Double) -> String { String(format: "%.6f", value) }
}
