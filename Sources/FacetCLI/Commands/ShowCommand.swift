// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what a model is: size, types, context, chat format, licence.")

  @Argument(
    help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print what the file says about itself.")
  var metadata = false

  @Flag(help: "Print the licence notice.")
  var licence = false

  @Flag(help: "Print the chat template that the file carries.")
  var template = false

  /// The card, as JSON.
  private struct Page: Encodable {
    var card: ModelCard
    var licence: Licence?
    var source: String?
    var metadata: [MetadataEntry]?
  }

  func validate() throws {
    if [metadata, licence, template].filter({ $0 }).count > 1 {
      throw ValidationError("Give one of --metadata, --licence and --template.")
    }
    if json, licence || template {
      throw ValidationError("--json goes with the card and with --metadata.")
    }
  }

  func run() throws {
    let store = ModelStore()
    let path = try store.locate(model)
    let stored = try store.list().first { $0.path == path }
    if licence { return try showLicence(stored) }
    let checkpoint = try Checkpoint.open(path)
    if template { return try showTemplate(checkpoint) }
    if metadata, !json { return try showMetadata(checkpoint) }
    let card = try ModelCard(checkpoint)
    if json {
      let page = Page(
        card: card, licence: stored?.licence, source: stored?.source,
        metadata: metadata ? checkpoint.metadata : nil)
      return try OutputFile.standard.write(JSONText.page(page) + "\n")
    }
    try OutputFile.standard.write(text(card, stored))
  }

  private func text(_ card: ModelCard, _ stored: StoredModel?) -> String {
    var table = TextTable()
    table.add(["name", card.name])
    if let stored { table.add(["description", stored.description]) }
    table.add(["architecture", card.architecture])
    table.add(["parameters", Self.millions(card.parameterCount)])
    table.add(["context", "\(card.contextLength) tokens"])
    table.add(["chat format", card.chatFormat?.rawValue ?? "none: a base model continues text"])
    table.add(["size", "\(ByteText(card.byteCount)) (\(card.format.rawValue))"])
    for share in card.dtypes {
      table.add(["  \(share.dtype)", "\(ByteText(share.bytes)) in \(share.tensors) tensors"])
    }
    if let stored {
      table.add(["licence", stored.licence.name])
      table.add(["source", stored.source])
    }
    table.add(["path", card.path])
    return table.text + (stored.map { "\n\($0.licence.notice)\n\($0.licence.url)\n" } ?? "")
  }

  private func showLicence(_ stored: StoredModel?) throws {
    guard let stored else {
      throw Failure(
        "'\(model)' is a file of its own, and Facet knows no licence of it; ask where it came from."
      )
    }
    let licence = stored.licence
    try OutputFile.standard.write("\(licence.name)\n\n\(licence.notice)\n\n\(licence.url)\n")
  }

  private func showTemplate(_ checkpoint: Checkpoint) throws {
    guard let template = checkpoint.chatTemplate else {
      throw Failure("'\(model)' carries no chat template.")
    }
    try OutputFile.standard.write(template + (template.hasSuffix("\n") ? "" : "\n"))
  }

  private func showMetadata(_ checkpoint: Checkpoint) throws {
    var table = TextTable()
    for entry in checkpoint.metadata {
      let lines = entry.value.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      table.add([entry.key, String(lines.first ?? "") + (lines.count > 1 ? " …" : "")])
    }
    try OutputFile.standard.write(table.text)
  }

  private static func millions(_ count: Int) -> String {
    guard count >= 1_000_000 else { return "\(count)" }
    return count < 1_000_000_000
      ? "\((count + 500_000) / 1_000_000) million" : "\(Double(count / 10_000_000) / 100) billion"
  }
}
