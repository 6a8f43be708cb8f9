// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

// Back through the matrices of a layer and what an adapter adds to them: y = m / ‖W'‖ ⊙ (W x + scale · B A x).
extension Transformer {
  /// dInput [T, in] = Σ douts[i] · W_i and the adapter's share; what is trained of the matrices `roles`
  /// (of the head where there is no layer) gets its gradient from `input` [T, in].
  ///
  /// The gradients of outputs that have magnitudes are scaled on the way.
  func linearBackward(
    _ douts: [Tensor], _ roles: [TensorRole], of layer: Int?, input: Tensor,
    into dInput: Tensor, _ record: LayerRecord, _ back: WayBack
  ) throws {
    let names = roles.map { TensorName($0, layer: layer) }
    var douts = douts
    for (index, name) in names.enumerated() {
      guard let module = back.adapter?.modules[name], let magnitude = module.magnitude
      else { continue }
      douts[index] = try magnitudeBackward(douts[index], magnitude, module, name, record, back)
    }
    training.linearBackward(douts, names.map(matrix), adding: false, into: dInput)
    for (dout, name) in zip(douts, names) {
      if let gradient = back.gradients.gradient(name) {
        training.weightGradient(dout, input, scale: 1, into: gradient)
      }
      if let module = back.adapter?.modules[name] {
        try adapterBackward(dout, module, name, input: input, addingTo: dInput, record, back)
      }
    }
  }

  /// dInput += scale · dout · B A; dB = doutᵀ low with low = scale · A x, dA = (scale · dout · B)ᵀ x.
  private func adapterBackward(
    _ dout: Tensor, _ module: AdapterMatrices, _ name: TensorName, input: Tensor,
    addingTo dInput: Tensor, _ record: LayerRecord, _ back: WayBack
  ) throws {
    let mark = back.pass.workspace.mark
    defer { back.pass.workspace.release(to: mark) }
    let scale = module.scale * (back.adapter?.strength ?? 1)
    let dLow = try back.pass.tensor(rows: dout.rows, module.rank)
    training.linearBackward([dout], [module.b], adding: false, into: dLow)
    training.scale(dLow, by: scale)
    if let gradient = back.gradients.gradient(name, .b) {
      training.weightGradient(dout, record[.low(name)], scale: 1, into: gradient)
    }
    if let gradient = back.gradients.gradient(name, .a) {
      let kept = try back.pass.dropped(input, name, training)
      training.weightGradient(dLow, kept, scale: 1, into: gradient)
    }

    guard let dropout = back.pass.dropout else {
      return training.linearBackward([dLow], [module.a], adding: true, into: dInput)
    }
    let dKept = try back.pass.tensor(rows: input.rows, input.columns)
    training.linearBackward([dLow], [module.a], adding: false, into: dKept)
    training.dropout(dKept, rate: dropout.rate, seed: dropout.seed(of: name), into: dKept)
    backend.add(dKept, to: dInput)
  }

  /// The gradient before the magnitudes scaled it; theirs is Σ_t dout ⊙ unscaled / ‖W'‖.
  ///
  /// The norms ‖W'‖ count as constants (Liu et al. 2024, section 4.3), as in PEFT.
  private func magnitudeBackward(
    _ dout: Tensor, _ magnitude: Tensor, _ module: AdapterMatrices, _ name: TensorName,
    _ record: LayerRecord, _ back: WayBack
  ) throws -> Tensor {
    let strength = back.adapter?.strength ?? 1
    if let gradient = back.gradients.gradient(name, .magnitude) {
      let sums = try Tensor.zeros(rows: 1, columns: dout.columns)
      training.addColumnProducts(dout, record[.unscaled(name)], to: sums)
      let norms = try back.pass.tensor(rows: 1, module.rows)
      rowNorms(module, strength, name, into: norms)
      sums.write(zip(sums.floats(), norms.floats()).map { $1 > 0 ? $0 / $1 : 0 })
      backend.add(sums, to: gradient)
    }
    let factors = try magnitudeFactors(magnitude, module, strength, name, back.pass)
    let unscaled = try back.pass.tensor(rows: dout.rows, dout.columns)
    training.scaleColumns(dout, by: factors, into: unscaled)
    return unscaled
  }
}
