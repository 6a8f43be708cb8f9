// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor

/// What the forward pass of one layer computed on its way, for the way back.
final class LayerRecord {
  /// The places of a layer whose values the way back needs.
  enum Place: Hashable {
    /// The residual stream [T, D] where the layer begins, and between its branches.
    case input, middle
    /// What goes into the matrices of attention [T, D].
    case attentionNormed
    /// Queries [T, N·H] and keys [T, K·H] before their norms, where there are any.
    case rawQueries, rawKeys
    /// Queries and keys as they meet, values [T, K·H].
    case queries, keys, values
    /// What the heads give [T, N·H].
    case mixed
    /// What attention gives the stream [T, D], before its norm.
    case attentionBranch
    /// What goes into the feed-forward network [T, D], and its activations [T, F].
    case feedForwardNormed, gate, up, hidden
    /// What the feed-forward network gives the stream [T, D], before its norm.
    case feedForwardBranch
    /// The output of a matrix with an adapter that has magnitudes, before they scale it.
    case unscaled(TensorName)
  }

  private var tensors: [Place: Tensor] = [:]

  /// The values at `place`; asking for what was not recorded is a mistake of the pass.
  subscript(place: Place) -> Tensor {
    get {
      guard let tensor = tensors[place] else { preconditionFailure("no record of \(place)") }
      return tensor
    }
    set { tensors[place] = newValue }
  }
}

extension LayerRecord {
  /// Keeps what the attention branch computed.
  func attention(
    _ normed: Tensor, _ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ mixed: Tensor,
    _ branch: Tensor
  ) {
    self[.attentionNormed] = normed
    self[.queries] = queries
    self[.keys] = keys
    self[.values] = values
    self[.mixed] = mixed
    self[.attentionBranch] = branch
  }

  /// Keeps what the feed-forward branch computed.
  func feedForward(_ normed: Tensor, _ hidden: Tensor, _ branch: Tensor) {
    self[.feedForwardNormed] = normed
    self[.hidden] = hidden
    self[.feedForwardBranch] = branch
  }
}

/// What one forward pass keeps for the way back: the residual stream before every layer, and all of
/// the last few layers.
///
/// The other layers are computed again from their input, which costs a third of a pass and saves
/// most of the memory (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
final class Recorder {
  /// The residual stream [T, D] before each layer, and after the last.
  private(set) var streams: [Tensor] = []
  /// What is left out of the inputs of adapters.
  let dropout: AdapterDropout?
  private var records: [Int: LayerRecord] = [:]
  private let wholeLayers: Range<Int>
  private let keepsAll: Bool
  private let backend: any TrainingBackend
  private let memory: Workspace

  /// Keeps `wholeLayers` whole; the streams lie in `memory`.
  ///
  /// Where not all are kept, only the last is.
  init(
    wholeLayers: Range<Int>, dropout: AdapterDropout?, backend: any TrainingBackend,
    memory: Workspace, keepsAll: Bool = true
  ) {
    self.wholeLayers = wholeLayers
    self.keepsAll = keepsAll
    self.dropout = dropout
    self.backend = backend
    self.memory = memory
    memory.reset()
  }

  /// The record of `layer`; nil when it has to be computed again.
  func record(of layer: Int) -> LayerRecord? {
    guard wholeLayers.contains(layer) else { return nil }
    if let record = records[layer] { return record }
    let record = LayerRecord()
    records[layer] = record
    return record
  }

  /// The residual stream [T, D] after the last layer.
  var last: Tensor {
    guard let last = streams.last else { preconditionFailure("no pass was recorded") }
    return last
  }

  /// Keeps the stream [T, D] as it stands.
  func keep(_ stream: Tensor) throws {
    if !keepsAll {
      streams.removeAll()
      memory.reset()
    }
    let copy = try memory.tensor(rows: stream.rows, columns: stream.columns)
    backend.copy(stream, to: copy)
    streams.append(copy)
  }
}
