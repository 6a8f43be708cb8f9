// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTensor

/// Passes that end before the head: what a model makes of each token, which embeddings of texts are
/// made of.
///
/// Holds the memory of a pass and reuses it; one owner at a time.
package final class StatePass {
  private let transformer: Transformer
  private let workspace = Workspace()
  private let states = Workspace()

  /// Passes of `transformer`.
  package init(_ transformer: Transformer) { self.transformer = transformer }

  /// Reads the batch's tokens into its caches and shows `body` the states [T, D] after the final norm;
  /// they are valid until the next call.
  package func read<R>(_ batch: Batch, _ body: (Tensor) throws -> R) throws -> R {
    let configuration = transformer.configuration
    var batch = batch
    batch.logits = .none
    states.reset()
    let normed = try states.tensor(rows: batch.tokens.count, columns: configuration.width)
    let last = TapPoint.layer(configuration.layers - 1)
    _ = try transformer.forward(batch, workspace: workspace) { [transformer] point, x in
      guard point == last else { return }
      transformer.backend.rmsNorm(
        x, weight: transformer.weights.finalNorm, epsilon: configuration.normEpsilon, into: normed)
    }
    return try body(normed)
  }

  /// `vectors` [B, D] after the model's dense layers, [B, D']; the same where it has none.
  package func projected(_ vectors: [[Double]]) throws -> [[Double]] {
    guard !transformer.weights.dense.isEmpty, let width = vectors.first?.count else {
      return vectors
    }
    states.reset()
    var x = try states.tensor(rows: vectors.count, columns: width)
    x.write(vectors.flatMap { $0.map { Float($0) } })
    for matrix in transformer.weights.dense {
      let output = try states.tensor(rows: vectors.count, columns: matrix.rows)
      transformer.backend.linear(x, [matrix], as: .attention, into: [output])
      x = output
    }
    let values = x.floats()
    return vectors.indices.map { row in
      values[row * x.columns..<(row + 1) * x.columns].map { Double($0) }
    }
  }
}
