// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
import FacetModel
public import FacetTensor
public import FacetTokenizer

/// A run of supervised fine-tuning: rows in, an adapter or a model out.
///
/// The same settings and data give the same bits, also when the run is stopped and goes on. One owner
/// at a time; cancelling the task that ``run(onEvent:)`` is in ends it after the step with a checkpoint.
public final class TrainingRun {
  /// A model and what turns text into its tokens.
  public struct Subject: Sendable {
    /// The model's file.
    public var checkpoint: Checkpoint
    /// Its tokenizer.
    public var tokenizer: Tokenizer
    /// Its format of conversations; nil: none.
    public var chatFormat: ChatFormat?
    /// What a GGUF file of the result will hold for a tokenizer; nil: the model's own file has it.
    public var tokenizerEntries: TokenizerEntries?

    /// Joins the three; `chatFormat` is nil for a base model.
    public init(
      checkpoint: Checkpoint, tokenizer: Tokenizer, chatFormat: ChatFormat?,
      tokenizerEntries: TokenizerEntries? = nil
    ) {
      self.checkpoint = checkpoint
      self.tokenizer = tokenizer
      self.chatFormat = chatFormat
      self.tokenizerEntries = tokenizerEntries
    }
  }

  /// The settings, every choice made.
  public let configuration: TrainingConfiguration
  /// What the run is going to do.
  public let plan: TrainingPlan

  let subject: Subject
  let trainee: Trainee
  let optimizer: Optimizer
  /// The running mean that the result is, where one is kept.
  let average: WeightAverage?
  let schedule: LearningRateSchedule
  let directory: RunDirectory
  let validation: Dataset?
  var sampler: BatchSampler
  var progress: RunProgress
  /// What is left behind; made when the run begins.
  var reports: RunReports?

  /// Reads the data and makes the model ready; with `resuming`, goes on from the last checkpoint of the
  /// settings' folder.
  public init(
    _ configuration: TrainingConfiguration, subject: Subject, backend: CPUBackend,
    resuming: Bool = false
  ) throws {
    let configuration = configuration.resolved()
    try configuration.validate()
    self.configuration = configuration
    self.subject = subject
    if configuration.method == .full, subject.checkpoint.format != .gguf,
      subject.tokenizerEntries == nil
    {
      throw TrainingError(
        .invalidSetting,
        "The result of the method full is a GGUF file, and '\(subject.checkpoint.path)' is none: give "
          + "the tokenizer that it shall hold.")
    }
    (sampler, validation) = try Self.readData(configuration, subject)
    directory = RunDirectory(configuration.outputDirectory)
    trainee = try Trainee(configuration, checkpoint: subject.checkpoint, backend: backend)
    optimizer = try Optimizer(
      configuration.optimizerSettings, parameters: trainee.gradients.parameters, backend: backend)
    average = try configuration.averageDecay.map { [trainee] in
      try WeightAverage(
        decay: $0, of: trainee.gradients.parameters, backend: trainee.backend)
    }
    let accumulation = configuration.accumulationSteps
    let batches = (configuration.epochs * Double(sampler.batchesPerEpoch)).rounded(.up)
    let steps = configuration.maxSteps ?? max(1, Int(batches).dividedUp(by: accumulation))
    schedule = configuration.learningRateSchedule(steps: steps)
    progress = RunProgress(sampler: sampler.state, configuration: configuration.checksum)
    let first = resuming ? try Self.lastStep(directory) : 0
    plan = TrainingPlan(
      configuration, trainee, optimizer.byteCount + (average?.byteCount ?? 0), sampler, validation,
      steps: steps, firstStep: first)
    if !resuming { try Self.refuseLeftovers(directory) }
    if first > 0 { try restore(step: first) }
  }

  /// Trains to the end and writes the result; `onEvent` is told what happens, and may throw to stop.
  public func run(onEvent: (TrainingEvent) throws -> Void = { _ in }) throws -> TrainingResult {
    try begin()
    try onEvent(.started(plan))
    var watch = Stopwatch()
    var lastLoss: Double?
    while progress.step < plan.steps {
      let batches = nextBatches()
      let result = try step(batches)
      progress.step += 1
      let isLast = progress.step == plan.steps
      if isLast || progress.step.isMultiple(of: configuration.loggingSteps) {
        let metrics = takeMetrics(result, seconds: watch.lap())
        lastLoss = metrics.loss
        try reports?.add(.step(metrics))
        try onEvent(.step(metrics))
      }
      try lookAndKeep(isLast: isLast, onEvent)
      if !isLast, Task.isCancelled {
        try save(onEvent)
        throw CancellationError()
      }
    }
    let result = try finish(loss: lastLoss)
    try onEvent(.finished(result))
    return result
  }

