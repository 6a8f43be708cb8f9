// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a run tells of some steps of training; the names in files are TRL's.
public struct StepMetrics: Sendable, Codable, Hashable {
  /// Optimiser steps so far.
  public var step: Int
  /// Passes over the data so far, with fractions.
  public var epoch: Double
  /// Mean cross-entropy of the trained tokens since the last entry, in nats.
  public var loss: Double
  /// Length of the gradient of the last step, before clipping.
  public var gradientNorm: Double
  /// Of the last step.
  public var learningRate: Double
  /// Tokens seen so far, trained or not.
  public var tokenCount: Int
  /// The share of trained tokens that the model held likeliest.
  public var tokenAccuracy: Double
  /// Mean entropy of the distributions at trained tokens, in nats.
  public var entropy: Double
  /// Tokens seen in a second since the last entry.
  public var tokensPerSecond: Double
  /// The most memory that the process held, in bytes; nil where the system does not tell.
  public var peakMemoryByteCount: Int?

  enum CodingKeys: String, CodingKey {
    case step, epoch, loss, entropy
    case gradientNorm = "grad_norm"
    case learningRate = "learning_rate"
    case tokenCount = "num_tokens"
    case tokenAccuracy = "mean_token_accuracy"
    case tokensPerSecond = "tokens_per_second"
    case peakMemoryByteCount = "peak_memory"
  }
}

/// What a run tells of its validation data.
public struct EvaluationMetrics: Sendable, Codable, Hashable {
  /// Optimiser steps so far.
  public var step: Int
  /// Passes over the data so far, with fractions.
  public var epoch: Double
  /// Mean cross-entropy of the trained tokens, in nats.
  public var loss: Double
  /// e to the loss.
  public var perplexity: Double
  /// The share of trained tokens that the model held likeliest.
  public var tokenAccuracy: Double
  /// Seconds that it took.
  public var seconds: Double

  enum CodingKeys: String, CodingKey {
    case step, epoch
    case loss = "eval_loss"
    case perplexity = "eval_perplexity"
    case tokenAccuracy = "eval_mean_token_accuracy"
    case seconds = "eval_runtime"
  }
}

/// One entry of a run's history.
public enum HistoryEntry: Sendable, Hashable {
  case step(StepMetrics)
  case evaluation(EvaluationMetrics)
}
