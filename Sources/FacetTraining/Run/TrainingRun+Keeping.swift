// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTokenizer
import Foundation

// Evaluations, checkpoints and the result.
extension TrainingRun {
  /// Evaluates and saves when it is time.
  func lookAndKeep(isLast: Bool, _ onEvent: (TrainingEvent) throws -> Void) throws {
    let evaluates = isDue(
      configuration.evaluationStrategy, configuration.evaluationSteps, isLast: isLast)
    if evaluates, let metrics = try evaluate() {
      if metrics.loss < progress.bestLoss ?? .infinity {
        progress.bestLoss = metrics.loss
        progress.bestStep = progress.step
      }
      try reports?.add(.evaluation(metrics))
      try onEvent(.evaluated(metrics))
    }
    if isDue(configuration.saveStrategy, configuration.saveSteps, isLast: isLast) {
      try save(onEvent)
    }
  }

  private func isDue(
    _ interval: TrainingConfiguration.Interval, _ steps: Int?, isLast: Bool
  ) -> Bool {
    switch interval {
    case .no: false
    case .steps: isLast || progress.step.isMultiple(of: steps ?? 100)
    case .epoch:
      isLast
        || progress.step * configuration.accumulationSteps / sampler.batchesPerEpoch
          > (progress.step - 1) * configuration.accumulationSteps / sampler.batchesPerEpoch
    }
  }

  /// The scores of the validation data; nil without any.
  func evaluate() throws -> EvaluationMetrics? {
    guard let validation else { return nil }
    average?.exchange()
    defer { average?.exchange() }
    let begin = ContinuousClock.now
    var window = RunProgress.Window()
    let size = configuration.evaluationBatchSize
    for first in stride(from: 0, to: validation.count, by: size) {
      let batch = PackedBatch(
        examples: (first..<min(validation.count, first + size)).map { validation[$0] })
      _ = window.add(try trainee.pass.score(batch.targetBatch), tokens: batch.tokenCount)
    }
    let count = Double(max(1, window.targetCount))
    let loss = -window.logProbability / count
    return EvaluationMetrics(
      step: progress.step, epoch: epoch, loss: loss, perplexity: exp(loss),
      tokenAccuracy: Double(window.topCount) / count,
      seconds: (ContinuousClock.now - begin) / .seconds(1))
  }

  /// Writes the checkpoint of this step.
  func save(_ onEvent: (TrainingEvent) throws -> Void) throws {
    progress.sampler = sampler.state
    progress.optimizerSteps = optimizer.steps
    try directory.write(step: progress.step) { folder in
      try NamedTensors.write(
        trainee.gradients.parameters.map { ($0.name, $0.value) },
        to: folder + "/" + Self.parametersFile)
      try NamedTensors.write(optimizer.state(), to: folder + "/optimizer.safetensors")
      if let average {
        try NamedTensors.write(average.named, to: folder + "/" + Self.averageFile)
        average.exchange()
      }
      defer { average?.exchange() }
      if let adapter = try adapterCheckpoint() { try adapter.writePEFT(to: folder) }
      for (name, text) in [
        ("progress.json", try Self.json(progress)), ("trainer_state.json", state.text),
        ("configuration.yaml", configuration.yaml),
      ] {
        var file = try FileWriter("\(folder)/\(name)")
        try file.write(Array(text.utf8))
        try file.finish()
      }
    }
    try reports?.finish()
    directory.prune(limit: configuration.saveTotalLimit, best: progress.bestStep)
    try onEvent(.saved(path: directory.checkpoint(progress.step)))
  }

  /// The adapter as its files hold it; nil when all weights are trained.
  private func adapterCheckpoint() throws -> AdapterCheckpoint? {
    guard let adapter = trainee.adapter, let settings = trainee.adapterConfiguration else {
      return nil
    }
    var checkpoint = try adapter.checkpoint(settings, for: trainee.transformer.configuration)
    checkpoint.chatTemplate = configuration.chatFormat?.template
    return checkpoint
  }

