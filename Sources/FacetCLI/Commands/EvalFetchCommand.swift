// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import FacetEvaluation
import FacetStore
import Foundation

struct EvalFetchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Bring the data of tasks to this machine.",
    discussion: """
      Sets come from the Hugging Face Hub, as rows of JSON, into the folder that facet eval reads. The \
      licence is shown first; SOURCE.json keeps it with the revision and the SHA-256 of each file. An \
      interrupted fetch goes on where it stopped, and files that are there are checked. Sets that ask \
      for an account want HF_TOKEN.
      """)

  @Argument(help: "Tasks or groups.")
  var tasks: [String]

  @Option(
    help: ArgumentHelp("Where the data are to be.", valueName: "dir"), completion: .directory)
  var data = "."

  func validate() throws {
    if tasks.isEmpty { throw ValidationError("Name a task; facet eval --list shows them.") }
  }

  func run() async throws {
    let catalogue = try TaskCatalogue()
    var sources: [HubDataset] = []
    for name in tasks {
      for task in try catalogue.tasks(named: name) {
        guard let source = task.source.hub else {
          throw Failure(
            "The data of task '\(task.name)' are not on the Hugging Face Hub in this form; docs/evaluation.md "
              + "says what its folder '\(task.source.folder)' is to have.")
        }
        if !sources.contains(source) { sources.append(source) }
      }
    }
    let environment = ProcessInfo.processInfo.environment
    let settings = try HubSettings.read(environment)
    let rows = environment["FACET_ROWS_ENDPOINT"] ?? DatasetClient.rowsEndpoint
    let all = sources
    do {
      try await Interrupts.cancelling {
        for source in all { try await fetch(source, settings, rows) }
      }
    } catch is CancellationError {
      OutputFile.error.tell("facet: interrupted; the next fetch goes on with what has arrived.")
      throw ExitCode(130)
    }
  }

  private func fetch(
    _ source: HubDataset, _ settings: HubSettings, _ rowsEndpoint: String
  ) async throws {
    let repository = try HubReference(Substring(source.dataset), name: source.dataset)
    let client = DatasetClient(
      DatasetClient.Reference(repository, configuration: source.configuration),
      settings: settings, rowsEndpoint: rowsEndpoint)
    let page = try await client.describe()
    let licence = page.terms(page: client.page)
    OutputFile.error.tell(
      "\(source.dataset) (\(source.configuration)), revision \(page.commit.prefix(12))\n"
        + "Licence: \(licence.name). See \(licence.url)")
    let folder = "\(data)/\(source.folder)"
    let fetch = DatasetFetch(client, page, into: folder)
    for split in source.splits {
      var line = ProgressLine()
      let file = try await fetch.fetch(split) { done, total in
        line.show("\(folder)/\(split).jsonl  \(done) of \(total) rows", done, of: total)
      }
      let state = file.wasThere ? "is there, unchanged" : "is ready"
      try OutputFile.standard.write(
        "\(folder)/\(file.name) \(state): \(file.rows) rows, SHA-256 \(file.sha256)\n")
    }
  }
}
