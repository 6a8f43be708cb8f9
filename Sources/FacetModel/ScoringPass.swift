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
    let rows = Self.rows(of: targets)
    var batch = batch
    batch.logits = .rows(rows.map(\.row))
    let (stream, pass) = try transformer.read(batch, workspace)
    var scores = [TargetScore](
      repeating: TargetScore(logProbability: 0, isTop: false, entropy: 0), count: targets.count)
    for begin in stride(from: 0, to: rows.count, by: rowsAtOnce) {
      let mark = workspace.mark
      let part = begin..<min(rows.count, begin + rowsAtOnce)
      try score(rows, part, targets, stream, pass, into: &scores)
      workspace.release(to: mark)
    }
    return scores
  }

  /// A row of the batch and its targets.
  private struct Row {
    var row: Int
    var targets: Range<Int>
  }

  private static func rows(of targets: [TargetBatch.Target]) -> [Row] {
    var rows: [Row] = []
    for (index, target) in targets.enumerated() {
      if let last = rows.last, last.row == target.row {
        rows[rows.count - 1].targets = last.targets.lowerBound..<index + 1
      } else {
        rows.append(Row(row: target.row, targets: index..<index + 1))
      }
    }
    return rows
  }

  /// Scores the targets of `part` of the rows, whose streams are `stream` [R, D]: the first of every row,
  /// then the second of those that have one.
  private func score(
    _ rows: [Row], _ part: Range<Int>, _ targets: [TargetBatch.Target], _ stream: Tensor,
    _ pass: Pass, into scores: inout [TargetScore]
  ) throws {
    let places = part.sorted {
      (rows[$1].targets.count, $0) < (rows[$0].targets.count, $1)
    }
    let logits = try logits(places, stream, pass)
    for turn in 0..<(places.first.map { rows[$0].targets.count } ?? 0) {
      let indices = places.map { rows[$0].targets }.filter { $0.count > turn }
        .map { $0.lowerBound + turn }
      let found = transformer.training.scoreTargets(
        indices.map { targets[$0].token }, logits: logits.rows(0..<indices.count),
        softCap: transformer.configuration.finalSoftCap, coefficients: nil)
      for (index, score) in zip(indices, found) { scores[index] = score }
    }
  }

  /// The logits after the rows at `places` of the stream [R, D].
  private func logits(_ places: [Int], _ stream: Tensor, _ pass: Pass) throws -> Tensor {
    let configuration = transformer.configuration
    let x = try pass.tensor(rows: places.count, configuration.width)
    for (index, place) in places.enumerated() {
      x.rows(index..<index + 1).overwrite(with: stream.rows(place..<place + 1))
    }
    let normed = try pass.tensor(rows: places.count, configuration.width)
    transformer.backend.rmsNorm(
      x, weight: transformer.weights.finalNorm, epsilon: configuration.normEpsilon, into: normed)
    let logits = try pass.tensor(rows: places.count, configuration.vocabulary)
    try transformer.head(normed, rows: places, into: logits, pass)
    if let cap = configuration.finalSoftCap { transformer.backend.softCap(logits, cap: cap) }
    return logits
  }
}
