// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTensor

/// Passes that say how likely tokens are, over caches that stay: what evaluation asks for.
///
/// Rows without a target never meet the head, and a row that several tokens may follow meets it once.
/// Holds the memory of a pass and reuses it; one owner at a time.
package final class ScoringPass {
  /// The model.
  package let transformer: Transformer
  private let rowsAtOnce: Int
  private let workspace = Workspace()
  private let streams = Workspace()

  /// Passes of `transformer`; at most `logitsByteCount` bytes of logits exist at once.
  package init(_ transformer: Transformer, logitsByteCount: Int = 256 << 20) {
    self.transformer = transformer
    let row = transformer.configuration.vocabulary * MemoryLayout<Float>.size
    rowsAtOnce = max(1, logitsByteCount / row)
  }

  /// The scores of `targets`, whose rows ascend, after the batch's tokens; the batch's caches take the
  /// tokens in.
  package func score(
    _ batch: Batch, targets: [TargetBatch.Target]
  ) throws -> [TargetScore] {
    var batch = batch
    batch.logits = .none
    let recorder = Recorder(
      keptLayers: 0..<0, dropout: nil, backend: transformer.training, memory: streams,
      keepsAll: false)
    _ = try transformer.forward(batch, workspace: workspace, recorder: recorder)
    guard !targets.isEmpty else { return [] }
    let pass = try Pass(transformer, batch, workspace)
    let rows = Self.rows(of: targets)
    var scores = [TargetScore](
      repeating: TargetScore(logProbability: 0, isTop: false, entropy: 0), count: targets.count)
    for begin in stride(from: 0, to: rows.count, by: rowsAtOnce) {
      let mark = workspace.mark
      let part = rows[begin..<min(rows.count, begin + rowsAtOnce)]
      try score(Array(part), targets, recorder.last, pass, into: &scores)
      workspace.release(to: mark)
    }
    return scores
  }

  /// The targets of each row.
  private static func rows(of targets: [TargetBatch.Target]) -> [Range<Int>] {
    var rows: [Range<Int>] = []
    for index in targets.indices {
      if let last = rows.last, targets[last.lowerBound].row == targets[index].row {
        rows[rows.count - 1] = last.lowerBound..<index + 1
      } else {
        rows.append(index..<index + 1)
      }
    }
    return rows
  }

  /// Scores the targets of some rows: the first of every row, then the second of those that have one.
  private func score(
    _ rows: [Range<Int>], _ targets: [TargetBatch.Target], _ stream: Tensor, _ pass: Pass,
    into scores: inout [TargetScore]
  ) throws {
    let rows = rows.sorted { ($1.count, $0.lowerBound) < ($0.count, $1.lowerBound) }
    let logits = try logits(rows.map { targets[$0.lowerBound].row }, stream, pass)
    for place in 0..<(rows.first?.count ?? 0) {
      let count = rows.prefix { $0.count > place }.count
      let indices = rows[..<count].map { $0.lowerBound + place }
      let found = transformer.training.scoreTargets(
        indices.map { targets[$0].token }, logits: logits.rows(0..<count),
        softCap: transformer.configuration.finalSoftCap, coefficients: nil)
      for (index, score) in zip(indices, found) { scores[index] = score }
    }
  }

  /// The logits [R, V] after `rows` of the stream [T, D].
  private func logits(_ rows: [Int], _ stream: Tensor, _ pass: Pass) throws -> Tensor {
    let configuration = transformer.configuration
    let x = try pass.tensor(rows: rows.count, configuration.width)
    for (index, row) in rows.enumerated() {
      transformer.training.copy(stream.rows(row..<row + 1), to: x.rows(index..<index + 1))
    }
    let normed = try pass.tensor(rows: rows.count, configuration.width)
    transformer.backend.rmsNorm(
      x, weight: transformer.weights.finalNorm, epsilon: configuration.normEpsilon, into: normed)
    let logits = try pass.tensor(rows: rows.count, configuration.vocabulary)
    try transformer.head(normed, rows: rows, into: logits, pass)
    if let cap = configuration.finalSoftCap { transformer.backend.softCap(logits, cap: cap) }
    return logits
  }
}
