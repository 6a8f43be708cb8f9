// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import FacetTraining
import Foundation

struct TuneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Fine-tune a model on rows of text or conversations.",
    discussion: """
      FILE is JSONL, JSON, CSV or TSV, or a directory with train.jsonl; facet data inspect shows it \
      as the model sees it. The method lora trains a low-rank adapter beside bf16 weights, qlora one \
      beside the weights as the file has them, full all weights.

      Settings have the names of TRL and PEFT (learning_rate, max_steps, lora_r …); those of mlx_lm \
      are understood. --config reads them from YAML, and --set comes after it. All of them, resolved, \
      are written to configuration.yaml in the output directory, with metrics.jsonl, \
      trainer_state.json, report.html, loss.svg, TensorBoard events, checkpoints, and the adapter in \
      PEFT's form, or model.gguf.

      Ctrl-C and SIGTERM write a checkpoint and stop; --resume goes on from it to the same bits.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Option(help: "The rows to train on; may be repeated.", completion: .file())
  var data: [String] = []

  @Option(help: "The rows to evaluate on; may be repeated.", completion: .file())
  var validation: [String] = []

  @Option(
    help:
      "What is trained: \(TrainingConfiguration.Method.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var method: String?

  @Option(
    name: [.customShort("c"), .customLong("config")], help: "Settings, a YAML file.",
    completion: .file())
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("One setting; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []

  @Option(name: .shortAndLong, help: "The output directory (default: tuned).", completion: .file())
  var output: String?

  @Flag(help: "Go on from the last checkpoint in the output directory.")
  var resume = false

  @Flag(help: "Read the data, say what the run would do and take, and time a few steps.")
  var dryRun = false

  @Option(help: "exact: f32 throughout; mixed: products in 16 bits, sums in f32.")
  var precision: TrainingPrecision = .mixed

  @Option(
    parsing: .unconditional,
    help: "Threads that share the work (default: FACET_THREADS, else one per core).")
  var threads: Int?

  @Flag(help: "Print events as lines of JSON.")
  var json = false

  /// The values of `--precision`.
  enum TrainingPrecision: String, ExpressibleByArgument, CaseIterable {
    case exact, mixed
  }

  func validate() throws { _ = try EngineOptions.threads(threads) }

  func run() async throws {
    let (configuration, notes) = try settings()
    for note in notes { OutputFile.error.tell(note) }
    let display = PullDisplay(model)
    let store = ModelStore()
    if try store.isMissing(model) {
      try await store.pull(model) { display.show($0) }
    }
    display.close()
    let path = try store.locate(model)
    let command = self
    try await Interrupts.cancelling(includingTermination: true) {
      try command.tune(configuration, path)
    }
  }

  /// The settings of the file, of `--set` and of the other options, which come last.
  private func settings() throws -> (TrainingConfiguration, [String]) {
    var reader = SettingReader()
    if let config {
      let text: String
      do { text = try String(contentsOfFile: config, encoding: .utf8) } catch {
        throw Failure("Cannot read '\(config)': \((error as NSError).localizedDescription)")
      }
      try reader.read(yaml: text, path: config)
    }
    for assignment in assignments { try reader.read(assignment: assignment) }
    if let method { try reader.read(assignment: "method=\(method)") }
    var configuration = reader.configuration
    configuration.model = model
    if !data.isEmpty { configuration.data = data }
    if !validation.isEmpty { configuration.validation = validation }
    if let output { configuration.outputDirectory = output }
    return (configuration, reader.notes)
  }

  private func tune(_ configuration: TrainingConfiguration, _ path: String) throws {
    let checkpoint = try Checkpoint.open(path)
    let tokenizer = try Tokenizer(checkpoint)
    let subject = TrainingRun.Subject(
      checkpoint: checkpoint, tokenizer: tokenizer,
      chatFormat: ChatFormat.recognize(
        architecture: checkpoint.architecture.architecture, template: checkpoint.chatTemplate,
        tokenizer: tokenizer, name: checkpoint.architecture.name),
      tokenizerEntries: checkpoint.format == .gguf || configuration.method != .full
        ? nil : try TokenizerEntries(checkpoint))
    let set = try EngineOptions.instructionSetOfEnvironment() ?? .best
    guard
      let backend = CPUBackend(
        threads: try EngineOptions.threads(threads),
        precision: precision == .exact ? .exact : .mixed, instructionSet: set)
    else { throw Failure("This CPU does not have the instruction set '\(set.rawValue)'.") }
    let run = try TrainingRun(configuration, subject: subject, backend: backend, resuming: resume)
    var display = TuneDisplay(asJSON: json)
    if dryRun {
      let rate = try run.measureTokensPerSecond()
      return try display.show(run.plan, tokensPerSecond: rate, memory: MachineMemory.current())
    }
    if let memory = MachineMemory.current(), run.plan.memory.total > memory.available {
      display.warn(run.plan, memory)
    }
    do {
      _ = try run.run { event in try display.show(event) }
    } catch is CancellationError {
      OutputFile.error.tell(
        "Stopped after a checkpoint in '\(configuration.outputDirectory)'; the same command with --resume "
          + "goes on.")
      throw CancellationError()
    }
  }
}