  /// What transformers' tools read of the run.
  private var state: TrainerState {
    var state = TrainerState()
    state.bestMetric = progress.bestLoss
    state.bestModelCheckpoint = bestCheckpoint
    state.epoch = epoch
    state.globalStep = progress.step
    state.maximumSteps = plan.steps
    state.epochCount = Int(configuration.epochs.rounded(.up))
    state.loggingSteps = configuration.loggingSteps
    state.evaluationSteps = configuration.evaluationSteps
    state.saveSteps = configuration.saveSteps ?? 500
    state.batchSize = configuration.batchSize
    state.history = reports?.history ?? []
    return state
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  private var bestCheckpoint: String? {
    progress.bestStep.flatMap { directory.steps.contains($0) ? directory.checkpoint($0) : nil }
  }

  /// Writes the adapter or the model, of the last step or the best one, and closes the reports.
  func finish(loss: Double?) throws -> TrainingResult {
    if configuration.loadsBestModel, let best = progress.bestStep, best != progress.step,
      directory.steps.contains(best)
    {
      try restore(
        trainee.gradients.parameters.map { ($0.name, $0.value) },
        from: directory.checkpoint(best) + "/"
          + (average == nil ? Self.parametersFile : Self.averageFile))
    } else {
      average?.exchange()
    }
    let path: String
    do {
      if let adapter = try adapterCheckpoint() {
        path = directory.path
        try adapter.writePEFT(to: path)
      } else {
        path = directory.file("model.gguf")
        try writeModel(path)
      }
    } catch { throw RunDirectory.unwritable(directory.path, error) }
    try directory.write(state.text, to: "trainer_state.json")
    try reports?.finish()
    return TrainingResult(
      path: path, steps: progress.step, loss: loss, bestLoss: progress.bestLoss,
      bestCheckpoint: bestCheckpoint)
  }

  /// All weights, rounded to bf16, as a GGUF file.
  private func writeModel(_ path: String) throws {
    let named = trainee.transformer.weights.named.map { ($0.name, $0.tensor) }
    let checkpoint = subject.checkpoint.replacing(
      Dictionary(uniqueKeysWithValues: named), chatTemplate: configuration.chatFormat?.template)
    var options = ModelConverter.Options(preset: try QuantizationPreset(named: "BF16"))
    options.overwriting = .allowed
    options.requantization = .allowed
    _ = try ModelConverter(options).convert(
      checkpoint, tokenizer: subject.tokenizerEntries, to: path)
  }
}

// Going on where a run stopped.
extension TrainingRun {
  /// The step of the last checkpoint in the folder.
  static func lastStep(_ directory: RunDirectory) throws(TrainingError) -> Int {
    guard let step = directory.steps.last else {
      throw TrainingError(
        .unreadable,
        "There is no checkpoint in '\(directory.path)' to go on from. Start without --resume.")
    }
    return step
  }

  /// Refuses to mix a new run with the checkpoints of another.
  static func refuseLeftovers(_ directory: RunDirectory) throws(TrainingError) {
    guard let step = directory.steps.last else { return }
    throw TrainingError(
      .invalidSetting,
      "'\(directory.path)' holds a run already, up to step \(step). Go on with --resume, or choose "
        + "another output_dir.")
  }

  /// Takes up the run as it was after `step`.
  func restore(step: Int) throws {
    let folder = directory.checkpoint(step)
    let saved: RunProgress
    do {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/progress.json"))
      saved = try JSONDecoder().decode(RunProgress.self, from: bytes)
    } catch {
      throw TrainingError(
        .unreadable,
        "The checkpoint '\(folder)' is damaged: progress.json cannot be read. Remove it to go on from "
          + "the one before.")
    }
    try compareSettings(folder, saved)
    sampler = try BatchSampler(sampler.dataset, options: sampler.options, resuming: saved.sampler)
    try restore(
      trainee.gradients.parameters.map { ($0.name, $0.value) },
      from: folder + "/" + Self.parametersFile)
    if let average { try restore(average.named, from: folder + "/" + Self.averageFile) }
    try optimizer.restore(
      steps: saved.optimizerSteps, try NamedTensors.read(folder + "/optimizer.safetensors"))
    progress = saved
  }

  private func compareSettings(_ folder: String, _ saved: RunProgress) throws(TrainingError) {
    guard saved.configuration != configuration.checksum else { return }
    let path = folder + "/configuration.yaml"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let before = try TrainingConfiguration(yaml: text, path: path)
    let names = configuration.differences(from: before).joined(separator: ", ")
    throw TrainingError(
      .mismatchedModel,
      "The run in '\(directory.path)' was begun with other settings: \(names). Give the same ones, or "
        + "begin a new run in another output_dir.")
  }

  private static let parametersFile = "parameters.safetensors"
  private static let averageFile = "average.safetensors"

  private func restore(_ targets: [(name: String, tensor: Tensor)], from path: String) throws {
    let tensors = try NamedTensors.read(path)
    for (name, tensor) in targets {
      guard let saved = tensors[name], saved.dtype == .f32, saved.rows == tensor.rows,
        saved.columns == tensor.columns
      else {
        throw TrainingError(
          .mismatchedModel,
          "'\(path)' does not hold '\(name)' as \(tensor.rows) × \(tensor.columns) numbers. It belongs "
            + "to another run.")
      }
      trainee.backend.copy(saved, to: tensor)
    }
  }
}
