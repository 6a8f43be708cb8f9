// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

// The end of the pass for training: cross-entropy and the way back through the head, some rows at a time.
extension Transformer {
  /// The scores of `targets` after the stream [T, D] that left the last layer.
  ///
  /// With coefficients, `dx` [T, D] becomes the gradient of −Σ coefficient · log-probability at that stream.
  func scoreTargets(
    _ targets: [TargetBatch.Target], stream: Tensor, coefficients: [Float]?, into dx: Tensor?,
    _ pass: Pass, _ back: WayBack?, _ options: TrainingPass.Options
  ) throws -> [TargetScore] {
    if let dx { dx.fill(0) }
    let rowByteCount = configuration.vocabulary * MemoryLayout<Float>.size
    let rowsAtOnce = min(max(1, options.logitsByteCount / rowByteCount), max(1, targets.count))
    var scores: [TargetScore] = []
    for begin in stride(from: 0, to: targets.count, by: rowsAtOnce) {
      let part = begin..<min(targets.count, begin + rowsAtOnce)
      let mark = pass.workspace.mark
      scores += try scoreSome(
        Array(targets[part]), stream, coefficients.map { Array($0[part]) }, dx, pass, back)
      pass.workspace.release(to: mark)
    }
    return scores
  }

  private func scoreSome(
    _ targets: [TargetBatch.Target], _ stream: Tensor, _ coefficients: [Float]?, _ dx: Tensor?,
    _ pass: Pass, _ back: WayBack?
  ) throws -> [TargetScore] {
    let epsilon = configuration.normEpsilon
    let width = configuration.width
    let rows = targets.map(\.row)
    let x = try pass.tensor(rows: rows.count, width)
    for (index, row) in rows.enumerated() {
      training.copy(stream.rows(row..<row + 1), to: x.rows(index..<index + 1))
    }
    let normed = try pass.tensor(rows: rows.count, width)
    backend.rmsNorm(x, weight: weights.finalNorm, epsilon: epsilon, into: normed)
    let logits = try pass.tensor(rows: rows.count, configuration.vocabulary)
    let record = back.map { _ in LayerRecord() }
    try head(normed, rows: rows, into: logits, pass, record)
    if let cap = configuration.finalSoftCap { backend.softCap(logits, cap: cap) }
    let scores = training.scoreTargets(
      targets.map(\.token), logits: logits, softCap: configuration.finalSoftCap,
      coefficients: coefficients)
    guard let dx, let back, let record else { return scores }

    let dLogits = logits  // by now
    let dNormed = try pass.tensor(rows: rows.count, width)
    try linearBackward(
      [dLogits], [weights.isTied ? .embedding : .head], of: nil, input: normed, into: dNormed,
      record, back)
    training.rmsNormBackward(
      dNormed, input: x, weight: weights.finalNorm, epsilon: epsilon, adding: false, into: dNormed,
      weightGradient: back.gradients.gradient(TensorName(.finalNorm)))
    for (index, row) in rows.enumerated() {  // several targets may stand after one row
      backend.add(dNormed.rows(index..<index + 1), to: dx.rows(row..<row + 1))
    }
    return scores
  }
}
