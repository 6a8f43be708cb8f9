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
      Random tokens, a warm-up that does not count, then the median of the runs, as llama-bench \
      does. Lists such as --prompt 128,512 make a row each. First the machine's ceilings are \
      measured: plain reading, and the dot products that the kernels are made of; CEILING is the part \
      of them that a row reaches.

      --streams 8,16 --prompt 128 --generate 64 measures an engine as a server has it: requests that \
      come at once, whose prompts are read beside the answers of others.

      --json is the short form of one prompt and one length: model, threads, prompt, generate, \
      precision, instruction_set, prefill_tokens_per_s, decode_tokens_per_s, prefill_runs, \
      decode_runs. --against takes that form, too, or what --format json wrote; a row is faster or \
      slower when all of its runs are.
      """)

  @Argument(
    help: "Names, files or directories (default: \(ModelStore.defaultModel)).",
    completion: ModelCompletion.names)
  var models: [String] = []

  @Option(parsing: .unconditional, help: "Tokens to read at once.")
  var prompt: NumberList = [512]

  @Option(parsing: .unconditional, help: "Tokens to write one by one.")
  var generate: NumberList = [64]

  @Option(parsing: .unconditional, help: "Sequences to write together.")
  var batch: NumberList = [1]

  @Option(
    parsing: .unconditional,
    help: "Requests at once to an engine, instead: tokens of all answers by the whole time.")
  var streams: NumberList = []

  @Option(
    parsing: .unconditional,
    help: "Tokens held before (default: none for reading, the longest prompt for writing).")
  var depth: NumberList?

  @Option(name: [.customLong("repeat")], parsing: .unconditional, help: "Runs that count.")
  var runs = 3

  @Option(name: .customLong("warm-up"), parsing: .unconditional, help: "Runs that do not.")
  var warmups = 1

  @OptionGroup var engine: EngineOptions

  @Option(help: "How to print the result.")
  var format: BenchFormat = .text

  @Flag(help: "Print the short form of one prompt and one length as JSON.")
  var json = false

  @Option(help: "Show an earlier result instead of measuring.", completion: .file())
  var from: String?

  @Option(help: "Hold the rows against those of an earlier result.", completion: .file())
  var against: String?

  @Option(help: "Draw the rows into this file.", completion: .file())
  var svg: String?

  /// The choices as the library takes them.
  private var sweep: BenchmarkSweep {
    var sweep = BenchmarkSweep()
    sweep.prompts = prompt.numbers
    sweep.generates = generate.numbers
    sweep.batches = batch.numbers
    sweep.streams = streams.numbers
    sweep.depths = depth?.numbers
    sweep.runs = runs
    sweep.warmups = warmups
    return sweep
  }

  func validate() throws {
    do { try sweep.validate() } catch { throw ValidationError(error.message) }
    let isShort =
      models.count <= 1 && prompt.numbers.count == 1 && generate.numbers.count == 1
      && batch == [1] && streams == [] && depth == nil && from == nil && against == nil
      && svg == nil
    if json, !isShort {
      throw ValidationError(
        "--json is the form of one model, one --prompt and one --generate; use --format json.")
    }
    if from != nil, !models.isEmpty {
      throw ValidationError("--from shows a result that is there; give no model with it.")
    }
  }

  func run() async throws {
    if json { return try await runShort() }
    let before = try against.map(BenchFile.read)
    let result: BenchmarkResult
    if let from { result = try BenchFile.read(from) } else { result = try await measure() }
    if let svg { try BenchChart(result, before).write(to: svg) }
    try OutputFile.standard.write(BenchTable(result, before).text(format))
  }

  private func runShort() async throws {
    let reference = models.first ?? ModelStore.defaultModel
    var result = try await Interrupts.cancelling {
      let model = try await engine.model(reference).language
      return try Benchmark.run(
        model, prompt: prompt.numbers[0], generate: generate.numbers[0], runs: runs
      ) { done in
        OutputFile.error.tell(done == 0 ? "warmed up" : "run \(done) of \(runs)")
      }
    }
    result.model = ModelStore().displayName(of: reference)
    try OutputFile.standard.write(JSONText.line(result) + "\n")
  }

  private func measure() async throws -> BenchmarkResult {
    let references = models.isEmpty ? [ModelStore.defaultModel] : models
    let sweep = sweep
    return try await Interrupts.cancelling {
      var result: BenchmarkResult?
      for reference in references {
        let model = try await engine.model(reference).language
        var measured = try result ?? Self.machine(model)
        let name = ModelStore().displayName(of: reference)
        if !sweep.streams.isEmpty {
          measured.rows += try await sweep.measureStreams(model, name: name, progress: Self.tell)
          result = measured
          continue
        }
        measured.rows += try sweep.measure(model, name: name, ceilings: measured.ceilings) {
          row, _ in
          OutputFile.error.tell(
            "\(row.model)  \(row.kind.rawValue) \(row.tokens)  batch \(row.batch)  depth "
              + "\(row.depth)  \(row.median) tokens/s")
        }
        result = measured
      }
      return result ?? BenchmarkResult(instructionSet: "")
    }
  }

  private static func tell(_ row: BenchmarkRow) {
    let waits = [row.waits?.firstToken, row.waits?.nextToken].map { seconds in
      (seconds ?? []).map { String(format: "%.0f", $0 * 1000) }.joined(separator: " / ")
    }
    OutputFile.error.tell(
      "\(row.model)  serve \(row.tokens)  streams \(row.batch)  prompt \(row.depth)  \(row.median) "
        + "tokens/s, first token \(waits[0]) ms, next \(waits[1]) ms (p50 / p95 / p99)")
  }

  private static func machine(_ model: LanguageModel) throws -> BenchmarkResult {
    OutputFile.error.tell("measuring the machine")
    return BenchmarkResult(
      instructionSet: model.instructionSet.rawValue, ceilings: try model.measureCeilings())
  }
}
