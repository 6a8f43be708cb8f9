// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
public import FacetTensor

/// A decoder: Gemma 1, 2, 3, Llama and Mistral are one pass that a ``ModelConfiguration`` describes.
///
/// This page is the whole forward pass. Shapes: T tokens of the batch, D width, N query heads,
/// K key-value heads, H head width, F feed-forward width, V vocabulary, R rows whose logits are wanted.
public struct Transformer: Sendable {
  /// What the model is.
  public let configuration: ModelConfiguration
  /// What it learned.
  public let weights: ModelWeights
  /// The type of the keys and values in its caches.
  public let cacheDType: DType
  /// Where it computes.
  let backend: any Backend

  /// Joins a description, its weights and a place to compute; without a type, caches are in half
  /// precision unless the path is exact.
  public init(
    configuration: ModelConfiguration, weights: ModelWeights, backend: CPUBackend,
    cacheDType: DType? = nil
  ) {
    self.init(
      configuration: configuration, weights: weights, on: backend, cacheDType: cacheDType)
  }

  package init(
    configuration: ModelConfiguration, weights: ModelWeights, on backend: any Backend,
    cacheDType: DType? = nil
  ) {
    self.configuration = configuration
    self.weights = weights
    self.backend = backend
    self.cacheDType = cacheDType ?? Self.cacheDType(backend.precision)
  }

  /// How exactly the backend computes.
  public var precision: Precision { backend.precision }

  /// An empty cache for `capacity` tokens, of the model's ``cacheDType`` unless `dtype` says otherwise.
  public func makeCache(
    capacity: Int, chunk: Int = 512, dtype: DType? = nil
  ) throws(TensorError) -> KVCache {
    try KVCache(configuration, capacity: capacity, chunk: chunk, dtype: dtype ?? cacheDType)
  }

  /// Reads the batch's tokens: their keys and values go into the caches, and the logits [R, V] of the
  /// wanted rows come back (in the workspace: valid until its next pass).
  public func forward(
    _ batch: Batch, workspace: Workspace, tap: Tap? = nil
  ) throws -> Tensor {
    try forward(batch, workspace: workspace, tap: tap, recorder: nil)
  }

  /// The same; a `recorder` keeps what the way back needs.
  func forward(
    _ batch: Batch, workspace: Workspace, tap: Tap? = nil, recorder: Recorder?
  ) throws -> Tensor {
    let (x, pass) = try read(batch, workspace, tap, recorder)
    return try logits(x, pass, tap)
  }

  /// Reads the batch's tokens; what comes back is the residual stream [R, D] of the wanted rows after the
  /// last layer, and the pass, by now about those rows.
  func read(
    _ batch: Batch, _ workspace: Workspace, _ tap: Tap? = nil, _ recorder: Recorder? = nil
  ) throws -> (Tensor, Pass) {
    try check(batch)
    if configuration.attentionMask == .bidirectional { try checkEncoding(batch, recorder) }
    workspace.reset()
    var pass = try Pass(self, batch, workspace, dropout: recorder?.dropout)

    var x = try pass.tensor(configuration.width)  // the residual stream [T, D], f32 throughout
    backend.embed(
      batch.tokens, table: weights.embedding, scale: configuration.embeddingScale, into: x)
    tap?(.embedding, x)

    for index in weights.layers.indices {
      let mark = workspace.mark
      let record = recorder?.briefRecord(of: index)
      try recorder?.keep(x)
      try attend(x, index, pass, record)
      tap?(.attention(layer: index), x)
      // The caches have all keys and values now: unless somebody looks, only wanted rows go on.
      let isLast = index == weights.layers.count - 1
      if isLast, tap == nil, recorder == nil { x = pass.narrow(x, to: batch.logitRows) }
      try feedForward(x, index, pass, record)
      tap?(.layer(index), x)
      workspace.release(to: mark)
    }
    try recorder?.keep(x)

    for sequence in batch.sequences { sequence.cache.advance(by: sequence.count) }
    if tap != nil || recorder != nil { x = pass.narrow(x, to: batch.logitRows) }
    return (x, pass)
  }

