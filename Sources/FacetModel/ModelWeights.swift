// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
public import FacetTensor

/// The tensors of a model, all there and of the right shape.
///
/// Matrices are `[out, in]`.
public struct ModelWeights: Sendable {
  /// Token embeddings, `[V, D]`.
  public let embedding: Tensor
  /// The output head, `[V, D]`; the embedding when they are tied.
  public let head: Tensor
  /// The norm before the head, `[D]`.
  public let finalNorm: Tensor
  /// The layers, in order.
  public let layers: [LayerWeights]
  /// What a pooled text goes through, `[E, D]` and `[D', E]`: EmbeddingGemma; empty elsewhere.
  public let dense: [Tensor]

  /// Picks the tensors of `configuration` out of `checkpoint`.
  ///
  /// The error names the first that is missing, unexpected or wrongly shaped.
  public init(
    _ checkpoint: Checkpoint, configuration: ModelConfiguration
  ) throws(ModelError) {
    var source = TensorSource(checkpoint: checkpoint)
    let vocabulary = configuration.vocabulary
    let rows = max(vocabulary, checkpoint.architecture.vocabulary ?? vocabulary)
    let width = configuration.width
    embedding = try source.take(TensorName(.embedding), rows, width).rows(0..<vocabulary)
    head =
      if configuration.tiedEmbeddings {
        embedding
      } else {
        try source.take(TensorName(.head), rows, width).rows(0..<vocabulary)
      }
    finalNorm = try source.take(TensorName(.finalNorm), 1, width)
    var layers: [LayerWeights] = []
    for layer in 0..<configuration.layers {
      layers.append(try LayerWeights(&source, layer: layer, configuration))
    }
    self.layers = layers
    dense = try source.takeDense(configuration)
    try source.finish(configuration)
  }

  /// The same model of other tensors: `transform` gives each its successor, tied ones once.
  func mapped<E: Error>(
    _ transform: (TensorName, Tensor) throws(E) -> Tensor
  ) throws(E) -> ModelWeights {
    try ModelWeights(mapping: self, transform)
  }

  private init<E: Error>(
    mapping other: ModelWeights, _ transform: (TensorName, Tensor) throws(E) -> Tensor
  ) throws(E) {
    embedding = try transform(TensorName(.embedding), other.embedding)
    head =
      other.isTied ? embedding : try transform(TensorName(.head), other.head)
    finalNorm = try transform(TensorName(.finalNorm), other.finalNorm)
    var layers: [LayerWeights] = []
    for (index, layer) in other.layers.enumerated() {
      layers.append(try LayerWeights(mapping: layer, index, transform))
    }
    self.layers = layers
    dense = other.dense
  }

  /// Whether the head is the embedding.
  var isTied: Bool {
    head.storage === embedding.storage && head.byteOffset == embedding.byteOffset
  }

  /// All tensors by their names, in a fixed order; a tied head is not named again.
  package var named: [(name: TensorName, tensor: Tensor)] {
    var all = [(name: TensorName(.embedding), tensor: embedding)]
    if !isTied { all.append((TensorName(.head), head)) }
    all.append((TensorName(.finalNorm), finalNorm))
    for (index, layer) in layers.enumerated() {
      all += layer.named.map { (TensorName($0.role, layer: index), $0.tensor) }
    }
    return all
  }
}

/// The tensors of one layer.
///
/// Matrices are `[out, in]`; norms are vectors of multipliers.
public struct LayerWeights: Sendable {
  /// Before attention, `[D]`.
  public let attentionNorm: Tensor
  /// Queries, `[H·h, D]`.
  public let query: Tensor
  /// Keys, `[K·h, D]`.
  public let key: Tensor
  /// Values, `[K·h, D]`.
  public let value: Tensor
  /// From the heads back to the stream, `[D, H·h]`.
  public let attentionOutput: Tensor
  /// Of every query head, `[h]`: Gemma 3.
  public let queryNorm: Tensor?
  /// Of every key head, `[h]`: Gemma 3.
  public let keyNorm: Tensor?
  /// After attention, before it is added, `[D]`: Gemma 2 and 3.
  public let postAttentionNorm: Tensor?
  /// Before the feed-forward network, `[D]`.
  public let feedForwardNorm: Tensor
  /// The activated branch, `[F, D]`.
  public let gate: Tensor
  /// The linear branch, `[F, D]`.
  public let up: Tensor
  /// Back to the stream, `[D, F]`.
  public let down: Tensor
  /// After the feed-forward network, before it is added, `[D]`: Gemma 2 and 3.
  public let postFeedForwardNorm: Tensor?

