// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// Everything that decides how a model is tuned; a run with the same one gives the same bits.
///
/// Keys in files are those of TRL's `SFTConfig` and PEFT's `LoraConfig`; ``SettingKey`` has them all, with the
/// names that mlx_lm and others use for the same.
public struct TrainingConfiguration: Sendable, Hashable {
  /// What is trained.
  public enum Method: String, Sendable, CaseIterable {
    /// Low-rank adapters beside frozen matrices.
    case lora
    /// The same beside quantised matrices, which stay as they are.
    case qlora
    /// All weights.
    case full
  }

  /// When something that comes again and again is done.
  public enum Interval: String, Sendable, CaseIterable {
    case no, steps, epoch
  }

  /// How the learning rate goes after the warm-up.
  public enum Schedule: String, Sendable, CaseIterable {
    case constant, linear, cosine
  }

  /// Who turns gradients into steps.
  public enum OptimizerKind: String, Sendable, CaseIterable {
    case adamW = "adamw_torch"
    case adamW8Bit = "adamw_8bit"
    case adafactor
    case sgd
    case lion
  }

  /// What becomes of rows longer than ``TrainingConfiguration/maxLength``.
  public enum Overlong: String, Sendable, CaseIterable {
    case drop, truncate, error
  }

  // What is tuned, on what.
  /// What is trained.
  public var method = Method.lora
  /// The model, as the command names it.
  public var model: String?
  /// Files of rows.
  public var data: [String] = []
  /// Files of rows to evaluate on.
  public var validation: [String] = []
  /// The share of the rows that is held out where there are no files for it.
  public var validationSplit = 0.0
  /// Where everything goes.
  public var outputDirectory = "tuned"

  // Rows.
  /// The most tokens of a row.
  public var maxLength = 1024
  /// What becomes of longer rows.
  public var overlong = Overlong.drop
  /// Whether rows that cannot be read are left out, rather than an error.
  public var skipInvalid = false
  /// Whether only what the assistant says carries loss.
  public var assistantOnlyLoss = true
  /// Whether several rows share one sequence of at most ``maxLength`` tokens.
  public var packing = false
  /// The field of plain text.
  public var textField = "text"
  /// The format that conversations get, where the model itself has none; nil: the model's own.
  public var chatFormat: ChatFormat?

  // How far and how fast.
  /// Steps of the optimiser; nil: what the epochs come to.
  public var maxSteps: Int?
  /// Times that all rows are seen, where ``maxSteps`` does not say otherwise.
  public var epochs = 3.0
  /// Rows of a micro-batch.
  public var batchSize = 4
  /// Rows of a micro-batch of the evaluation.
  public var evaluationBatchSize = 4
  /// Micro-batches of a step.
  public var accumulationSteps = 1
  /// The highest learning rate; nil: what suits method and optimiser.
  public var learningRate: Double?
  /// How it falls.
  public var schedule = Schedule.cosine
  /// Steps of the warm-up; nil: ``warmupRatio`` says.
  public var warmupSteps: Int?
  /// The share of all steps that is warm-up.
  public var warmupRatio = 0.03

  // The optimiser.
  /// Who makes the steps.
  public var optimizer = OptimizerKind.adamW
  /// What weights shrink by each step, times the learning rate.
  public var weightDecay = 0.0
  /// How much of the first moment is kept.
  public var beta1 = 0.9
  /// How much of the second moment is kept; nil: what suits the optimiser.
  public var beta2: Double?
  /// What the root of the second moment is raised by.
  public var epsilon = 1e-8
  /// How much of the last direction SGD keeps.
  public var momentum = 0.9
  /// The longest gradient; 0: any.
  public var maxGradientNorm = 1.0
  /// How much of a running mean of what is trained is kept each step; nil: no mean is kept.
  ///
  /// Evaluations and the result are then those of the mean.
  public var averageDecay: Double?

