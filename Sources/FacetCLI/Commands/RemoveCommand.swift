// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm",
    abstract: "Remove models from this machine.",
    discussion: "Files that another name still needs are kept.")

  @Argument(help: "Names of facet list.", completion: ModelCompletion.names)
  var models: [String]

  func run() throws {
    let store = ModelStore()
    var failed = false
    for model in models {
      do {
        let name = try ModelName(model)
        try store.remove(model)
        try OutputFile.standard.write("Removed \(name).\n")
      } catch let error as StoreError {
        // The others are removed all the same.
        OutputFile.error.tell("facet: \(error.message)")
        failed = true
      }
    }
    if failed { throw ExitCode(1) }
  }
}
