// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast a model reads and writes.",
    discussion: """
      Random tokens, one warm-up that does not count, then the median of the runs, as llama-bench \
      does. JSON keys: model, threads, prompt, generate, precision, instruction_set, \
      prefill_tokens_per_s, decode_tokens_per_s, prefill_runs, decode_runs.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model = ModelStore.defaultModel

  @Option(parsing: .unconditional, help: "Tokens to read at once.")
  var prompt = 512

  @Option(parsing: .unconditional, help: "Tokens to write one by one.")
  var generate = 64

  @Option(parsing: .unconditional, help: "Tokens read before, which are not timed.")
  var depth = 0

  @Option(name: [.customLong("repeat")], parsing: .unconditional, help: "Runs that count.")
  var runs = 3

  @OptionGroup var engine: EngineOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard prompt >= 0, generate >= 0, prompt + generate > 0, (1...1000).contains(runs),
      prompt <= 1 << 24, generate <= 1 << 24, (0...1 << 24).contains(depth)
    else {
      throw ValidationError(
        "There is nothing to measure: give --prompt or --generate tokens, and --repeat 1 to 1000.")
    }
  }

  func run() async throws {
    var result = try await Interrupts.cancelling {
      let model = try await engine.model(model).language
      return try Benchmark.run(
        model, prompt: prompt, generate: generate, runs: runs, depth: depth
      ) { done in
        OutputFile.error.tell(done == 0 ? "warmed up" : "run \(done) of \(runs)")
      }
    }
    result.model = ModelStore().displayName(of: model)
    if json { return try OutputFile.standard.write(JSONText.line(result) + "\n") }
    var table = TextTable(["", "TOKENS", "TOKENS/S", "RUNS"])
    table.rightAligned = [1, 2]
    table.add(Self.row("prefill", prompt, result.prefillTokensPerSecond, result.prefillRuns))
    table.add(Self.row("decode", generate, result.decodeTokensPerSecond, result.decodeRuns))
    try OutputFile.standard.write(
      "\(result.model), \(result.threads) threads, \(result.precision), \(result.instructionSet)\n"
        + table.text)
  }

  private static func row(
    _ name: String, _ tokens: Int, _ rate: Double, _ runs: [Double]
  ) -> [String] {
    [
      name, "\(tokens)", runs.isEmpty ? "–" : "\(rate)",
      runs.map { "\($0)" }.joined(separator: " "),
    ]
  }
}
