// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor

/// What a rule needs at a step beside a parameter.
struct OptimizerStep {
  /// Learning rate of the step.
  var learningRate: Float
  /// Steps including this one, from 1.
  var number: Int
  /// Multiplies the gradients: clipping.
  var gradientScale: Float
  let backend: CPUBackend
}

/// A rule for one parameter, with what it remembers of it.
protocol OptimizerRule {
  /// What is remembered, by what it is called.
  var memory: [(name: String, tensor: Tensor)] { get }
  func update(_ parameter: Parameter, _ step: OptimizerStep)
}

/// AdamW with moments in f32.
struct AdamWRule: OptimizerRule {
  private let settings: OptimizerSettings
  private let first: Tensor
  private let second: Tensor

  init(_ settings: OptimizerSettings, _ parameter: Parameter) throws(TensorError) {
    self.settings = settings
    first = try .zeros(rows: parameter.value.rows, columns: parameter.value.columns)
    second = try .zeros(rows: parameter.value.rows, columns: parameter.value.columns)
  }

  var memory: [(name: String, tensor: Tensor)] { [("first", first), ("second", second)] }

  func update(_ parameter: Parameter, _ step: OptimizerStep) {
    step.backend.adamW(
      parameter.value, first: first, second: second, gradient: parameter.gradient,
      step: AdamWStep(settings, decays: parameter.decays, step))
  }
}

/// AdamW with moments in 8 bits, a factor for each block of 256.
struct AdamWBytesRule: OptimizerRule {
  private let settings: OptimizerSettings
  private let moments: MomentBytes

  init(_ settings: OptimizerSettings, _ parameter: Parameter) throws(TensorError) {
    self.settings = settings
    moments = try MomentBytes(count: parameter.value.count)
  }

  var memory: [(name: String, tensor: Tensor)] {
    [("first codes", moments.first), ("second codes", moments.second), ("units", moments.units)]
  }

  func update(_ parameter: Parameter, _ step: OptimizerStep) {
    step.backend.adamW(
      parameter.value, moments: moments, gradient: parameter.gradient,
      step: AdamWStep(settings, decays: parameter.decays, step))
  }
}

extension AdamWStep {
  init(_ settings: OptimizerSettings, decays: Bool, _ step: OptimizerStep) {
    self.init(
      learningRate: step.learningRate, firstDecay: settings.beta1, secondDecay: settings.beta2,
      epsilon: settings.epsilon, weightDecay: decays ? settings.weightDecay : 0,
      number: step.number, gradientScale: step.gradientScale)
  }
}
