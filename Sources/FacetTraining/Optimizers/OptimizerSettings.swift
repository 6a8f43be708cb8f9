// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Which rule turns gradients into steps.
public enum OptimizerKind: String, Sendable, Codable, CaseIterable {
  /// Adam with decoupled weight decay, as PyTorch has it.
  case adamw
  /// The same with moments of 8 bits.
  case adamw8bit
  /// PyTorch's Adafactor: a matrix's second moments as a row and a column.
  case adafactor
  /// Gradient descent with momentum, as PyTorch has it.
  case sgd
  /// The sign of a momentum (Chen et al. 2023).
  case lion
}

/// How an optimizer steps; every step brings its learning rate.
public struct OptimizerSettings: Sendable, Hashable, Codable {
  /// The rule.
  public var kind: OptimizerKind
  /// How much of the first moment stays at each step; for AdamW and Lion.
  public var beta1: Float
  /// How much of the second moment stays at each step; for Lion, of its only one.
  public var beta2: Float
  /// Added to AdamW's divisor.
  public var epsilon: Float
  /// Weight decay of what decays: decoupled, but for SGD, where it is part of the gradient.
  public var weightDecay: Float
  /// How much of SGD's momentum stays at each step.
  public var momentum: Float

  /// PyTorch's values for AdamW, without weight decay.
  public init(
    kind: OptimizerKind = .adamw, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8,
    weightDecay: Float = 0, momentum: Float = 0.9
  ) {
    self.kind = kind
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.momentum = momentum
  }

  /// Throws where a number is out of its range.
  func check() throws(TrainingError) {
    for (name, value) in [("beta1", beta1), ("beta2", beta2), ("momentum", momentum)]
    where !(value >= 0 && value < 1) {
      throw TrainingError(
        .invalidSetting,
        "The optimizer's \(name) is \(value). Choose a number from 0 to below 1.")
    }
    for (name, value) in [("epsilon", epsilon), ("weight decay", weightDecay)]
    where !(value >= 0 && value.isFinite) {
      throw TrainingError(
        .invalidSetting,
        "The optimizer's \(name) is \(value). Choose a number that is not negative.")
    }
  }
}
