// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import Foundation

extension TrainingRun {
  /// The rows that the settings name, as batches and as validation data.
  static func readData(
    _ configuration: TrainingConfiguration, _ subject: Subject
  ) throws -> (BatchSampler, Dataset?) {
    guard !configuration.data.isEmpty else {
      throw TrainingError(.invalidSetting, "There is no data to train on; give --data FILE.")
    }
    let options = try configuration.datasetOptions(subject)
    func read(_ paths: [String]) throws -> Dataset {
      try Dataset(
        reading: paths, options: options, tokenizer: subject.tokenizer,
        chatFormat: configuration.chatFormat ?? subject.chatFormat)
    }
    let files = try configuration.data.map { try DataFiles($0) }
    let all = try read(files.flatMap(\.training))
    let split: ValidationSplit =
      configuration.validationSplit > 0 && configuration.validation.isEmpty
      ? .fraction(configuration.validationSplit) : .none
    var (training, validation) = try all.split(split, seed: configuration.seed)
    let validationFiles =
      configuration.validation.isEmpty && split == .none
      ? files.flatMap(\.validation) : configuration.validation
    if !validationFiles.isEmpty { validation = try read(validationFiles) }
    let sampler = try BatchSampler(
      training,
      options: BatchSampler.Options(
        batchSize: configuration.batchSize,
        packedLength: configuration.packing ? configuration.maxLength : nil),
      seed: configuration.seed)
    return (sampler, validation)
  }
}

extension TrainingRun {
  /// Tokens that a step takes in a second, timed on the first batches; the run stands as before.
  public func measureTokensPerSecond() throws -> Double {
    var sampler = self.sampler
    var rates: [Double] = []
    for index in 0..<3 {
      let batch = sampler.next()
      let targets = batch.targetBatch
      let begin = ContinuousClock.now
      _ = try trainee.pass.differentiate(
        targets, coefficients: targets.targets.map { _ in 0 }, adding: trainee.gradients)
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      if index > 0 { rates.append(Double(batch.tokenCount) / seconds) }
    }
    trainee.gradients.reset()
    return rates.reduce(0, +) / Double(rates.count)
  }
}

extension TrainingConfiguration {
  /// How rows become tokens; a row cannot be longer than the model's context.
  fileprivate func datasetOptions(
    _ subject: TrainingRun.Subject
  ) throws -> DatasetOptions {
    let model = try ModelConfiguration(subject.checkpoint.architecture)
    guard maxLength <= model.contextLength else {
      throw TrainingError(
        .invalidSetting,
        "max_length is \(maxLength), and \(model.name) was made for \(model.contextLength) tokens. "
          + "Lower it.")
    }
    var options = DatasetOptions(maxLength: maxLength)
    options.overlong = DatasetOptions.Overlong(rawValue: overlong.rawValue) ?? .drop
    options.assistantOnly = assistantOnlyLoss
    options.skipInvalid = skipInvalid
    options.textField = textField
    return options
  }

  /// What the optimiser is.
  var optimizerSettings: OptimizerSettings {
    var settings = OptimizerSettings()
    settings.kind =
      switch optimizer {
      case .adamW: .adamw
      case .adamW8Bit: .adamw8bit
      case .adafactor: .adafactor
      case .sgd: .sgd
      case .lion: .lion
      }
    settings.beta1 = Float(beta1)
    settings.beta2 = Float(effectiveBeta2)
    settings.epsilon = Float(epsilon)
    settings.weightDecay = Float(weightDecay)
    settings.momentum = Float(momentum)
    return settings
  }

  /// The rate of each of `steps` steps.
  func learningRateSchedule(steps: Int) -> LearningRateSchedule {
    let kind: LearningRateSchedule.Kind =
      switch schedule {
      case .constant: .constant
      case .linear: .linear
      case .cosine: .cosine
      }
    let warmup = warmupSteps ?? Int((warmupRatio * Double(steps)).rounded(.up))
    return LearningRateSchedule(
      kind: kind, warmupSteps: warmup, totalSteps: steps, peak: Float(effectiveLearningRate))
  }
}

extension TrainingPlan {
  init(
    _ configuration: TrainingConfiguration, _ trainee: Trainee, _ optimizerByteCount: Int,
    _ sampler: BatchSampler, _ validation: Dataset?, steps: Int, firstStep: Int
  ) {
    let dataset = sampler.dataset
    data = dataset.statistics
    examples = dataset.count
    validationExamples = validation?.count ?? 0
    tokens = dataset.tokenCount
    targetTokens = dataset.targetTokenCount
    batchesPerEpoch = sampler.batchesPerEpoch
    self.steps = steps
    self.firstStep = firstStep
    trainedCount = trainee.trainedCount
    weightCount = trainee.weightCount
    let longest =
      configuration.packing
      ? configuration.maxLength : min(configuration.maxLength, dataset.statistics.longest)
    memory = TrainingMemory(
      weights: trainee.transformer.weights.named.reduce(0) { $0 + $1.tensor.byteCount },
      gradients: trainee.gradients.byteCount
        + (configuration.method == .full ? 0 : 4 * trainee.trainedCount),
      optimizer: optimizerByteCount,
      activations: TrainingPass.byteCount(
        trainee.transformer.configuration, tokens: longest * configuration.batchSize,
        options: configuration.passOptions))
  }
}

/// The most memory that this process has held.
enum PeakMemory {
  /// In bytes; nil where the system does not say.
  static var byteCount: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
      return nil
    }
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }
}
