// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the models of this machine.")

  @Flag(help: "List the models that can be pulled by name, too.")
  var all = false

  @Flag(help: "Print JSON.")
  var json = false

  /// One model in the list.
  private struct Row: Encodable {
    var name: String
    var description: String
    var licence: String
    /// Whether it is on this machine.
    var stored: Bool
    var bytes: Int?
    var pulled: Date?
    var source: String?
    var path: String?
  }

  func run() throws {
    let store = ModelStore()
    let rows = try rows(store)
    if json { return try OutputFile.standard.write(JSONText.page(rows) + "\n") }
    if rows.isEmpty {
      OutputFile.error.tell(
        "No models in '\(store.home)' yet. facet pull \(ModelStore.defaultModel) brings one; "
          + "facet list --all shows what there is.")
      return
    }
    var table = TextTable(["NAME", "SIZE", "PULLED", "DESCRIPTION"])
    for row in rows {
      table.add([
        row.name, row.bytes.map { "\(ByteText($0))" } ?? "–",
        row.pulled.map { $0.formatted(.iso8601.year().month().day()) } ?? "–",
        row.description,
      ])
    }
    try OutputFile.standard.write(table.text)
  }

  private func rows(_ store: ModelStore) throws -> [Row] {
    let stored = try store.list().map {
      Row(
        name: $0.name, description: $0.description, licence: $0.licence.name, stored: true,
        bytes: $0.byteCount, pulled: $0.pulled, source: $0.source, path: $0.path)
    }
    guard all else { return stored }
    let names = Set(stored.map(\.name))
    let others = Catalogue.models.filter { !names.contains($0.name) }.map {
      Row(name: $0.name, description: $0.description, licence: $0.licence.name, stored: false)
    }
    return stored + others
  }
}
