// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

@main
struct FacetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "facet",
    abstract: "Run Gemma models on the machine you have.",
    discussion: """
      A MODEL is a name (facet list --all shows those that can be pulled), hf:owner/name of the \
      Hugging Face Hub, a GGUF file, or a directory with safetensors.

      Models are kept in ~/.facet, or where FACET_HOME points. FACET_THREADS sets the number of \
      threads where --threads does not; FACET_ISA names the CPU's kernels to use (facet version \
      shows those in use).

      Exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted.
      """,
    version: Version.current,
    subcommands: [
      RunCommand.self, PullCommand.self, ListCommand.self, ShowCommand.self, RemoveCommand.self,
      CopyCommand.self, InitCommand.self, QuantizeCommand.self, MergeCommand.self,
      ImportanceCommand.self, TokenizeCommand.self, DetokenizeCommand.self, PerplexityCommand.self,
      CompareCommand.self, BenchCommand.self, EvalCommand.self, PlanCommand.self, ServeCommand.self,
      TuneCommand.self, DataCommand.self, TokenizerCommand.self, CompletionsCommand.self,
      VersionCommand.self,
    ])

  static func main() async {
    OutputFile.ignoreBrokenPipes()
    do {
      try refuseUnknownSubcommand(CommandLine.arguments.dropFirst().first)
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      Foundation.exit(report(error))
    }
  }

  /// A first word that is no subcommand may be a prompt: says what to write.
  private static func refuseUnknownSubcommand(_ word: String?) throws {
    let known = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard let word, !word.hasPrefix("-"), word != "help", !known.contains(word) else { return }
    let shown = word.count > 40 ? word.prefix(40) + "…" : word
    throw Misuse(
      "There is no subcommand '\(shown)'; facet --help lists them. To send a prompt: facet run \"…\""
    )
  }

  /// Says what went wrong; returns the exit code.
  private static func report(_ error: any Error) -> Int32 {
    switch error {
    case let exit as ExitCode: return exit.rawValue
    case is BrokenPipe: return 0
    case let error as Misuse:
      OutputFile.error.tell("facet: \(error.sentence)")
      return 2
    case is CancellationError: return 130
    default: break
    }
    let code = exitCode(for: error)
    if code == .success {
      print(fullMessage(for: error))
      return 0
    }
    if code == .validationFailure {
      OutputFile.error.tell(fullMessage(for: error))
      return 2
    }
    OutputFile.error.tell("facet: \(Failure.sentence(of: error))")
    return 1
  }
}
