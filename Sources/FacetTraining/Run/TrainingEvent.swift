// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What happens in a run, as it happens.
public enum TrainingEvent: Sendable {
  /// All is read and made; the first step follows.
  case started(TrainingPlan)
  /// Some steps are done.
  case step(StepMetrics)
  /// The validation data were looked at.
  case evaluated(EvaluationMetrics)
  /// A checkpoint is complete.
  case saved(path: String)
  /// The result is written.
  case finished(TrainingResult)
}

/// What a run is going to do.
public struct TrainingPlan: Sendable, Codable, Hashable {
  /// What was read of the data.
  public var data: DatasetStatistics
  /// Examples to train on.
  public var examples: Int
  /// Examples to evaluate on.
  public var validationExamples: Int
  /// Tokens of an epoch.
  public var tokens: Int
  /// Those of them that carry loss.
  public var targetTokens: Int
  /// Micro-batches of an epoch.
  public var batchesPerEpoch: Int
  /// Steps of the run.
  public var steps: Int
  /// The step that the run goes on after; 0 for a new one.
  public var firstStep: Int
  /// Numbers that change.
  public var trainedCount: Int
  /// Numbers of the model.
  public var weightCount: Int
  /// Bytes that the run will hold at most, estimated.
  public var memory: TrainingMemory
}

/// What a run left behind.
public struct TrainingResult: Sendable, Codable, Hashable {
  /// Where the adapter (a directory) or the model (a GGUF file) is.
  public var path: String
  /// Steps of the whole run.
  public var steps: Int
  /// The mean loss of the last logged steps.
  public var loss: Double?
  /// The lowest evaluation loss.
  public var bestLoss: Double?
  /// The checkpoint that had it.
  public var bestCheckpoint: String?
}

/// Bytes of a run, by what they are for.
public struct TrainingMemory: Sendable, Codable, Hashable {
  /// The weights, in the file or in memory of their own.
  public var weights: Int
  /// What changes, if that is not the weights, and its gradients.
  public var gradients: Int
  /// The optimiser's moments.
  public var optimizer: Int
  /// Activations and logits of a micro-batch.
  public var activations: Int

  /// All of it.
  public var total: Int { weights + gradients + optimizer + activations }
}
