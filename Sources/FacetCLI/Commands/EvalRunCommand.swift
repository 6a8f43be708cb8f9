// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import FacetEvaluation
import Foundation

/// The values of `--suite`.
enum SuiteChoice: String, ExpressibleByArgument, CaseIterable {
  case gemmaReport = "gemma-report"
  case lmEval = "lm-eval"
  case gemma3Card = "gemma3-card"

  /// The same for the library.
  var suite: EvaluationSuite {
    switch self {
    case .gemmaReport: .gemmaReport
    case .lmEval: .lmEval
    case .gemma3Card: .gemma3Card
    }
  }
}

struct EvalRunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Score a model on benchmarks.",
    discussion: """
      Prompts, examples, scores and metrics are those of lm-evaluation-harness 0.4.13. The data lie in \
      the directory that --data names, one folder a task with files of JSON lines or CSV in their \
      original fields. docs/evaluation.md lists tasks and says how to add your own.

      With --output, answers are kept in the folder's answers.jsonl; --resume goes on with them. Ctrl-C \
      ends a run with the figures so far.
      """)

  @Argument(
    help: ArgumentHelp("The model.", valueName: "model"), completion: ModelCompletion.names)
  var model: String?

  @Option(help: "Tasks or groups, separated by commas.")
  var tasks: String?

  @Option(help: "The tasks and examples of a published table.")
  var suite: SuiteChoice?

  @Option(
    help: ArgumentHelp("A task of your own, in JSON; repeatable.", valueName: "file"),
    completion: .file())
  var task: [String] = []

  @Option(
    parsing: .unconditional, help: "Examples before each question (default: the task's own).")
  var shots: Int?

  @Option(parsing: .unconditional, help: "Documents of each task at most.")
  var limit: Int?

  @Option(
    help: ArgumentHelp("Where the data are.", valueName: "dir"), completion: .directory)
  var data = "."

  @Option(
    help: ArgumentHelp("Keep answers in this folder.", valueName: "dir"), completion: .directory)
  var output: String?

  @Flag(help: "Go on with the answers in the output folder.")
  var resume = false

  @Flag(
    help: ArgumentHelp(
      "Run programs that the model writes (HumanEval, MBPP), each in a process that can reach nothing."
    ))
  var allowPrograms = false

  @Flag(help: "Leave out rows that are no good, and count them.")
  var skipBadRows = false

  @Option(parsing: .unconditional, help: "Tokens that the model sees (default: all it can).")
  var context: Int?

  @Option(
    help: ArgumentHelp(
      "A PEFT, mlx-lm or GGUF adapter, with :strength where that is not 1; repeatable.",
      valueName: "adapter"))
  var adapter: [String] = []

  @OptionGroup var remote: EvaluationServer

  @Flag(help: "List tasks and groups.")
  var list = false

  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if list { return }
    guard model != nil else { throw ValidationError("Name a model, or --list the tasks.") }
    guard suite != nil || tasks != nil || !task.isEmpty else {
      throw ValidationError("Say what to measure: --tasks, --suite or --task.")
    }
    for (name, value) in [("--shots", shots.map { $0 + 1 }), ("--limit", limit)] {
      guard let value, value < 1 else { continue }
      throw ValidationError("\(name) is too small.")
    }
    if remote.server != nil, !adapter.isEmpty || context != nil {
      throw ValidationError(
        "--adapter and --context are for a model here, not for one of a --server.")
    }
    if resume, output == nil {
      throw ValidationError("--resume needs the --output of the run to go on with.")
    }
  }

  func run() async throws {
    var catalogue = try TaskCatalogue()
    var own: [String] = []
    for path in task { own += try catalogue.add(fileAt: path) }
    if list { return try OutputFile.standard.write(Self.listing(catalogue)) }
    let entries = try wanted(catalogue, own: own)
    let options = try evaluatorOptions()
    let final = catalogue
    try await Interrupts.cancelling {
      let (evaluator, result) = try await subject(options)
      try await EvaluationRun(evaluator, final, result, output: output)
        .run(possible(entries, evaluator))
    }
  }

  /// What runs the tasks on the model, and what is known of it.
  private func subject(_ options: Evaluator.Options) async throws -> (Evaluator, EvaluationResult) {
    if let server = try remote.model(model ?? "") {
      return (try Evaluator(server, options: options), result(of: server))
    }
    let plain = try await engine.model(model ?? "").language
    let language = try plain.with(
      adapter.map { try AdapterArgument($0).file().adapter(for: plain.configuration) })
    return (try Evaluator(language, options: options), result(of: language))
  }

  /// A task to run.
  private struct Entry {
    var task: TaskDefinition
    /// Examples before each question; nil: the task's own number.
    var shots: Int?
    /// Whether the user named it, or it is part of a suite.
    var isNamed: Bool
  }

  /// The tasks to run, each once, and their examples.
  private func wanted(_ catalogue: TaskCatalogue, own: [String]) throws -> [Entry] {
    let named = (tasks?.split(separator: ",").map { String($0) } ?? []) + own
    let entries =
      named.map { ($0, nil, true) } + (suite?.suite.entries ?? []).map { ($0, $1, false) }
    var result: [Entry] = []
    for (name, count, isNamed) in entries {
      for task in try catalogue.tasks(named: name)
      where !result.contains(where: { $0.task.name == task.name }) {
        result.append(Entry(task: task, shots: shots ?? count, isNamed: isNamed))
      }
    }
    return result
  }

  /// The tasks that can be run; before anything runs, one that the user named and cannot be is an error,
  /// and those of a suite are left out by name.
  private func possible(
    _ entries: [Entry], _ evaluator: Evaluator
  ) throws -> [(task: TaskDefinition, shots: Int?)] {
    var result: [(task: TaskDefinition, shots: Int?)] = []
    for entry in entries {
      guard let obstacle = evaluator.obstacle(to: entry.task) else {
        result.append((entry.task, entry.shots))
        continue
      }
      if entry.isNamed { throw obstacle }
      OutputFile.error.tell("\(entry.task.name): left out. \(obstacle.message)")
    }
    guard !result.isEmpty else { throw Failure("No task of the suite can be run.") }
    return result
  }

  /// What is known of a run before it begins.
  private func result(of language: LanguageModel) -> EvaluationResult {
    var model = EvaluationResult.ModelFacts(
      name: ModelStore().displayName(of: self.model ?? language.card.name))
    model.parameterCount = language.card.parameterCount
    model.dataType = language.card.dtypes.max { $0.bytes < $1.bytes }?.dtype
    model.contextLength = context ?? language.card.contextLength
    let tokens = language.tokenizer
    func token(_ id: TokenID?) -> EvaluationResult.ModelFacts.Token? {
      id.flatMap { id in
        tokens.piece(id).map { EvaluationResult.ModelFacts.Token($0, Int(id)) }
      }
    }
    model.bos = token(tokens.special.bos)
    model.eos = token(tokens.special.eos)
    model.pad = token(tokens.special.padding)
    model.endOfTextID = tokens.special.eos.map { Int($0) }
    return result(
      model,
      "\(language.instructionSet), \(engine.precision.rawValue), \(language.threadCount) threads")
  }

  private func result(of server: CompletionServer) -> EvaluationResult {
    result(
      EvaluationResult.ModelFacts(name: server.model),
      "\(server.address), \(server.concurrency) requests at once")
  }

  private func result(
    _ model: EvaluationResult.ModelFacts, _ environment: String
  ) -> EvaluationResult {
    var settings = EvaluationResult.Settings()
    settings.limit = limit.map { Double($0) }
    settings.suite = suite?.rawValue
    settings.software = "facet \(Version.current)"
    settings.environment = environment
    return EvaluationResult(
      model: model, settings: settings, start: Date().timeIntervalSince1970, seconds: 0)
  }

  private func evaluatorOptions() throws -> Evaluator.Options {
    var options = Evaluator.Options(dataDirectory: data)
    options.limit = limit
    options.skipsBadRows = skipBadRows
    options.contextLength = context
    if allowPrograms { options.sandbox = try ProgramSandbox() }
    guard let output else { return options }
    let manager = FileManager.default
    try manager.createDirectory(atPath: output, withIntermediateDirectories: true)
    let path = output + "/answers.jsonl"
    if !resume, manager.fileExists(atPath: path) {
      throw Failure(
        "'\(output)' has answers of a run before; add --resume to go on with them, or name another folder."
      )
    }
    options.answerPath = path
    return options
  }

  private static func listing(_ catalogue: TaskCatalogue) -> String {
    let groups = catalogue.groups.map { "\($0.name) (\($0.members.count))\n" }
    let tasks = catalogue.tasks.filter { $0.group == nil }.map { $0.name + "\n" }
    let suites = EvaluationSuite.allCases.map { "--suite \($0.rawValue)\n" }
    return (tasks + groups + suites).joined()
  }
}
