// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import CFacetKernels

/// What one step of a rule with one moment needs beside its tensors.
package struct MomentumStep: Sendable, Hashable {
  package var learningRate: Float
  /// How much of the moment stays; for Lion, its share in the step.
  package var firstDecay: Float
  /// How much of Lion's moment stays.
  package var secondDecay: Float
  package var weightDecay: Float
  /// Multiplies the gradient first.
  package var gradientScale: Float

  package init(
    learningRate: Float, firstDecay: Float, secondDecay: Float = 0, weightDecay: Float = 0,
    gradientScale: Float = 1
  ) {
    self.learningRate = learningRate
    self.firstDecay = firstDecay
    self.secondDecay = secondDecay
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
  }

  fileprivate var constants: fk_momentum {
    fk_momentum(
      first_decay: firstDecay, second_decay: secondDecay, learning_rate: learningRate,
      weight_decay: weightDecay, gradient_scale: gradientScale)
  }
}

extension CPUBackend {
  /// One step of gradient descent with momentum, as PyTorch's SGD, whose decay is part of the gradient.
  package func sgd(
    _ parameters: Tensor, momentum: Tensor, gradient: Tensor, step: MomentumStep
  ) {
    Self.check(parameters, momentum, gradient)
    unsafe overGradient(gradient) { numbers, _, gradient in
      var constants = step.constants
      let at = numbers.lowerBound
      unsafe kernels.pointee.sgd(
        &constants, parameters.floatPointer + at, momentum.floatPointer + at,
        gradient, Int64(numbers.count))
    }
  }

  /// One step of Lion, with decoupled decay.
  ///
  /// Chen et al. 2023, algorithm 2.
  package func lion(
    _ parameters: Tensor, momentum: Tensor, gradient: Tensor, step: MomentumStep
  ) {
    Self.check(parameters, momentum, gradient)
    unsafe overGradient(gradient) { numbers, _, gradient in
      var constants = step.constants
      let at = numbers.lowerBound
      unsafe kernels.pointee.lion(
        &constants, parameters.floatPointer + at, momentum.floatPointer + at,
        gradient, Int64(numbers.count))
    }
  }

  private static func check(_ parameters: Tensor, _ momentum: Tensor, _ gradient: Tensor) {
    precondition(
      momentum.count == parameters.count && gradient.count == parameters.count,
      "\(parameters.count) parameters, \(momentum.count) of momentum, \(gradient.count) of gradient"
    )
  }
}
