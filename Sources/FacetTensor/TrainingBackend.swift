// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The operations that training adds: the way back through those of ``Backend``, and what a recorded
/// pass does unfused.
///
/// Every gradient is f32 and has the shape of what it is the gradient of. A gradient of weights is
/// added to what is there, so that micro-batches sum up; a gradient of activations is added only
/// where `adding` says so. Letters as in ``Backend``; R rows that carry loss, r the rank of an adapter.
package protocol TrainingBackend: Backend {
  /// input [T, in] (+)= Σ_i outputs[i] [T, out_i] · weights[i] [out_i, in]: the way back through
  /// ``Backend/linear(_:_:as:into:)``.
  ///
  /// The weights may have any type; they are read, never written.
  func linearBackward(
    _ outputs: [Tensor], _ weights: [Tensor], adding: Bool, into input: Tensor)

  /// output [T, out] += input [T, r] · weightsᵀ: what an adapter adds, with f32 weights [out, r].
  func addLinear(_ input: Tensor, _ weights: Tensor, to output: Tensor)

  /// gradient [out, in] += scale · outputᵀ [out, T] · input [T, in].
  func weightGradient(_ output: Tensor, _ input: Tensor, scale: Float, into gradient: Tensor)

  /// Back through ``Backend/rmsNorm(_:weight:epsilon:into:)`` of `input` [T, D].
  ///
  /// `inputGradient` may be `output` unless it is added to. `weightGradient` [D], where wanted, is added
  /// to.
  func rmsNormBackward(
    _ output: Tensor, input: Tensor, weight: Tensor, epsilon: Float, adding: Bool,
    into inputGradient: Tensor, weightGradient: Tensor?)

  /// output [T, F] = activation(gate) ⊙ up; `output` may be either.
  func gate(_ gate: Tensor, _ up: Tensor, activation: Activation, into output: Tensor)

  /// Back through ``gate(_:_:activation:into:)``: `gate` and `up` become their own gradients.
  func gateBackward(_ output: Tensor, gate: Tensor, up: Tensor, activation: Activation)

  /// Back through ``Backend/rotate(_:headWidth:norm:epsilon:cosines:sines:layout:)``: `heads`
  /// [T, n·H] holds the gradient of the rotated heads and becomes that of `input`, the heads before
  /// their norm, which is needed only where there is one.
  func rotateBackward(
    _ heads: Tensor, input: Tensor?, headWidth: Int, norm: Tensor?, epsilon: Float,
    cosines: Tensor, sines: Tensor, layout: RotaryLayout, normGradient: Tensor?)

  /// Back through attention of whole sequences, which begin at position 0 and see nothing of one
  /// another.
  ///
  /// Dao 2023 (FlashAttention-2), algorithm 2: the probabilities are computed again from queries
  /// [T, N·H] and keys [T, K·H], both rotated; Σ_j P_ij dP_ij is output_i · outputGradient_i.
  func attentionBackward(_ pass: AttentionPass, settings: AttentionSettings, into: AttentionInputs)

  /// Scores of `targets` [R] under `logits` [R, V], soft-capped already where there is a cap.
  ///
  /// With `coefficients` [R] the logits become the gradient, before the cap, of −Σ coefficient ·
  /// log-probability; without, they stay.
  func scoreTargets(
    _ targets: [Int32], logits: Tensor, softCap: Float?, coefficients: [Float]?
  ) -> [TargetScore]

  /// gradient [V, D] += scale · output [T, D] in the rows of `tokens`.
  func embedBackward(_ tokens: [Int32], _ output: Tensor, scale: Float, into gradient: Tensor)

  /// x += scale · y.
  func add(_ y: Tensor, scale: Float, to x: Tensor)

  /// x = factor · x.
  func scale(_ x: Tensor, by factor: Float)

  /// output = input.
  func copy(_ input: Tensor, to output: Tensor)

  /// output = input with elements set to zero at `rate`, the others divided by 1 - rate; which ones
  /// follows from `seed` and an element's place alone, so that the way back is the same call.
  func dropout(_ input: Tensor, rate: Float, seed: UInt64, into output: Tensor)

  /// output [T, n] = input with column j multiplied by `factors` [n]; `output` may be `input`.
  func scaleColumns(_ input: Tensor, by factors: Tensor, into output: Tensor)

  /// sums [n] += Σ_t x[t, j] · y[t, j].
  func addColumnProducts(_ x: Tensor, _ y: Tensor, to sums: Tensor)

  /// norms [out] = the length of each row of weights [out, in] + scale · b [out, r] · a [r, in].
  func rowNorms(of weights: Tensor, a: Tensor, b: Tensor, scale: Float, into norms: Tensor)
}

/// What attention read and gave, for the way back: rows of one batch [T, ·].
package struct AttentionPass {
  /// Queries [T, N·H], keys and values [T, K·H].
  package var inputs: AttentionInputs
  /// What attention gave [T, N·H].
  package var output: Tensor
  /// The gradient of it.
  package var outputGradient: Tensor
  /// The rows of each sequence.
  package var sequences: [Range<Int>]

  package init(
    inputs: AttentionInputs, output: Tensor, outputGradient: Tensor, sequences: [Range<Int>]
  ) {
    self.inputs = inputs
    self.output = output
    self.outputGradient = outputGradient
    self.sequences = sequences
  }
}

/// Queries [T, N·H], keys and values [T, K·H] of a batch, or their gradients.
package struct AttentionInputs {
  package var queries: Tensor
  package var keys: Tensor
  package var values: Tensor

  package init(queries: Tensor, keys: Tensor, values: Tensor) {
    self.queries = queries
    self.keys = keys
    self.values = values
  }
}

/// How likely a model held a token that was to come.
public struct TargetScore: Sendable, Hashable {
  /// Natural logarithm of its probability.
  public var logProbability: Float
  /// Whether no token was likelier.
  public var isTop: Bool
  /// Entropy of the distribution it was drawn from, in nats.
  public var entropy: Float

  package init(logProbability: Float, isTop: Bool, entropy: Float) {
    self.logProbability = logProbability
    self.isTop = isTop
    self.entropy = entropy
  }
}
