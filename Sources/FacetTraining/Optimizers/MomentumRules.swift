// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor

/// Gradient descent with momentum, as PyTorch has it.
struct SGDRule: OptimizerRule {
  private let settings: OptimizerSettings
  private let momentum: Tensor

  init(_ settings: OptimizerSettings, _ parameter: Parameter) throws(TensorError) {
    self.settings = settings
    momentum = try .zeros(rows: parameter.value.rows, columns: parameter.value.columns)
  }

  var memory: [(name: String, tensor: Tensor)] { [("momentum", momentum)] }

  func update(_ parameter: Parameter, _ step: OptimizerStep) {
    step.backend.sgd(
      parameter.value, momentum: momentum, gradient: parameter.gradient,
      step: MomentumStep(
        learningRate: step.learningRate, firstDecay: settings.momentum,
        weightDecay: parameter.decays ? settings.weightDecay : 0,
        gradientScale: step.gradientScale))
  }
}

/// Lion: the sign of a momentum.
struct LionRule: OptimizerRule {
  private let settings: OptimizerSettings
  private let momentum: Tensor

  init(_ settings: OptimizerSettings, _ parameter: Parameter) throws(TensorError) {
    self.settings = settings
    momentum = try .zeros(rows: parameter.value.rows, columns: parameter.value.columns)
  }

  var memory: [(name: String, tensor: Tensor)] { [("momentum", momentum)] }

  func update(_ parameter: Parameter, _ step: OptimizerStep) {
    step.backend.lion(
      parameter.value, momentum: momentum, gradient: parameter.gradient,
      step: MomentumStep(
        learningRate: step.learningRate, firstDecay: settings.beta1,
        secondDecay: settings.beta2, weightDecay: parameter.decays ? settings.weightDecay : 0,
        gradientScale: step.gradientScale))
  }
}