  /// The attention branch: x += postNorm( attention( norm(x) ) ).
  func attend(_ x: Tensor, _ index: Int, _ pass: Pass, _ record: LayerRecord?) throws {
    let layer = weights.layers[index]
    let window = configuration.attention.window(layer: index)
    let angles = window == nil ? pass.globalAngles : pass.localAngles

    let normed = try pass.tensor(configuration.width)
    backend.rmsNorm(
      x, weight: layer.attentionNorm, epsilon: configuration.normEpsilon, into: normed)

    let rawQueries = try pass.product(.rawQueries, configuration.queryWidth, record)
    let rawKeys = try pass.product(.rawKeys, configuration.keyValueWidth, record)
    let values = try pass.product(.values, configuration.keyValueWidth, record)
    try linear(
      normed, [.query, .key, .value], of: index, as: .attention,
      into: [rawQueries, rawKeys, values], pass, record)
    let queries = try rotate(rawQueries, norm: layer.queryNorm, angles, pass, record)
    let keys = try rotate(rawKeys, norm: layer.keyNorm, angles, pass, record)

    let mixed = try pass.product(.mixed, configuration.queryWidth, record)
    if record?.hasProducts != true {
      let spans = pass.spans(layer: index)
      for span in spans {
        backend.store(
          keys: keys.rows(span.rows), values: values.rows(span.rows), first: span.first,
          into: span.cache)
      }
      backend.attention(
        queries, over: spans, settings: attentionSettings(layer: index), into: mixed)
    }

    let branch = try pass.product(.attentionBranch, over: normed, record)
    try linear(
      mixed, [.attentionOutput], of: index, as: .attentionOutput, into: [branch], pass, record)
    record?.attention(normed, queries, keys)
    try addBranch(branch, postNorm: layer.postAttentionNorm, to: x, pass, record)
  }

  /// The feed-forward branch: x += postNorm( down( activation(gate(norm(x))) ⊙ up(norm(x)) ) ).
  func feedForward(_ x: Tensor, _ index: Int, _ pass: Pass, _ record: LayerRecord?) throws {
    let layer = weights.layers[index]
    try keepMiddle(x, pass, record)
    let normed = try pass.tensor(configuration.width)
    backend.rmsNorm(
      x, weight: layer.feedForwardNorm, epsilon: configuration.normEpsilon, into: normed)
    let hidden = try pass.tensor(configuration.feedForwardWidth)
    try gatedLinear(normed, of: index, into: hidden, pass, record)
    let branch = try pass.product(.feedForwardBranch, over: normed, record)
    try linear(hidden, [.down], of: index, as: .feedForward, into: [branch], pass, record)
    record?.feedForward(normed, hidden)
    try addBranch(branch, postNorm: layer.postFeedForwardNorm, to: x, pass, record)
  }

  /// Queries or keys [T, n·H] as they meet: normed head by head in Gemma 3, and turned by their position.
  private func rotate(
    _ raw: Tensor, norm: Tensor?, _ angles: Pass.Angles, _ pass: Pass, _ record: LayerRecord?
  ) throws -> Tensor {
    let heads = try pass.tensor(over: raw, record)
    if record != nil { training.copy(raw, to: heads) }
    backend.rotate(
      heads, headWidth: configuration.headWidth, norm: norm, epsilon: configuration.normEpsilon,
      cosines: angles.cosines, sines: angles.sines, layout: configuration.rotaryLayout)
    return heads
  }

  /// Gemma 2 and 3 norm what a branch gives before it joins the residual stream.
  private func addBranch(
    _ branch: Tensor, postNorm: Tensor?, to x: Tensor, _ pass: Pass, _ record: LayerRecord?
  ) throws {
    guard let postNorm else { return backend.add(branch, to: x) }
    let normed = try pass.tensor(over: branch, record)
    backend.rmsNorm(branch, weight: postNorm, epsilon: configuration.normEpsilon, into: normed)
    backend.add(normed, to: x)
  }

  /// What attention of `layer` needs to know.
  func attentionSettings(layer: Int) -> AttentionSettings {
    AttentionSettings(
      headWidth: configuration.headWidth, queryHeads: configuration.queryHeads,
      window: configuration.attention.window(layer: layer), scale: configuration.attentionScale,
      softCap: configuration.attentionSoftCap, mask: configuration.attentionMask)
  }

  /// The logits [R, V]: cap( head( norm(x) ) ).
  private func logits(_ x: Tensor, _ pass: Pass, _ tap: Tap?) throws -> Tensor {
    let normed = try pass.tensor(configuration.width)
    backend.rmsNorm(
      x, weight: weights.finalNorm, epsilon: configuration.normEpsilon, into: normed)
    tap?(.finalNorm, normed)
    let logits = try pass.tensor(configuration.vocabulary)
    try head(normed, rows: 0..<pass.tokens, into: logits, pass)
    if let cap = configuration.finalSoftCap { backend.softCap(logits, cap: cap) }
    return logits
  }
}
