// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import FacetTraining
import Foundation

struct DataInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show rows as the model sees them, and what is trained.",
    discussion: """
      FILE holds JSONL, JSON, CSV or TSV, packed with gzip or not, or is a directory with \
      train.jsonl. Rows are text, messages, prompt and completion, ShareGPT or Alpaca. What is \
      trained is bright, the rest dim; without colour it stands in ⟦…⟧. Rows that cannot be trained \
      on are counted, and the first ones named.
      """)

  @Argument(help: "The data.", completion: .file())
  var file: String

  @Option(
    name: .shortAndLong, help: "The model to be tuned: a name, a file or a directory.",
    completion: ModelCompletion.names)
  var model = ModelStore.defaultModel

  @Option(parsing: .unconditional, help: "Show this many rows.")
  var rows = 3

  @Option(parsing: .unconditional, help: "The most tokens of a row; longer ones are left out.")
  var maxLength = 1024

  @Option(
    help:
      "The format of conversations (default: the model's own): \(Self.formats.joined(separator: ", "))."
  )
  var format: String?

  private static let formats = ChatFormat.allCases.map(\.rawValue)

  @Flag(help: "Train all tokens, not only what the assistant says.")
  var allTokens = false

  @Flag(inversion: .prefixedNo, help: "Mark what is trained by colour, on a terminal.")
  var color = true

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard rows >= 0 else { throw ValidationError("--rows is \(rows); it cannot be negative.") }
    if let format, ChatFormat(rawValue: format) == nil {
      throw ValidationError(
        "There is no format '\(format)'; choose one of \(Self.formats.joined(separator: ", ")).")
    }
    do { try DatasetOptions(maxLength: maxLength).validate() } catch {
      throw ValidationError(error.message)
    }
  }

  func run() throws {
    let checkpoint = try Checkpoint.open(ModelStore().locate(model))
    let tokenizer = try Tokenizer(checkpoint)
    let chatFormat =
      format.flatMap(ChatFormat.init(rawValue:))
      ?? ChatFormat.recognize(
        architecture: checkpoint.architecture.architecture, template: checkpoint.chatTemplate,
        tokenizer: tokenizer, name: checkpoint.architecture.name)
    var options = DatasetOptions(maxLength: maxLength)
    options.assistantOnly = !allTokens
    options.skipInvalid = true
    let dataset = try Dataset(
      reading: DataFiles(file).training, options: options, tokenizer: tokenizer,
      chatFormat: chatFormat)
    let report = DataReport(dataset, tokenizer, most: rows)
    let isColored = color && OutputFile.standard.isTerminal && !Terminal.isDumb
    try OutputFile.standard.write(
      json ? JSONText.page(report.page) + "\n" : report.text(colored: isColored))
  }
}
