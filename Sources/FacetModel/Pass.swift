// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor

/// What every layer of one forward pass shares: where activations come from, which rows belong to
/// which sequence, and the rotary angles of their positions.
struct Pass {
  /// Cosines and sines [T, H/2].
  struct Angles {
    var cosines: Tensor
    var sines: Tensor
  }

  let workspace: Workspace
  /// Rows of the residual stream: the batch's tokens, or those of them that it was narrowed to.
  private(set) var tokens: Int
  let globalAngles: Angles
  let localAngles: Angles

  /// Rows whose matrices are changed by the same adapters.
  private(set) var adapted: [AdaptedRows]
  /// What is left out of the inputs of adapters while they are trained.
  let dropout: AdapterDropout?

  private let sequences: [Batch.Sequence]

  init(
    _ transformer: Transformer, _ batch: Batch, _ workspace: Workspace,
    dropout: AdapterDropout? = nil
  ) throws {
    self.workspace = workspace
    tokens = batch.tokens.count
    sequences = batch.sequences
    adapted = AdaptedRows.of(batch)
    self.dropout = dropout
    let positions = batch.sequences.flatMap { sequence in
      sequence.cache.position..<sequence.cache.position + sequence.count
    }
    let configuration = transformer.configuration
    func angles(_ rotary: Rotary) throws -> Angles {
      let half = configuration.headWidth / 2
      let angles = Angles(
        cosines: try workspace.tensor(rows: positions.count, columns: half),
        sines: try workspace.tensor(rows: positions.count, columns: half))
      transformer.backend.rotaryAngles(
        rotary, positions: positions, cosines: angles.cosines, sines: angles.sines)
      return angles
    }
    globalAngles = try angles(configuration.rope)
    localAngles =
      configuration.localRope == configuration.rope
      ? globalAngles : try angles(configuration.localRope)
  }

  /// A tensor of one row per token.
  func tensor(_ columns: Int) throws -> Tensor { try tensor(rows: tokens, columns) }

  func tensor(rows: Int, _ columns: Int) throws -> Tensor {
    try workspace.tensor(rows: rows, columns: columns)
  }

  /// A tensor of the shape of `spent`: `spent` itself, unless a record holds it.
  func tensor(over spent: Tensor, _ record: LayerRecord?) throws -> Tensor {
    record == nil ? spent : try tensor(spent.columns)
  }

  /// Where a product [T, columns] goes that a record may keep at `place`.
  func product(_ place: LayerRecord.Place, _ columns: Int, _ record: LayerRecord?) throws -> Tensor
  {
    try record?.product(place, rows: tokens, columns, self) ?? tensor(columns)
  }

  /// The same for a product of the shape of `spent`, in whose memory it may lie unless it is recorded.
  func product(
    _ place: LayerRecord.Place, over spent: Tensor, _ record: LayerRecord?
  ) throws -> Tensor {
    try record?.product(place, rows: tokens, spent.columns, self) ?? spent
  }

  /// Goes on with `rows` of the batch alone, ascending; no layer can attend any more.
  ///
  /// They move to the front of `x` [T, D], which comes back as [R, D].
  mutating func narrow(_ x: Tensor, to rows: [Int]) -> Tensor {
    precondition(zip(rows, rows.dropFirst()).allSatisfy(<), "rows out of order")
    guard rows.count < tokens else { return x }
    for (place, row) in rows.enumerated() where place < row {
      x.rows(place..<place + 1).overwrite(with: x.rows(row..<row + 1))
    }
    adapted = AdaptedRows.of(adapted, in: rows)
    tokens = rows.count
    return x.rows(0..<rows.count)
  }

  /// Each sequence's rows of the batch and its cache of `layer`.
  func spans(layer: Int) -> [AttentionSpan] {
    var begin = 0
    return sequences.map { sequence in
      let rows = begin..<begin + sequence.count
      begin = rows.upperBound
      return AttentionSpan(
        cache: sequence.cache.layers[layer], rows: rows, first: sequence.cache.position)
    }
  }
}
