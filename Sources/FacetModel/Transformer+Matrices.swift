// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

// The matrices of a layer with what adapters add to them: y = W x + Σ scale · B (A x).
extension Transformer {
  /// outputs[i] [T, out] = input [T, in] through the matrices `roles` of a layer and their adapters.
  func linear(
    _ input: Tensor, _ roles: [TensorRole], of layer: Int, as role: MatrixRole,
    into outputs: [Tensor], _ pass: Pass, _ record: LayerRecord?
  ) throws {
    backend.linear(
      input, roles.map { weights.layers[layer].matrix($0) }, as: role, into: outputs)
    guard !pass.adapted.isEmpty else { return }
    for (role, output) in zip(roles, outputs) {
      let name = TensorName(role, layer: layer)
      try adapt(output, of: input, name, pass.adapted, pass, record)
    }
  }

  /// logits [R, V] = normed [R, D] through the head and its adapters; `rows` of the batch, ascending
  /// where its sequences have different adapters.
  func head(
    _ normed: Tensor, rows: [Int], into logits: Tensor, _ pass: Pass, _ record: LayerRecord? = nil
  ) throws {
    backend.linear(normed, [weights.head], as: .head, into: [logits])
    let parts = pass.adapted.compactMap { part -> AdaptedRows? in
      let places = rows.indices.filter { part.rows.contains(rows[$0]) }
      guard let first = places.first, let last = places.last else { return nil }
      precondition(places.count == last - first + 1, "rows of adapted sequences out of order")
      return AdaptedRows(rows: first..<last + 1, adapters: part.adapters)
    }
    guard !parts.isEmpty else { return }
    try adapt(logits, of: normed, TensorName(.head), parts, pass, record)
  }

  /// hidden [T, F] = activation(gate · input) ⊙ (up · input): fused unless somebody looks between.
  func gatedLinear(
    _ input: Tensor, of layer: Int, into hidden: Tensor, _ pass: Pass, _ record: LayerRecord?
  ) throws {
    let matrices = weights.layers[layer]
    if pass.adapted.isEmpty, record == nil {
      return backend.gatedLinear(
        input, gate: matrices.gate, up: matrices.up, activation: configuration.activation,
        into: hidden)
    }
    let gate = try pass.tensor(configuration.feedForwardWidth)
    let up = try pass.tensor(configuration.feedForwardWidth)
    try linear(
      input, [.gate, .up], of: layer, as: .feedForward, into: [gate, up], pass, record)
    training.gate(gate, up, activation: configuration.activation, into: hidden)
    record?[.gate] = gate
    record?[.up] = up
  }

  /// output += what the adapters of its rows make of `input`; and their magnitudes scale the sum.
  private func adapt(
    _ output: Tensor, of input: Tensor, _ name: TensorName, _ parts: [AdaptedRows], _ pass: Pass,
    _ record: LayerRecord?
  ) throws {
    let mark = pass.workspace.mark
    var keepsUnscaled = false
    for part in parts {
      for adapter in part.adapters {
        guard let module = adapter.modules[name] else { continue }
        let rows = output.rows(part.rows)
        let low = try lowRank(module, of: input.rows(part.rows), name, pass)
        let change = try pass.tensor(rows: rows.rows, rows.columns)
        backend.linear(low, [module.b], as: .attention, into: [change])
        training.add(change, scale: module.scale * adapter.strength, to: rows)
        guard let magnitude = module.magnitude else { continue }
        try keep(output, at: .unscaled(name), pass, record)
        keepsUnscaled = record != nil
        let factors = try magnitudeFactors(magnitude, module, adapter.strength, name, pass)
        training.scaleColumns(rows, by: factors, into: rows)
      }
    }
    if !keepsUnscaled { pass.workspace.release(to: mark) }
  }

