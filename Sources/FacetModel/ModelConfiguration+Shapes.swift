// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint

extension ModelConfiguration {
  /// The rows and columns of the tensor `name`, 1 row for a norm; nil when the model has none of it.
  ///
  /// A head that is the embedding is no tensor of its own.
  public func shape(of name: TensorName) -> (rows: Int, columns: Int)? {
    guard name.role.isGlobal == (name.layer == nil),
      name.layer.map({ (0..<layers).contains($0) }) ?? true
    else { return nil }
    switch name.role {
    case .embedding: return (vocabulary, width)
    case .head: return tiedEmbeddings ? nil : (vocabulary, width)
    case .query: return (queryWidth, width)
    case .key, .value: return (keyValueWidth, width)
    case .attentionOutput: return (width, queryWidth)
    case .gate, .up: return (feedForwardWidth, width)
    case .down: return (width, feedForwardWidth)
    case .finalNorm, .attentionNorm, .feedForwardNorm: return (1, width)
    case .queryNorm, .keyNorm: return hasQueryKeyNorm ? (1, headWidth) : nil
    case .denseExpansion, .denseProjection: return nil
    case .postAttentionNorm, .postFeedForwardNorm: return hasPostNorms ? (1, width) : nil
    }
  }
}
