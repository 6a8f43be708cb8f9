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
    /// Queries [T, N·H] and keys [T, K·H] before they are normed and rotated.
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
    /// scale · A x [T, r] of a matrix with an adapter.
    case low(TensorName)
    /// The output of a matrix with an adapter that has magnitudes, before they scale it.
    case unscaled(TensorName)
  }

  private var tensors: [Place: Tensor] = [:]
  /// What lasts beyond the layer; nil: nothing.
  private let products: LayerProducts?
  /// Whether the products were computed on the way there, and need not be again.
  let hasProducts: Bool

  /// An empty record; `products` that are complete stand in for the work of computing them.
  init(products: LayerProducts? = nil) {
    self.products = products
    hasProducts = products?.isComplete ?? false
  }

  /// Whether the layer is on its way there, and only its products will last.
  var isBrief: Bool { products != nil && !hasProducts }

  /// The values at `place`; asking for what was not recorded is a mistake of the pass.
  subscript(place: Place) -> Tensor {
    get {
      guard let tensor = tensors[place] else { preconditionFailure("no record of \(place)") }
      return tensor
    }
    set { tensors[place] = newValue }
  }

  /// Where the product at `place` belongs: it holds the values already if the record ``hasProducts``.
  func product(_ place: Place, rows: Int, _ columns: Int, _ pass: Pass) throws -> Tensor {
    let tensor =
      try products?.tensor(place, rows, columns) ?? pass.tensor(rows: rows, columns)
    tensors[place] = tensor
    return tensor
  }
}

/// What the matrices and attention of one layer gave on the way there: nearly all of its work, in less
/// than half of the memory that its whole record takes.
final class LayerProducts {
  private var tensors: [LayerRecord.Place: Tensor] = [:]
  private let memory: Workspace
  /// Whether the layer has been computed.
  var isComplete = false

  init(memory: Workspace) { self.memory = memory }

  func tensor(_ place: LayerRecord.Place, _ rows: Int, _ columns: Int) throws -> Tensor {
    if let tensor = tensors[place] { return tensor }
    let tensor = try memory.tensor(rows: rows, columns: columns)
    tensors[place] = tensor
    return tensor
  }

  /// Numbers that are kept of each token.
  static func count(_ configuration: ModelConfiguration, adapter: Adapter? = nil) -> Int {
    let modules = adapter?.modules.filter { $0.key.layer == 0 }.values
    let adapted = modules?.reduce(0) { $0 + $1.rank + ($1.magnitude == nil ? 0 : $1.rows) }
    return 2 * configuration.width + 2 * configuration.queryWidth
      + 2 * configuration.keyValueWidth + 2 * configuration.feedForwardWidth
      + (adapted ?? 0)
  }
}

extension LayerRecord {
  /// Keeps what the attention branch computed besides products.
  func attention(_ normed: Tensor, _ queries: Tensor, _ keys: Tensor) {
    self[.attentionNormed] = normed
    self[.queries] = queries
    self[.keys] = keys
  }

  /// Keeps what the feed-forward branch computed besides products.
  func feedForward(_ normed: Tensor, _ hidden: Tensor) {
    self[.feedForwardNormed] = normed
    self[.hidden] = hidden
  }
}

/// What one forward pass keeps for the way back: the residual stream before every layer, and the
/// products of the last few layers.
///
/// Layers are computed again from their input, which costs a third of a pass and saves most of the memory
/// (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"); with their products at hand it costs
/// next to nothing.
final class Recorder {
  /// The residual stream [T, D] before each layer, and after the last.
  private(set) var streams: [Tensor] = []
  /// What is left out of the inputs of adapters.
  let dropout: AdapterDropout?
  private var products: [Int: LayerProducts] = [:]
  private let keptLayers: Range<Int>
  private let keepsAll: Bool
  private let backend: any TrainingBackend
  private let memory: Workspace

  /// Keeps the products of `keptLayers`, and streams, in `memory`.
  ///
  /// Where not all streams are kept, only the last is.
  init(
    keptLayers: Range<Int>, dropout: AdapterDropout?, backend: any TrainingBackend,
    memory: Workspace, keepsAll: Bool = true
  ) {
    self.keptLayers = keptLayers
    self.keepsAll = keepsAll
    self.dropout = dropout
    self.backend = backend
    self.memory = memory
    memory.reset()
  }

  /// The record of `layer` on the way there; nil when nothing of it is kept.
  func briefRecord(of layer: Int) -> LayerRecord? {
    guard keptLayers.contains(layer) else { return nil }
    let kept = LayerProducts(memory: memory)
    products[layer] = kept
    return LayerRecord(products: kept)
  }

  /// An empty record of `layer` for computing it again.
  func record(of layer: Int) -> LayerRecord {
    products[layer]?.isComplete = true
    return LayerRecord(products: products[layer])
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