  /// A x [T, r], from which dropout takes its share of x while an adapter is trained.
  func lowRank(
    _ module: AdapterMatrices, of input: Tensor, _ name: TensorName, _ pass: Pass
  ) throws -> Tensor {
    let low = try pass.tensor(rows: input.rows, module.rank)
    backend.linear(try pass.dropped(input, name, training), [module.a], as: .attention, into: [low])
    return low
  }

  /// m / ‖W + scale · B A‖, row by row of the matrix [1, out] (Liu 2024, DoRA).
  func magnitudeFactors(
    _ magnitude: Tensor, _ module: AdapterMatrices, _ strength: Float, _ name: TensorName,
    _ pass: Pass
  ) throws -> Tensor {
    let norms = try rowNorms(module, strength, name, pass)
    let factors = try pass.tensor(rows: 1, norms.columns)
    factors.write(zip(magnitude.floats(), norms.floats()).map { $0 / $1 })
    return factors
  }

  /// ‖W + scale · B A‖, row by row of the matrix [1, out].
  func rowNorms(
    _ module: AdapterMatrices, _ strength: Float, _ name: TensorName, _ pass: Pass
  ) throws -> Tensor {
    let norms = try pass.tensor(rows: 1, module.rows)
    training.rowNorms(
      of: matrix(name), a: module.a, b: module.b, scale: module.scale * strength, into: norms)
    return norms
  }

  /// Keeps the values of a tensor that the pass goes on to change.
  func keep(
    _ tensor: Tensor, at place: LayerRecord.Place, _ pass: Pass, _ record: LayerRecord?
  ) throws {
    guard let record else { return }
    let copy = try pass.tensor(rows: tensor.rows, tensor.columns)
    training.copy(tensor, to: copy)
    record[place] = copy
  }

  /// The backend's operations for training and adapters; every backend that computes has them.
  var training: any TrainingBackend {
    guard let training = backend as? any TrainingBackend else {
      preconditionFailure("adapters on a backend that only observes")
    }
    return training
  }

  /// The matrix that `name` means.
  func matrix(_ name: TensorName) -> Tensor {
    switch name.role {
    case .embedding: weights.embedding
    case .head: weights.head
    default: weights.layers[name.layer ?? 0].matrix(name.role)
    }
  }
}

extension LayerWeights {
  /// The matrix that `role` means.
  func matrix(_ role: TensorRole) -> Tensor {
    switch role {
    case .query: query
    case .key: key
    case .value: value
    case .attentionOutput: attentionOutput
    case .gate: gate
    case .up: up
    case .down: down
    default: preconditionFailure("\(role) is no matrix of a layer")
    }
  }
}

/// Rows of a batch, and the adapters that their sequences have.
struct AdaptedRows {
  var rows: Range<Int>
  var adapters: [Adapter]

  /// The parts of `batch` that have adapters; neighbours with the same ones are one part.
  static func of(_ batch: Batch) -> [AdaptedRows] {
    var parts: [AdaptedRows] = []
    var begin = 0
    for sequence in batch.sequences {
      let rows = begin..<begin + sequence.count
      begin = rows.upperBound
      guard !sequence.adapters.isEmpty else { continue }
      if let last = parts.last, last.rows.upperBound == rows.lowerBound,
        last.adapters.elementsEqual(sequence.adapters, by: { $0.isSame(as: $1) })
      {
        parts[parts.count - 1].rows = last.rows.lowerBound..<rows.upperBound
      } else {
        parts.append(AdaptedRows(rows: rows, adapters: sequence.adapters))
      }
    }
    return parts
  }
}

extension Adapter {
  /// Whether two adapters are one: the same factors in the same memory, as strong.
  func isSame(as other: Adapter) -> Bool {
    strength == other.strength && modules.count == other.modules.count
      && modules.allSatisfy { name, module in
        guard let twin = other.modules[name] else { return false }
        return twin.a.storage === module.a.storage && twin.a.byteOffset == module.a.byteOffset
      }
  }
}