  // The adapter.
  /// Its rank.
  public var loraRank = 16
  /// Its alpha: what it adds is scaled by alpha over rank.
  public var loraAlpha = 32.0
  /// The share of its inputs left out while training.
  public var loraDropout = 0.0
  /// The modules that get one, by their names in PEFT.
  public var targetModules = ["all-linear"]
  /// Whether the scale is over the root of the rank.
  public var usesRSLoRA = false
  /// Whether rows keep lengths of their own.
  public var usesDoRA = false
  /// Other ranks for some modules.
  public var rankPattern: [String: Int] = [:]
  /// Other alphas for some modules.
  public var alphaPattern: [String: Double] = [:]
  /// The layers that get one; empty: all.
  public var layersToTransform: [Int] = []
  /// The last so many layers get one; nil: all.
  public var lastLayers: Int?

  // Looking and keeping.
  /// Steps between two lines of metrics.
  public var loggingSteps = 1
  /// When the model is evaluated.
  public var evaluationStrategy = Interval.epoch
  /// Steps between two evaluations.
  public var evaluationSteps: Int?
  /// When a checkpoint is written.
  public var saveStrategy = Interval.epoch
  /// Steps between two checkpoints.
  public var saveSteps: Int?
  /// How many checkpoints are kept, besides the best; nil: all.
  public var saveTotalLimit: Int? = 2
  /// Whether the result is the checkpoint with the least evaluation loss.
  public var loadsBestModel = false
  /// What all chance follows from.
  public var seed: UInt64 = 42

  /// The defaults.
  public init() {}
}

extension TrainingConfiguration {
  /// The learning rate, chosen where it was not given.
  ///
  /// 2e-5 for all weights is TRL's default. An adapter begins at zero and moves the weights by a
  /// product of two small matrices: ten times that rate is best over ranks, models and data (Schulman et
  /// al. 2025, LoRA Without Regret). Lion's steps have the length of their sign alone: a tenth (Chen et
  /// al. 2023). SGD's have no normalisation at all, and Adafactor's are relative to the weights.
  public var effectiveLearningRate: Double {
    if let learningRate { return learningRate }
    let base = method == .full ? 2e-5 : 2e-4
    switch optimizer {
    case .adamW, .adamW8Bit: return base
    case .lion: return base / 10
    case .adafactor, .sgd: return base * 50
    }
  }

  /// The second moment's decay, chosen where it was not given.
  public var effectiveBeta2: Double { beta2 ?? (optimizer == .lion ? 0.99 : 0.999) }

  /// The same with every choice made that the settings leave to Facet.
  public func resolved() -> TrainingConfiguration {
    var result = self
    result.learningRate = effectiveLearningRate
    result.beta2 = effectiveBeta2
    if evaluationSteps != nil, evaluationStrategy == .epoch { result.evaluationStrategy = .steps }
    if saveSteps != nil, saveStrategy == .epoch { result.saveStrategy = .steps }
    if result.evaluationStrategy == .steps { result.evaluationSteps = evaluationSteps ?? 100 }
    if result.saveStrategy == .steps { result.saveSteps = saveSteps ?? 100 }
    return result
  }

  /// Refuses settings that contradict one another.
  public func validate() throws(TrainingError) {
    if loadsBestModel, validation.isEmpty, validationSplit == 0 {
      throw TrainingError(
        .invalidSetting,
        "load_best_model_at_end needs an evaluation; give validation files or a validation_split.")
    }
    if loadsBestModel, evaluationStrategy == .no || saveStrategy == .no {
      throw TrainingError(
        .invalidSetting,
        "load_best_model_at_end needs evaluations and checkpoints; eval_strategy and save_strategy "
          + "must not be no.")
    }
    if lastLayers != nil, !layersToTransform.isEmpty {
      throw TrainingError(
        .invalidSetting, "num_layers and layers_to_transform both choose layers; give one of them.")
    }
  }
}
