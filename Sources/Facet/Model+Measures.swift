// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGeneration
import FacetTensor

extension Model {
  /// The vectors of `texts`, in their order.
  ///
  /// Cancelling the task ends it at the next pass.
  public func embed(
    _ texts: [String], options: EmbeddingOptions = EmbeddingOptions()
  ) async throws -> [Embedding] {
    try await withTaskExecutorPreference(OwnThread()) {
      try language.embed(texts, options: options)
    }
  }

  /// How likely the model finds `text`, token by token; with `alternatives`, also this many of the
  /// likeliest tokens in the place of each.
  public func score(_ text: String, alternatives: Int = 0) async throws -> TextScore {
    try await withTaskExecutorPreference(OwnThread()) {
      try language.score(text, alternatives: alternatives)
    }
  }

  /// How likely the model finds `continuation` after `context`.
  public func score(
    _ continuation: String, after context: String, alternatives: Int = 0
  ) async throws -> TextScore {
    try await withTaskExecutorPreference(OwnThread()) {
      try language.score(continuation, after: context, alternatives: alternatives)
    }
  }
}
