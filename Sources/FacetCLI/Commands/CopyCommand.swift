// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct CopyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cp",
    abstract: "Give a model a second name.",
    discussion: "The files are shared, so a copy takes no space.")

  @Argument(help: "A name of facet list.", completion: ModelCompletion.names)
  var model: String

  @Argument(help: "The new name, such as my-gemma:v1.")
  var newName: String

  func run() throws {
    try ModelStore().copy(model, to: newName)
    try OutputFile.standard.write("\(ModelName(model)) is also \(ModelName(newName)) now.\n")
  }
}
