// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What one step of AdamW needs beside its tensors (Loshchilov & Hutter 2019, algorithm 2).
package struct AdamWStep: Sendable, Hashable {
  /// Learning rate of this step.
  package var learningRate: Float
  /// β₁ and β₂: how much of the moments stays.
  package var firstDecay: Float
  package var secondDecay: Float
  /// Added to the root of the second moment.
  package var epsilon: Float
  /// Decoupled: parameters shrink by learning rate · decay.
  package var weightDecay: Float
  /// Steps including this one, from 1.
  package var number: Int
  /// Multiplies the gradient first: clipping, or the mean over what was summed.
  package var gradientScale: Float

  package init(
    learningRate: Float, firstDecay: Float = 0.9, secondDecay: Float = 0.999,
    epsilon: Float = 1e-8, weightDecay: Float = 0, number: Int, gradientScale: Float = 1
  ) {
    self.learningRate = learningRate
    self.firstDecay = firstDecay
    self.secondDecay = secondDecay
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.number = number
    self.gradientScale = gradientScale
  }
}
