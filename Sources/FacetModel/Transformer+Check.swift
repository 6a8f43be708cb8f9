// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor

extension Transformer {
  /// Refuses a batch that the model or a cache cannot take, before anything is computed.
  func check(_ batch: Batch) throws(ModelError) {
    let total = batch.sequences.reduce(0) { $0 + $1.count }
    precondition(
      total == batch.tokens.count, "\(batch.tokens.count) tokens for sequences of \(total)")
    precondition(batch.sequences.allSatisfy { $0.count > 0 }, "a sequence without new tokens")
    try check(batch.tokens)
    for sequence in batch.sequences {
      let cache = sequence.cache
      guard cache.position + sequence.count <= cache.capacity else {
        throw ModelError(
          .contextFull,
          "\(cache.position) tokens and \(sequence.count) more do not fit a context of "
            + "\(cache.capacity). Use a larger context or a shorter prompt.")
      }
      precondition(
        sequence.count <= cache.chunk,
        "\(sequence.count) tokens at once for a cache filled \(cache.chunk) at a time")
    }
  }

  /// Refuses tokens that the model does not have.
  package func check(_ tokens: [Int32]) throws(ModelError) {
    for token in tokens where token < 0 || Int(token) >= weights.embedding.rows {
      throw ModelError(
        .unknownToken,
        "Token \(token) is not in the model's vocabulary of \(weights.embedding.rows).")
    }
  }

  /// Refuses what an encoder cannot do: say what comes next, learn as a decoder does, or read a text
  /// in parts.
  func checkEncoding(_ batch: Batch, _ recorder: Recorder?) throws(ModelError) {
    // The rest of a text that was read in part comes from somebody who wants to know what follows it.
    let isWhole = batch.sequences.allSatisfy { $0.cache.position == 0 }
    guard batch.logitRows.isEmpty, recorder == nil, isWhole else {
      throw ModelError(
        .unsupported,
        "\(configuration.name) encodes texts and generates none. Use it for embeddings, or another model."
      )
    }
  }
}
