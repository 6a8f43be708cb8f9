// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import FacetTraining
import Foundation
import Testing

/// Runs on a small random Gemma 3 that transformers made (Tests/Goldens/PROVENANCE.md).
@Suite("A run of training")
struct TrainingRunTests {
  static let rows = (0..<24).map { index in
    "{\"prompt\":\"What is \(index)?\",\"completion\":\" It is \(index + 1) stones.\"}\n"
  }.joined()

  static func backend(threads: Int = 2) throws -> CPUBackend {
    try #require(CPUBackend(threads: threads, precision: .exact))
  }

  /// From the directory, or from the GGUF file, which holds a tokenizer that can be written again.
  static func subject(asGGUF: Bool = false) throws -> TrainingRun.Subject {
    let folder = Goldens.path("fixtures/gemma3/hf")
    let model = try #require(FileManager.default.contents(atPath: folder + "/tokenizer.model"))
    return TrainingRun.Subject(
      checkpoint: try Checkpoint.open(
        asGGUF ? Goldens.path("fixtures/gemma3/gemma3.gguf") : folder),
      tokenizer: try Tokenizer(VocabularyDescription(sentencePieceModel: [UInt8](model))),
      chatFormat: nil)
  }

  static func settings(_ change: (inout TrainingConfiguration) -> Void = { _ in }) throws
    -> TrainingConfiguration
  {
    var settings = TrainingConfiguration()
    settings.data = [try DataFixture.file("rows.jsonl", rows)]
    settings.outputDirectory = DataFixture.folder + "/run-" + UUID().uuidString
    settings.maxLength = 128
    settings.maxSteps = 8
    settings.batchSize = 4
    settings.learningRate = 5e-3
    settings.schedule = .constant
    settings.warmupSteps = 0
    settings.loraRank = 4
    change(&settings)
    return settings
  }

  static func make(
    _ settings: TrainingConfiguration, resuming: Bool = false, threads: Int = 2
  ) throws -> TrainingRun {
    try TrainingRun(
      settings, subject: subject(asGGUF: settings.method == .full),
      backend: backend(threads: threads), resuming: resuming)
  }

  static func losses(_ run: TrainingRun) throws -> [Double] {
    var losses: [Double] = []
    _ = try run.run { event in
      if case .step(let metrics) = event { losses.append(metrics.loss) }
    }
    return losses
  }

