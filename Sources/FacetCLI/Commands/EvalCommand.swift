// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure models on benchmarks.",
    subcommands: [
      EvalRunCommand.self, EvalFetchCommand.self, EvalCompareCommand.self,
      EvalMemorizationCommand.self,
    ],
    defaultSubcommand: EvalRunCommand.self)
}
