// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

/// What the way back of one pass shares.
struct WayBack {
  let pass: Pass
  /// Where gradients of what is trained gather.
  let gradients: Gradients
  /// The adapter that is trained or lies before what is; nil: none.
  let adapter: Adapter?
  /// The rows of each sequence.
  let sequences: [Range<Int>]
}

// The way back through one layer, branch by branch, in the opposite order of the forward pass.
// `dx` [T, D] comes as the gradient of the layer's output and becomes that of its input. In names, d is
// "the gradient of the loss with respect to".
extension Transformer {
  /// dx goes back through layer `index`.
  func backward(_ dx: Tensor, _ index: Int, _ record: LayerRecord, _ back: WayBack) throws {
    let mark = back.pass.workspace.mark
    try feedForwardBackward(dx, index, record, back)
    back.pass.workspace.release(to: mark)
    try attendBackward(dx, index, record, back)
    back.pass.workspace.release(to: mark)
  }

  /// x + postNorm( down( activation(gate(norm(x))) ⊙ up(norm(x)) ) ).
  private func feedForwardBackward(
    _ dx: Tensor, _ index: Int, _ record: LayerRecord, _ back: WayBack
  ) throws {
    let layer = weights.layers[index]
    let dBranch = try branchBackward(
      dx, record[.feedForwardBranch], layer.postFeedForwardNorm,
      TensorName(.postFeedForwardNorm, layer: index), back)

    let dHidden = try back.pass.tensor(configuration.feedForwardWidth)
    try linearBackward(
      [dBranch], [.down], of: index, input: record[.hidden], into: dHidden, record, back)

    let (dGate, dUp) = (record[.gate], record[.up])  // which become their own gradients
    training.gateBackward(dHidden, gate: dGate, up: dUp, activation: configuration.activation)

    let normed = record[.feedForwardNormed]
    let dNormed = try back.pass.tensor(configuration.width)
    try linearBackward(
      [dGate, dUp], [.gate, .up], of: index, input: normed, into: dNormed, record, back)
    normBackward(
      dNormed, record[.middle], layer.feedForwardNorm, TensorName(.feedForwardNorm, layer: index),
      addingTo: dx, back)
  }

  /// x + postNorm( output( attention( rotate(query(norm(x))), rotate(key(norm(x))), value(norm(x)) ) ) ).
  private func attendBackward(
    _ dx: Tensor, _ index: Int, _ record: LayerRecord, _ back: WayBack
  ) throws {
    let layer = weights.layers[index]
    let dBranch = try branchBackward(
      dx, record[.attentionBranch], layer.postAttentionNorm,
      TensorName(.postAttentionNorm, layer: index), back)

    let dMixed = try back.pass.tensor(configuration.queryWidth)
    try linearBackward(
      [dBranch], [.attentionOutput], of: index, input: record[.mixed], into: dMixed, record, back)

    let inputs = AttentionInputs(
      queries: record[.queries], keys: record[.keys], values: record[.values])
    let gradients = AttentionInputs(
      queries: try back.pass.tensor(configuration.queryWidth),
      keys: try back.pass.tensor(configuration.keyValueWidth),
      values: try back.pass.tensor(configuration.keyValueWidth))
    training.attentionBackward(
      AttentionPass(
        inputs: inputs, output: record[.mixed], outputGradient: dMixed, sequences: back.sequences),
      settings: attentionSettings(layer: index), into: gradients)
    rotateBackward(gradients.queries, .queryNorm, .rawQueries, index, record, back)
    rotateBackward(gradients.keys, .keyNorm, .rawKeys, index, record, back)

    let dNormed = try back.pass.tensor(configuration.width)
    try linearBackward(
      [gradients.queries, gradients.keys, gradients.values], [.query, .key, .value], of: index,
      input: record[.attentionNormed], into: dNormed, record, back)
    normBackward(
      dNormed, record[.input], layer.attentionNorm, TensorName(.attentionNorm, layer: index),
      addingTo: dx, back)
  }

  /// The gradient of what a branch gave, before its norm.
  ///
  /// `dx` itself where there is no norm: it is read, never written through this name.
  private func branchBackward(
    _ dx: Tensor, _ branch: Tensor, _ postNorm: Tensor?, _ name: TensorName, _ back: WayBack
  ) throws -> Tensor {
    guard let postNorm else { return dx }
    let dBranch = try back.pass.tensor(configuration.width)
    training.rmsNormBackward(
      dx, input: branch, weight: postNorm, epsilon: configuration.normEpsilon, adding: false,
      into: dBranch, weightGradient: back.gradients.gradient(name))
    return dBranch
  }

  private func normBackward(
    _ dNormed: Tensor, _ input: Tensor, _ weight: Tensor, _ name: TensorName,
    addingTo dx: Tensor, _ back: WayBack
  ) {
    training.rmsNormBackward(
      dNormed, input: input, weight: weight, epsilon: configuration.normEpsilon, adding: true,
      into: dx, weightGradient: back.gradients.gradient(name))
  }

  /// Queries or keys: from how they meet back to before their norm.
  private func rotateBackward(
    _ heads: Tensor, _ role: TensorRole, _ raw: LayerRecord.Place, _ index: Int,
    _ record: LayerRecord, _ back: WayBack
  ) {
    let layer = weights.layers[index]
    let norm = role == .queryNorm ? layer.queryNorm : layer.keyNorm
    let isLocal = configuration.window(layer: index) != nil
    let angles = isLocal ? back.pass.localAngles : back.pass.globalAngles
    training.rotateBackward(
      heads, input: norm == nil ? nil : record[raw], headWidth: configuration.headWidth,
      norm: norm, epsilon: configuration.normEpsilon, cosines: angles.cosines,
      sines: angles.sines, layout: configuration.rotaryLayout,
      normGradient: back.gradients.gradient(TensorName(role, layer: index)))
  }
}
