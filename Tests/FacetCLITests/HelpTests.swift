// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import Foundation
import Testing

/// Help texts as they were last reviewed; FACET_RECORD=1 writes them anew.
@Suite("Help")
struct HelpTests {
  static let subcommands = [
    "run", "pull", "list", "show", "rm", "cp", "init", "quantize", "merge", "importance",
    "tokenize", "detokenize", "perplexity", "compare", "bench", "eval", "plan", "serve", "tune",
    "data",
    "tokenizer", "completions", "version",
  ]

  @Test(
    "the help text is the one that was reviewed",
    arguments: [
      "facet", "data inspect", "eval compare", "eval fetch", "eval memorization", "eval run",
      "tokenizer train",
    ]
      + subcommands)
  func text(_ name: String) throws {
    let arguments =
      name == "facet" ? ["--help"] : name.split(separator: " ").map(String.init) + ["--help"]
    // ArgumentParser wraps at the width of the terminal, or of COLUMNS.
    let outcome = try Facet.Child(arguments, environment: ["COLUMNS": "80"]).outcome()
    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    let path = Goldens.path("cli/\(name.replacingOccurrences(of: " ", with: "-")).txt")
    if ProcessInfo.processInfo.environment["FACET_RECORD"] == "1" {
      try Data(outcome.output.utf8).write(to: URL(fileURLWithPath: path))
    }
    let reviewed = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    #expect(outcome.output == reviewed)
  }

  @Test("no line of a help text is wider than 80 columns, usage aside", arguments: subcommands)
  func width(_ name: String) throws {
    let outcome = try Facet.run(name, "--help", environment: ["COLUMNS": "80"])
    let wide = outcome.output.split(separator: "\n").filter {
      $0.count > 80 && !$0.hasPrefix("USAGE:")
    }
    #expect(wide == [])
  }

  @Test("the README names exactly the subcommands that there are")
  func readme() throws {
    let root = URL(fileURLWithPath: Goldens.path("")).deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let row = readme.split(separator: "\n").first { $0.hasPrefix("| **Commands** |") } ?? ""
    for name in Self.subcommands { #expect(row.contains("`\(name)`"), "\(name)") }
    let help = try Facet.run("--help").output
    let listed = help.split(separator: "SUBCOMMANDS:\n").last ?? ""
    let names = listed.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { $0 != "See" }
    #expect(names == Self.subcommands)
  }

  @Test("--version and version say the same number")
  func version() throws {
    let flag = try Facet.run("--version")
    let command = try Facet.run("version")
    #expect(flag.status == 0 && command.status == 0)
    let number = flag.output.split(separator: "\n").first ?? "?"
    #expect(command.output.hasPrefix("facet \(number) ("))
    #expect(number.split(separator: ".").count == 3)
  }

  @Test("completion scripts parse", arguments: ["bash", "zsh", "fish"])
  func completions(_ shell: String) throws {
    let outcome = try Facet.run("completions", shell)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("perplexity"))
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let candidates = folders.map { "\($0)/\(shell)" }
    guard let path = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      // zsh and fish are looked at where they are installed.
      #expect(shell != "bash" || candidates.isEmpty)
      return
    }
    let script = TinyModel.folder + "/completions.\(shell)"
    try Data(outcome.output.utf8).write(to: URL(fileURLWithPath: script))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["-n", script]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
