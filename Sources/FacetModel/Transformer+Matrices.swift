// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

// The matrices of a layer with what adapters add to them: y = W x + Σ scale · B (A x).
extension Transformer {
  /// outputs[i] [T, out] = input [T, in] through the matrices `roles` of a layer and their adapters,
  /// unless the record has these products.
  func linear(
    _ input: Tensor, _ roles: [TensorRole], of layer: Int, as role: MatrixRole,
    into outputs: [Tensor], _ pass: Pass, _ record: LayerRecord?
  ) throws {
    let names = roles.map { TensorName($0, layer: layer) }
    try multiply(input, names, as: role, into: outputs, pass.adapted, pass, record)
  }

  /// logits [R, V] = normed [R, D] through the head and its adapters; `rows` of the pass, ascending
  /// where its sequences have different adapters.
  func head<Rows: RandomAccessCollection>(
    _ normed: Tensor, rows: Rows, into logits: Tensor, _ pass: Pass, _ record: LayerRecord? = nil
  ) throws where Rows.Element == Int, Rows.Index == Int {
    let parts = AdaptedRows.of(pass.adapted, in: rows)
    try multiply(normed, [TensorName(.head)], as: .head, into: [logits], parts, pass, record)
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
    let gate = try pass.product(.gate, configuration.feedForwardWidth, record)
    let up = try pass.product(.up, configuration.feedForwardWidth, record)
    try linear(
      input, [.gate, .up], of: layer, as: .feedForward, into: [gate, up], pass, record)
    training.gate(gate, up, activation: configuration.activation, into: hidden)
  }

  /// outputs[i] [T, out] = input [T, in] through the matrices `names` and the adapters of its rows: y = W x,
  /// then y += B · low with low = scale · A x, whose A meet the input together with W.
  private func multiply(
    _ input: Tensor, _ names: [TensorName], as role: MatrixRole, into outputs: [Tensor],
    _ adapted: [AdaptedRows], _ pass: Pass, _ record: LayerRecord?
  ) throws {
    let changes = try changes(names, outputs, adapted, pass, record)
    if record?.hasProducts == true { return }
    if changes.isEmpty {
      return backend.linear(input, names.map(matrix), as: role, into: outputs)
    }
    let whole = changes.filter { $0.rows.count == input.rows && pass.dropout == nil }
    backend.linear(
      input, names.map(matrix) + whole.map(\.module.a), as: role, into: outputs + whole.map(\.low))
    for change in changes {
      let mark = pass.workspace.mark
      if change.rows.count != input.rows || pass.dropout != nil {
        let kept = try pass.dropped(input.rows(change.rows), names[change.index], training)
        backend.linear(kept, [change.module.a], as: .attention, into: [change.low])
      }
      training.scale(change.low, by: change.scale)
      let rows = outputs[change.index].rows(change.rows)
      training.addLinear(change.low, change.module.b, to: rows)
      if let magnitude = change.module.magnitude {
        if let unscaled = change.unscaled { training.copy(outputs[change.index], to: unscaled) }
        let factors =
          try change.factors
          ?? magnitudeFactors(
            magnitude, change.module, change.strength, names[change.index], pass)
        training.scaleColumns(rows, by: factors, into: rows)
      }
      pass.workspace.release(to: mark)
    }
  }

  /// What adapters change of some matrices, with the memory for it.
  private func changes(
    _ names: [TensorName], _ outputs: [Tensor], _ adapted: [AdaptedRows], _ pass: Pass,
    _ record: LayerRecord?
  ) throws -> [AdapterChange] {
    var changes: [AdapterChange] = []
    for (index, name) in names.enumerated() {
      for part in adapted {
        for adapter in part.adapters {
          guard let module = adapter.modules[name] else { continue }
          let (output, count) = (outputs[index], part.rows.count)
          let low = try record?.product(.low(name), rows: count, module.rank, pass)
          let unscaled =
            module.magnitude == nil
            ? nil
            : try record?.product(.unscaled(name), rows: output.rows, output.columns, pass)
          changes.append(
            AdapterChange(
              index: index, rows: part.rows, module: module, strength: adapter.strength,
              low: try low ?? pass.tensor(rows: count, module.rank), unscaled: unscaled,
              factors: adapter.factors[name]))
        }
      }
    }
    return changes
  }

  /// m / ‖W + scale · B A‖, row by row of the matrix [1, out] (Liu 2024, DoRA).
  func magnitudeFactors(
    _ magnitude: Tensor, _ module: AdapterMatrices, _ strength: Float, _ name: TensorName,
    _ pass: Pass
  ) throws -> Tensor {
    let factors = try pass.tensor(rows: 1, module.rows)
    writeMagnitudeFactors(magnitude, module, strength, name, into: factors)
    return factors
  }

  /// The same into `factors`; a row of zeros stays one.
  func writeMagnitudeFactors(
    _ magnitude: Tensor, _ module: AdapterMatrices, _ strength: Float, _ name: TensorName,
    into factors: Tensor
  ) {
    rowNorms(module, strength, name, into: factors)
    factors.write(
      zip(magnitude.floats(), factors.floats()).map { $1 > 0 ? $0 / $1 : 0 })
  }

  /// ‖W + scale · B A‖, row by row of the matrix [1, out].
  func rowNorms(
    _ module: AdapterMatrices, _ strength: Float, _ name: TensorName, into norms: Tensor
  ) {
    training.rowNorms(
      of: matrix(name), a: module.a, b: module.b, scale: module.scale * strength, into: norms)
  }

  /// Keeps the residual stream [T, D] between the branches, which the pass goes on to change.
  func keepMiddle(_ x: Tensor, _ pass: Pass, _ record: LayerRecord?) throws {
    guard let record, !record.isBrief else { return }
    let copy = try pass.tensor(x.columns)
    training.copy(x, to: copy)
    record[.middle] = copy
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

/// What one adapter changes of the output of one matrix.
private struct AdapterChange {
  /// Which of the outputs.
  var index: Int
  /// Its rows.
  var rows: Range<Int>
  var module: AdapterMatrices
  var strength: Float
  /// scale · A x [T, r].
  var low: Tensor
  /// Where the output is kept before magnitudes scale it; nil: nowhere.
  var unscaled: Tensor?
  /// What magnitudes make of its columns, if that is known.
  var factors: Tensor?

  var scale: Float { module.scale * strength }
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

  /// What `parts` are among `rows` alone, which keep the rows of each together.
  static func of<Rows: RandomAccessCollection>(
    _ parts: [AdaptedRows], in rows: Rows
  ) -> [AdaptedRows] where Rows.Element == Int, Rows.Index == Int {
    parts.compactMap { part in
      let places = rows.indices.filter { part.rows.contains(rows[$0]) }
      guard let first = places.first, let last = places.last else { return nil }
      precondition(places.count == last - first + 1, "rows of adapted sequences out of order")
      return AdaptedRows(rows: first..<last + 1, adapters: part.adapters)
    }
  }
}

extension Adapter {
  /// Whether two adapters are one: the same factors in the same memory, as strong.
  package func isSame(as other: Adapter) -> Bool {
    strength == other.strength && modules.count == other.modules.count
      && modules.allSatisfy { name, module in
        guard let twin = other.modules[name] else { return false }
        return twin.a.storage === module.a.storage && twin.a.byteOffset == module.a.byteOffset
      }
  }
}