  fileprivate init(
    _ source: inout TensorSource, layer: Int, _ configuration: ModelConfiguration
  ) throws(ModelError) {
    func named(_ role: TensorRole) -> TensorName { TensorName(role, layer: layer) }
    let (width, ffWidth) = (configuration.width, configuration.feedForwardWidth)
    let (queries, keys) = (configuration.queryWidth, configuration.keyValueWidth)
    attentionNorm = try source.take(named(.attentionNorm), 1, width)
    query = try source.take(named(.query), queries, width)
    key = try source.take(named(.key), keys, width)
    value = try source.take(named(.value), keys, width)
    attentionOutput = try source.take(named(.attentionOutput), width, queries)
    feedForwardNorm = try source.take(named(.feedForwardNorm), 1, width)
    gate = try source.take(named(.gate), ffWidth, width)
    up = try source.take(named(.up), ffWidth, width)
    down = try source.take(named(.down), width, ffWidth)
    if configuration.hasQueryKeyNorm {
      queryNorm = try source.take(named(.queryNorm), 1, configuration.headWidth)
      keyNorm = try source.take(named(.keyNorm), 1, configuration.headWidth)
    } else {
      (queryNorm, keyNorm) = (nil, nil)
    }
    if configuration.hasPostNorms {
      postAttentionNorm = try source.take(named(.postAttentionNorm), 1, width)
      postFeedForwardNorm = try source.take(named(.postFeedForwardNorm), 1, width)
    } else {
      (postAttentionNorm, postFeedForwardNorm) = (nil, nil)
    }
  }
}

extension LayerWeights {
  fileprivate init<E: Error>(
    mapping other: LayerWeights, _ layer: Int,
    _ transform: (TensorName, Tensor) throws(E) -> Tensor
  ) throws(E) {
    func map(_ role: TensorRole, _ tensor: Tensor) throws(E) -> Tensor {
      try transform(TensorName(role, layer: layer), tensor)
    }
    func map(_ role: TensorRole, _ tensor: Tensor?) throws(E) -> Tensor? {
      guard let tensor else { return nil }
      return try transform(TensorName(role, layer: layer), tensor)
    }
    attentionNorm = try map(.attentionNorm, other.attentionNorm)
    query = try map(.query, other.query)
    key = try map(.key, other.key)
    value = try map(.value, other.value)
    attentionOutput = try map(.attentionOutput, other.attentionOutput)
    queryNorm = try map(.queryNorm, other.queryNorm)
    keyNorm = try map(.keyNorm, other.keyNorm)
    postAttentionNorm = try map(.postAttentionNorm, other.postAttentionNorm)
    feedForwardNorm = try map(.feedForwardNorm, other.feedForwardNorm)
    gate = try map(.gate, other.gate)
    up = try map(.up, other.up)
    down = try map(.down, other.down)
    postFeedForwardNorm = try map(.postFeedForwardNorm, other.postFeedForwardNorm)
  }

  /// All tensors by their roles, in a fixed order.
  fileprivate var named: [(role: TensorRole, tensor: Tensor)] {
    let all: [(TensorRole, Tensor?)] = [
      (.attentionNorm, attentionNorm), (.query, query), (.key, key), (.value, value),
      (.attentionOutput, attentionOutput), (.queryNorm, queryNorm), (.keyNorm, keyNorm),
      (.postAttentionNorm, postAttentionNorm), (.feedForwardNorm, feedForwardNorm), (.gate, gate),
      (.up, up), (.down, down), (.postFeedForwardNorm, postFeedForwardNorm),
    ]
    return all.compactMap { role, tensor in tensor.map { (role, $0) } }
  }
}

/// The tensors of a checkpoint that nobody has taken yet.
private struct TensorSource {
  let path: String
  var tensors: [TensorName: Tensor]

  init(checkpoint: Checkpoint) {
    path = checkpoint.path
    tensors = checkpoint.tensors
  }

  /// Takes `name`, which must be `[rows, columns]`.
  mutating func take(
    _ name: TensorName, _ rows: Int, _ columns: Int
  ) throws(ModelError) -> Tensor {
    guard let tensor = tensors.removeValue(forKey: name) else {
      throw ModelError(
        .missingTensor, "'\(path)' lacks the tensor '\(name)'. Download or convert it again.")
    }
    guard tensor.rows == rows, tensor.columns == columns else {
      throw ModelError(
        .wrongShape,
        "The tensor '\(name)' of '\(path)' is \(tensor.rows) × \(tensor.columns); the model needs "
          + "\(rows) × \(columns).")
    }
    return tensor
  }

  /// Takes the dense layers of an encoder, if it has them.
  mutating func takeDense(_ configuration: ModelConfiguration) throws(ModelError) -> [Tensor] {
    guard configuration.attentionMask == .bidirectional,
      let rows = tensors[TensorName(.denseExpansion)]?.rows
    else { return [] }
    let width = tensors[TensorName(.denseProjection)]?.rows ?? configuration.width
    return [
      try take(TensorName(.denseExpansion), rows, configuration.width),
      try take(TensorName(.denseProjection), width, rows),
    ]
  }

  /// Throws when something is left over.
  func finish(_ configuration: ModelConfiguration) throws(ModelError) {
    guard let name = tensors.keys.map(\.description).min() else { return }
    throw ModelError(
      .unexpectedTensor,
      "'\(path)' holds the tensor '\(name)', which a \(configuration.family.rawValue) model of "
        + "\(configuration.layers) layers does not have.")
  }
}