  private func begin() throws {
    try directory.prepare()
    reports = try RunReports(
      directory: directory.path, resuming: progress.step > 0, settings: configuration.named)
    if progress.step > 0 { try reports?.rewind(to: progress.step) }
    try directory.write(configuration.yaml, to: "configuration.yaml")
  }

  /// The micro-batches of the next step; an epoch may end among them.
  private func nextBatches() -> [PackedBatch] {
    (0..<configuration.accumulationSteps).map { _ in sampler.next() }
  }

  /// What a step was like.
  struct StepResult {
    var gradientNorm: Double
    var learningRate: Float
  }

  /// One step of the optimiser: the mean cross-entropy of all trained tokens of all its micro-batches.
  private func step(_ batches: [PackedBatch]) throws -> StepResult {
    trainee.gradients.reset()
    let targets = batches.reduce(0) { $0 + $1.targetCount }
    var sum = 0.0
    for (index, batch) in batches.enumerated() {
      let seed = configuration.seed &+ UInt64(progress.step) &* 0x9e37_79b9 &+ UInt64(index)
      let targetBatch = batch.targetBatch
      let scores = try trainee.pass.differentiate(
        targetBatch, coefficients: targetBatch.targets.map { _ in 1 / Float(targets) },
        seed: seed, adding: trainee.gradients)
      sum += progress.window.add(scores, tokens: batch.tokenCount)
    }
    progress.tokenCount += batches.reduce(0) { $0 + $1.tokenCount }
    guard sum.isFinite else { throw diverged("The loss", batches) }
    let rate = schedule.rate(step: progress.step)
    let norm = try optimizer.step(
      learningRate: rate,
      maxNorm: configuration.maxGradientNorm > 0 ? Float(configuration.maxGradientNorm) : nil)
    guard norm.isFinite else { throw diverged("The gradient", batches) }
    average?.update()
    return StepResult(gradientNorm: norm, learningRate: rate)
  }

  private func diverged(_ what: String, _ batches: [PackedBatch]) -> TrainingError {
    let rows = batches.flatMap(\.examples).map { "line \($0.line) of '\($0.source)'" }
    let named = rows.prefix(4).joined(separator: ", ") + (rows.count > 4 ? " and others" : "")
    let last = directory.steps.last.map {
      "The checkpoint '\(directory.checkpoint($0))' is unharmed. "
    }
    return TrainingError(
      .diverged,
      "\(what) of step \(progress.step + 1) is not a finite number; it saw \(named). "
        + "\(last ?? "")Look at those rows, or lower learning_rate.")
  }

  /// The epochs done, with fractions.
  var epoch: Double {
    Double(progress.step * configuration.accumulationSteps) / Double(sampler.batchesPerEpoch)
  }

  private func takeMetrics(_ result: StepResult, seconds: Double) -> StepMetrics {
    let window = progress.window
    progress.window = RunProgress.Window()
    let count = Double(max(1, window.targetCount))
    return StepMetrics(
      step: progress.step, epoch: epoch, loss: -window.logProbability / count,
      gradientNorm: result.gradientNorm, learningRate: Double(result.learningRate),
      tokenCount: progress.tokenCount, tokenAccuracy: Double(window.topCount) / count,
      entropy: window.entropy / count, tokensPerSecond: Double(window.tokenCount) / seconds,
      peakMemoryByteCount: PeakMemory.byteCount)
  }
}

extension RunProgress.Window {
  /// Adds the scores of a micro-batch; the result is their sum.
  mutating func add(_ scores: [TargetScore], tokens: Int) -> Double {
    var sum = 0.0
    for score in scores {
      sum += Double(score.logProbability)
      entropy += Double(score.entropy)
      topCount += score.isTop ? 1 : 0
    }
    logProbability += sum
    targetCount += scores.count
    tokenCount += tokens
    return sum
  }
}

extension Int {
  /// The least number of groups of `size` that hold so many.
  func dividedUp(by size: Int) -> Int { (self + size - 1) / size }
}

/// Seconds since the last lap.
private struct Stopwatch {
  private var begin = ContinuousClock.now

  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { begin = now }
    return max(1e-9, (now - begin) / .seconds(1))
  }
}