  static func bytes(_ settings: TrainingConfiguration, _ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: settings.outputDirectory + "/" + name))
  }

  static func complaint(_ body: () throws -> Void) throws -> String {
    do {
      try body()
      return "nothing"
    } catch let error as TrainingError {
      return error.message
    }
  }

  @Test("the loss falls, by every method", arguments: TrainingConfiguration.Method.allCases)
  func learns(method: TrainingConfiguration.Method) throws {
    let settings = try Self.settings {
      $0.method = method
      $0.maxSteps = 30
    }
    let losses = try Self.losses(Self.make(settings))
    #expect(losses.count == 30)
    #expect(losses[25...].reduce(0, +) / 5 < 0.6 * losses[0], "\(losses)")
  }

  @Test("the adapter that is written says what the trained model says")
  func adapter() throws {
    let settings = try Self.settings()
    let run = try Self.make(settings)
    let result = try run.run()
    #expect(result.path == settings.outputDirectory)
    let model = try ModelConfiguration(Self.subject().checkpoint.architecture)
    let adapter = try Adapter(AdapterCheckpoint.open(path: result.path), for: model)
    #expect(adapter.modules.count == 7 * model.layers)
    #expect(adapter.modules.values.allSatisfy { $0.scale == 8 })
    let saved = try NamedTensors.read(
      settings.outputDirectory + "/checkpoint-8/parameters.safetensors")
    for (name, module) in adapter.modules {
      #expect(saved["\(name) b"]?.rows == module.b.rows)
      #expect(module.b.floats().contains { $0 != 0 })
    }
  }

  @Test("a run that was stopped and goes on gives the bits of one that was not")
  func resumes() throws {
    let whole = try Self.settings { $0.loraDropout = 0.1 }
    _ = try Self.make(whole).run()

    let halves = try Self.settings {
      $0.loraDropout = 0.1
      $0.data = whole.data
      $0.saveStrategy = .steps
      $0.saveSteps = 3
    }
    struct Enough: Error {}
    #expect(throws: Enough.self) {
      _ = try Self.make(halves).run { event in
        if case .step(let metrics) = event, metrics.step == 5 { throw Enough() }
      }
    }
    let again = try Self.make(halves, resuming: true)
    #expect(again.plan.firstStep == 3)
    _ = try again.run()
    #expect(
      try Self.bytes(halves, "adapter_model.safetensors")
        == Self.bytes(whole, "adapter_model.safetensors"))
    let lines = String(decoding: try Self.bytes(halves, "metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n")
    #expect(lines.count == 8)
  }

  @Test("the number of threads changes no bit")
  func threads() throws {
    let one = try Self.settings()
    let three = try Self.settings { $0.data = one.data }
    _ = try Self.make(one, threads: 1).run()
    _ = try Self.make(three, threads: 3).run()
    #expect(
      try Self.bytes(one, "adapter_model.safetensors")
        == Self.bytes(three, "adapter_model.safetensors"))
  }

  @Test("eight rows at once, one by one, or three, three and two give one gradient")
  func accumulation() throws {
    let dataset = try DataFixture.read(DataFixture.file("rows.jsonl", Self.rows))
    let examples = (0..<8).map { dataset[$0] }.map { example in
      var example = example
      example.tokens = example.tokens.map { $0 % 384 }
      return example
    }
    let targets = PackedBatch(examples: examples).targetCount
    let checkpoint = try Self.subject().checkpoint
    let configuration = try ModelConfiguration(checkpoint.architecture)
    let weights = try ModelWeights(checkpoint, configuration: configuration)
    let transformer = Transformer(
      configuration: configuration, weights: weights, backend: try Self.backend())
    func gradient(_ sizes: [Int]) throws -> [Float] {
      let gradients = try Gradients(weights: weights)
      var rest = examples[...]
      for size in sizes {
        let batch = PackedBatch(examples: Array(rest.prefix(size))).targetBatch
        rest = rest.dropFirst(size)
        _ = try TrainingPass(transformer).differentiate(
          batch, coefficients: batch.targets.map { _ in 1 / Float(targets) }, adding: gradients)
      }
      return gradients.parameters.flatMap { $0.gradient.floats() }
    }
    let whole = try gradient([8])
    let length = whole.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for sizes in [[1, 1, 1, 1, 1, 1, 1, 1], [3, 3, 2]] {
      let difference = zip(whole, try gradient(sizes)).reduce(Float(0)) {
        $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
      }
      #expect(difference.squareRoot() <= 1e-5 * length)
    }
  }

  @Test("validation rows are looked at, and the best checkpoint is kept and taken")
  func best() throws {
    let settings = try Self.settings {
      $0.validationSplit = 0.25
      $0.evaluationStrategy = .steps
      $0.evaluationSteps = 2
      $0.saveStrategy = .steps
      $0.saveSteps = 2
      $0.saveTotalLimit = 1
      $0.loadsBestModel = true
      $0.learningRate = 0.05
    }
    let run = try Self.make(settings)
    #expect(run.plan.examples == 18)
    #expect(run.plan.validationExamples == 6)
    var evaluations: [EvaluationMetrics] = []
    let result = try run.run { event in
      if case .evaluated(let metrics) = event { evaluations.append(metrics) }
    }
    let least = try #require(evaluations.min { $0.loss < $1.loss })
    #expect(result.bestLoss == least.loss)
    #expect(result.bestCheckpoint == settings.outputDirectory + "/checkpoint-\(least.step)")
    let kept = try FileManager.default.contentsOfDirectory(atPath: settings.outputDirectory)
      .filter { $0.hasPrefix("checkpoint-") }
    #expect(Set(kept) == ["checkpoint-\(least.step)", "checkpoint-8"])
    #expect(
      try Self.bytes(settings, "adapter_model.safetensors")
        == Self.bytes(settings, "checkpoint-\(least.step)/adapter_model.safetensors"))
  }

  @Test("the result is the running mean of the weights where one is kept, also after a stop")
  func average() throws {
    func settings() throws -> TrainingConfiguration {
      try Self.settings {
        $0.averageDecay = 0.75
        $0.maxSteps = 4
        $0.saveStrategy = .steps
        $0.saveSteps = 1
        $0.saveTotalLimit = nil
        $0.validationSplit = 0.25
        $0.evaluationStrategy = .steps
        $0.evaluationSteps = 4
      }
    }
    let whole = try settings()
    var evaluated: Double?
    _ = try Self.make(whole).run {
      if case .evaluated(let metrics) = $0 { evaluated = metrics.loss }
    }

    func numbers(_ step: Int, _ file: String) throws -> [String: [Float]] {
      try NamedTensors.read(whole.outputDirectory + "/checkpoint-\(step)/\(file).safetensors")
        .mapValues { $0.floats() }
    }
    for step in 1...4 {
      let (values, means) = (try numbers(step, "parameters"), try numbers(step, "average"))
      #expect(Set(values.keys) == Set(means.keys) && !values.isEmpty)
      let before = step > 1 ? try numbers(step - 1, "average") : nil
      for (name, mean) in means where before != nil || name.hasSuffix(" b") {
        let value = try #require(values[name])
        let old = try before.map { try #require($0[name]) } ?? value.map { _ in 0 }  // B begins at 0
        for index in mean.indices {
          #expect(abs(mean[index] - 0.75 * old[index] - 0.25 * value[index]) <= 1e-6, "\(name)")
        }
      }
    }
    #expect(
      try Self.bytes(whole, "adapter_model.safetensors")
        == Self.bytes(whole, "checkpoint-4/adapter_model.safetensors"))
    let plain = try Self.settings {
      $0.maxSteps = 4
      $0.validationSplit = 0.25
      $0.evaluationStrategy = .steps
      $0.evaluationSteps = 4
    }
    var withoutMean: Double?
    _ = try Self.make(plain).run { if case .evaluated(let m) = $0 { withoutMean = m.loss } }
    #expect(try #require(evaluated) > #require(withoutMean), "the mean lags behind")

    let halted = try settings()
    struct Halt: Error {}
    #expect(throws: Halt.self) {
      _ = try Self.make(halted).run {
        if case .saved(let path) = $0, path.hasSuffix("-2") { throw Halt() }
      }
    }
    _ = try Self.make(halted, resuming: true).run()
    #expect(
      try Self.bytes(halted, "adapter_model.safetensors")
        == Self.bytes(whole, "adapter_model.safetensors"))
  }

  @Test(
    "events come as an asynchronous sequence; who stops reading stops the run with a checkpoint")
  func events() async throws {
    let settings = try Self.settings()
    var steps: [Int] = []
    var last: TrainingEvent?
    for try await event in try TrainingRun.events(
      settings, subject: Self.subject(), backend: Self.backend())
    {
      if case .step(let metrics) = event { steps.append(metrics.step) }
      last = event
    }
    #expect(steps == Array(1...8))
    guard case .finished(let result) = last else {
      Issue.record("the last event is \(String(describing: last))")
      return
    }
    #expect(result.steps == 8)

    let long = try Self.settings { $0.maxSteps = 100_000 }
    for try await event in try TrainingRun.events(
      long, subject: Self.subject(), backend: Self.backend())
    {
      if case .step(let metrics) = event, metrics.step == 2 { break }
    }
    let deadline = ContinuousClock.now + .seconds(60)
    func hasCheckpoint() -> Bool {
      let names = try? FileManager.default.contentsOfDirectory(atPath: long.outputDirectory)
      return names?.contains { $0.hasPrefix("checkpoint-") } ?? false
    }
    while !hasCheckpoint(), ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(hasCheckpoint())

    await #expect(throws: TrainingError.self) {
      for try await _ in try TrainingRun.events(
        Self.settings { $0.data = [] }, subject: Self.subject(), backend: Self.backend())
      {}
    }
  }

  @Test(
    "all weights of a directory are not tuned without a tokenizer for the file that comes of it")
  func tokenizerOfResult() throws {
    let settings = try Self.settings { $0.method = .full }
    let message = try Self.complaint {
      _ = try TrainingRun(settings, subject: Self.subject(), backend: Self.backend())
    }
    #expect(
      message
        == "The result of the method full is a GGUF file, and '\(Goldens.path("fixtures/gemma3/hf"))' "
        + "is none: give the tokenizer that it shall hold.")
  }

  @Test("a loss that is no number stops the run and names the rows; the last checkpoint stays")
  func diverges() throws {
    let settings = try Self.settings {
      $0.method = .full
      $0.learningRate = 1e30
      $0.batchSize = 2
      $0.saveStrategy = .steps
      $0.saveSteps = 1
    }
    let message = try Self.complaint { _ = try Self.make(settings).run() }
    #expect(
      message.hasPrefix("The gradient of step 2 is not a finite number; it saw line "),
      "\(message)")
    #expect(message.contains(" of '\(settings.data[0])', line "))
    #expect(
      message.hasSuffix(
        "The checkpoint '\(settings.outputDirectory)/checkpoint-1' is unharmed. Look at those rows, or "
          + "lower learning_rate."))
    #expect(try !Self.bytes(settings, "checkpoint-1/parameters.safetensors").isEmpty)
  }

  @Test("what cannot be done is said before anything is changed")
  func refusals() throws {
    var settings = try Self.settings()
    let folder = settings.outputDirectory
    #expect(
      try Self.complaint { _ = try Self.make(settings, resuming: true) }
        == "There is no checkpoint in '\(folder)' to go on from. Start without --resume.")
    _ = try Self.make(settings).run()
    #expect(
      try Self.complaint { _ = try Self.make(settings) }
        == "'\(folder)' holds a run already, up to step 8. Go on with --resume, or choose another "
        + "output_dir.")
    settings.learningRate = 1e-3
    settings.loraRank = 8
    #expect(
      try Self.complaint { _ = try Self.make(settings, resuming: true) }
        == "The run in '\(folder)' was begun with other settings: learning_rate, lora_r. Give the same "
        + "ones, or begin a new run in another output_dir.")
    let nothing = try Self.settings { $0.data = [] }
    #expect(
      try Self.complaint { _ = try Self.make(nothing) }
        == "There is no data to train on; give --data FILE.")
    let modules = try Self.settings { $0.targetModules = ["q_proj", "mlp"] }
    #expect(
      try Self.complaint { _ = try Self.make(modules) }
        == "target_modules names 'mlp'; choose from all-linear, down_proj, gate_proj, k_proj, lm_head, "
        + "o_proj, q_proj, up_proj, v_proj.")
  }

  @Test("a checkpoint that a killed process left half written is cleared away")
  func leftovers() throws {
    let settings = try Self.settings()
    let half = settings.outputDirectory + "/.unfinished-4"
    try FileManager.default.createDirectory(atPath: half, withIntermediateDirectories: true)
    _ = try Self.make(settings).run()
    #expect(!FileManager.default.fileExists(atPath: half))
  }

  @Test("all weights trained become a GGUF file that is read again")
  func full() throws {
    let settings = try Self.settings { $0.method = .full }
    let subject = try Self.subject(asGGUF: true)
    let result = try Self.make(settings).run()
    let written = try Checkpoint.open(result.path)
    let model = try ModelConfiguration(written.architecture)
    let weights = try ModelWeights(written, configuration: model)
    let before = try ModelWeights(subject.checkpoint, configuration: model)
    let change = zip(
      ReferenceBackend.dequantized(weights.layers[0].query),
      ReferenceBackend.dequantized(before.layers[0].query)
    ).map { abs($0 - $1) }
    #expect((change.max() ?? 0) > 0.01)
  }
}
