// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
public import FacetTensor

/// Passes there and back: how likely a model holds what it should say, and which way its numbers should
/// move.
///
/// Holds the memory of a pass and reuses it; one owner at a time. The logits of a batch never exist
/// at once: rows that carry loss meet the head some at a time.
public final class TrainingPass {
  /// How memory is spent.
  public struct Options: Sendable, Hashable {
    /// Bytes of logits that exist at once.
    public var logitsByteCount = 256 << 20
    /// Bytes of products that are kept of the last layers; those before are computed again on the way
    /// back.
    public var keptByteCount = 0

    /// A quarter of a gigabyte of logits; every layer computed again.
    public init() {}
  }

  /// The model, whose forward pass this is.
  public let transformer: Transformer
  /// What changes its matrices; nil: nothing.
  public let adapter: Adapter?
  /// The gradient at the scaled embeddings [T, D] of the last way back; valid until the next pass.
  public private(set) var embeddingGradient: Tensor?

  private let options: Options
  private let dropout: Float
  private let workspace = Workspace()
  private let streams = Workspace()
  private var caches: [KVCache] = []

  /// Passes of `transformer` with `adapter`; `dropout` is the share of the adapter's inputs that is left
  /// out on the way to gradients.
  public init(
    _ transformer: Transformer, adapter: Adapter? = nil, dropout: Float = 0,
    options: Options = Options()
  ) {
    precondition(dropout >= 0 && dropout < 1, "a dropout of \(dropout)")
    self.transformer = transformer
    self.adapter = adapter
    self.dropout = dropout
    self.options = options
  }

  /// Bytes held for activations.
  public var byteCount: Int {
    workspace.byteCount + streams.byteCount + caches.reduce(0) { $0 + $1.byteCount }
  }

  /// Bytes of activations, logits and caches that a batch of `tokens` tokens takes, for planning.
  public static func byteCount(
    _ configuration: ModelConfiguration, tokens: Int, options: Options = Options()
  ) -> Int {
    let row = configuration.vocabulary * MemoryLayout<Float>.size
    let logits = min(max(row, options.logitsByteCount), row * tokens)
    let gradients =
      4 * configuration.width + configuration.queryWidth + 3 * configuration.keyValueWidth
      + configuration.feedForwardWidth
    let streams = (configuration.layers + 2) * configuration.width
    let activations =
      tokens * (layerCount(configuration) + gradients + streams) * MemoryLayout<Float>.size
      + options.keptByteCount
    let caches = tokens * configuration.layers * 2 * configuration.keyValueWidth * 2
    return activations + logits + logits / 2 + caches
  }

  /// The scores of the batch's targets.
  public func score(_ batch: TargetBatch) throws -> [TargetScore] {
    let recorder = Recorder(
      keptLayers: 0..<0, dropout: nil, backend: transformer.training, memory: streams,
      keepsAll: false)
    _ = try transformer.forward(modelBatch(batch), workspace: workspace, recorder: recorder)
    let pass = try Pass(transformer, modelBatch(batch), workspace)
    return try transformer.scoreTargets(
      batch.targets, stream: recorder.last, coefficients: nil, into: nil, pass, nil, options)
  }

  /// The scores of the batch's targets; to `gradients` is added the gradient of
  /// −Σ coefficients[i] · log p(targets[i]).
  ///
  /// With 1 / (targets of a whole step) as coefficients that is the mean cross-entropy, however the step
  /// is cut into batches. `seed` decides what dropout takes.
  public func differentiate(
    _ batch: TargetBatch, coefficients: [Float], seed: UInt64 = 0, adding gradients: Gradients
  ) throws -> [TargetScore] {
    precondition(coefficients.count == batch.targets.count, "a coefficient for every target")
    let layers = transformer.configuration.layers
    embeddingGradient = nil
    let recorder = Recorder(
      keptLayers: max(0, layers - keptLayers(tokens: batch.tokens.count))..<layers,
      dropout: dropout > 0 ? AdapterDropout(rate: dropout, seed: seed) : nil,
      backend: transformer.training, memory: streams)
    _ = try transformer.forward(modelBatch(batch), workspace: workspace, recorder: recorder)

    let pass = try Pass(transformer, modelBatch(batch), workspace, dropout: recorder.dropout)
    let back = WayBack(
      pass: pass, gradients: gradients, adapter: adapter, sequences: Self.rows(batch.lengths))
    let dx = try pass.tensor(transformer.configuration.width)
    let scores = try transformer.scoreTargets(
      batch.targets, stream: recorder.last, coefficients: coefficients, into: dx, pass, back,
      options)
    for index in (0..<layers).reversed() {
      let mark = workspace.mark
      let record = try again(index, recorder, pass)
      try transformer.backward(dx, index, record, back)
      workspace.release(to: mark)
    }
    if let gradient = gradients.gradient(TensorName(.embedding)) {
      transformer.training.embedBackward(
        batch.tokens, dx, scale: transformer.configuration.embeddingScale, into: gradient)
    }
    embeddingGradient = dx
    return scores
  }

  /// Of how many of the last layers the products are kept.
  private func keptLayers(tokens: Int) -> Int {
    let count = LayerProducts.count(transformer.configuration, adapter: adapter)
    return options.keptByteCount / max(1, tokens * count * MemoryLayout<Float>.size)
  }

  /// Numbers that the record of a layer holds of each token: see LayerRecord.Place.
  private static func layerCount(_ configuration: ModelConfiguration) -> Int {
    8 * configuration.width + 4 * configuration.queryWidth + 4 * configuration.keyValueWidth
      + 3 * configuration.feedForwardWidth
  }

  /// The record of a layer that is computed once more from its input, but for products that were kept.
  private func again(_ index: Int, _ recorder: Recorder, _ pass: Pass) throws -> LayerRecord {
    let record = recorder.record(of: index)
    record[.input] = recorder.streams[index]
    let x = try pass.tensor(transformer.configuration.width)
    transformer.training.copy(recorder.streams[index], to: x)
    try transformer.attend(x, index, pass, record)
    try transformer.feedForward(x, index, pass, record)
    return record
  }

  /// The batch with an empty cache for every sequence.
  private func modelBatch(_ batch: TargetBatch) throws -> Batch {
    var sequences: [Batch.Sequence] = []
    for (index, length) in batch.lengths.enumerated() {
      let cache = try cache(index, length: length)
      sequences.append(
        Batch.Sequence(cache: cache, count: length, adapters: adapter.map { [$0] } ?? []))
    }
    return Batch(batch.tokens, sequences: sequences, logits: .none)
  }

  /// A cache that `length` tokens fit, the `index`-th of the batch: the one of the last pass if it can be.
  private func cache(_ index: Int, length: Int) throws -> KVCache {
    if caches.indices.contains(index), caches[index].chunk >= length {
      caches[index].reset()
      return caches[index]
    }
    let capacity = (length + 255) / 256 * 256
    let cache = try transformer.makeCache(capacity: capacity, chunk: capacity)
    if caches.indices.contains(index) { caches[index] = cache } else { caches.append(cache) }
    return cache
  }

  private static func rows(_ lengths: [Int]) -> [Range<Int>] {
    var end = 0
    return lengths.map { length in
      end += length
      return end - length..<end
    }
  }
}
