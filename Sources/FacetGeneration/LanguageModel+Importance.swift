// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
import FacetModel
import FacetTensor
public import FacetTokenizer

extension LanguageModel {
  /// How strongly `tokens` [N] use the columns of each matrix: what quantisation can go by.
  ///
  /// The text is cut into chunks of `chunkLength`, at most `most` of them, each with the
  /// beginning-of-sequence token for its first. The head is left out: it is the embedding in most
  /// models. `dataset` names the text in the file. `progress` is told chunks done and chunks in all;
  /// throwing from it stops.
  public func importance(
    of tokens: [TokenID], chunkLength: Int = 512, most: Int? = nil, dataset: String? = nil,
    progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> ImportanceMatrix {
    guard chunkLength >= 4, chunkLength <= configuration.contextLength else {
      throw GenerationError(
        .invalidOption,
        "Chunks of \(chunkLength) tokens are asked for; \(card.name) takes between 4 and "
          + "\(configuration.contextLength).")
    }
    let chunks = min(tokens.count / chunkLength, most ?? .max)
    guard chunks > 0 else {
      throw GenerationError(
        .emptyInput,
        "The text has \(tokens.count) tokens, and one chunk takes \(chunkLength). Use a longer text "
          + "or smaller chunks.")
    }
    let statistics = InputStatistics()
    let observed = transformer.observed(by: statistics)
    let step = min(chunkLength, Session.chunk)
    let cache = try observed.makeCache(capacity: chunkLength, chunk: step)
    let workspace = Workspace()
    for chunk in 0..<chunks {
      try Task.checkCancellation()
      var part = Array(tokens[chunk * chunkLength..<(chunk + 1) * chunkLength])
      if tokenizer.special.addsBOS, let bos = tokenizer.special.bos { part[0] = bos }
      cache.reset()
      for start in stride(from: 0, to: chunkLength, by: step) {
        let rows = Array(part[start..<min(start + step, chunkLength)])
        // What nobody looks at is not computed of the last layer.
        _ = try observed.forward(
          Batch(rows, cache: cache, logits: .none), workspace: workspace, tap: { _, _ in })
      }
      try progress(chunk + 1, chunks)
    }
    var result = ImportanceMatrix(
      entries: [:], datasets: dataset.map { [$0] } ?? [], chunkCount: chunks,
      chunkSize: chunkLength)
    for (index, layer) in transformer.weights.layers.enumerated() {
      for (role, weights) in layer.matrices {
        guard let entry = statistics.entry(for: weights) else { continue }
        result[TensorName(role, layer: index)] = ImportanceMatrix.Entry(
          sums: entry.sums.map { Float($0) }, count: Float(entry.count))
      }
    }
    return result
  }
}

extension LayerWeights {
  /// The matrices with their roles.
  fileprivate var matrices: [(TensorRole, Tensor)] {
    [
      (.query, query), (.key, key), (.value, value), (.attentionOutput, attentionOutput),
      (.gate, gate), (.up, up), (.down, down),
    ]
  }
}
