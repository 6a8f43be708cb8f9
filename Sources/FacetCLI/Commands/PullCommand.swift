// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct PullCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Bring a model to this machine.",
    discussion: """
      The licence notice is shown and kept beside the weights. An interrupted pull goes on where it \
      stopped; a model that is there is checked and what is damaged fetched again. Repositories of \
      the Hugging Face Hub that ask for an account want HF_TOKEN.
      """)

  @Argument(
    help: "A name of facet list --all, or hf:owner/name[@revision][:file].",
    completion: ModelCompletion.names)
  var model: String

  func run() async throws {
    let display = PullDisplay(model)
    defer { display.close() }
    do {
      let stored = try await Interrupts.cancelling {
        try await ModelStore().pull(model) { display.show($0) }
      }
      display.close()
      try OutputFile.standard.write("\(stored.name) is ready (\(ByteText(stored.byteCount))).\n")
    } catch is CancellationError {
      display.close()
      OutputFile.error.tell("facet: interrupted; the next pull goes on with what has arrived.")
      throw ExitCode(130)
    }
  }
}
