// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// The keys and values of one sequence, layer by layer, and how many positions it holds.
///
/// A class with one owner: it is not Sendable, so two tasks cannot decode on it at once. Layers with a
/// sliding window keep only what their window and one chunk of prefill can reach.
public final class KVCache {
  /// Tokens held; the position of the next one.
  public private(set) var position = 0
  /// Tokens that fit.
  public let capacity: Int
  /// Most tokens that one forward pass may add.
  public let chunk: Int

  package let layers: [LayerCache]
  private let windows: [Int?]
  /// Positions ever written since the last reset: what the rings were overwritten up to.
  private(set) var written = 0
  /// The most that `written` ever was.
  private var mostWritten = 0

  /// The types that a cache may have, the most exact first.
  public static var dtypes: [DType] { LayerCache.dtypes }

  /// A cache for `capacity` tokens of a model, filled at most `chunk` tokens at a time; `dtype` is
  /// one of ``dtypes``.
  ///
  /// Throws when the memory is not there.
  public init(
    _ configuration: ModelConfiguration, capacity: Int, chunk: Int = 512, dtype: DType
  ) throws(TensorError) {
    precondition(capacity > 0 && chunk > 0, "a cache of \(capacity) tokens, \(chunk) at a time")
    self.capacity = capacity
    self.chunk = min(chunk, capacity)
    var layers: [LayerCache] = []
    for layer in 0..<configuration.layers {
      layers.append(
        try LayerCache(
          positions: Self.positions(
            configuration, layer: layer, capacity: capacity, chunk: self.chunk),
          headCount: configuration.keyValueHeads, headWidth: configuration.headWidth, dtype: dtype))
    }
    self.layers = layers
    windows = (0..<configuration.layers).map { configuration.attention.window(layer: $0) }
  }

  /// A cache of its own with the same tokens.
  private init(copying other: KVCache) throws(TensorError) {
    capacity = other.capacity
    chunk = other.chunk
    windows = other.windows
    var layers: [LayerCache] = []
    for layer in other.layers {
      let twin = try layer.emptyTwin()
      twin.copy(other.usedBlocks(layer), from: layer)
      layers.append(twin)
    }
    self.layers = layers
    position = other.position
    written = other.written
    mostWritten = written
  }

  /// A cache of its own with the same tokens: what is added to one is not in the other.
  public func copy() throws(TensorError) -> KVCache { try KVCache(copying: self) }

  /// Bytes held.
  public var byteCount: Int { layers.reduce(0) { $0 + $1.byteCount } }

  /// Bytes that such a cache would take, for planning.
  public static func byteCount(
    _ configuration: ModelConfiguration, capacity: Int, chunk: Int = 512, dtype: DType
  ) -> Int {
    (0..<configuration.layers).reduce(0) { sum, layer in
      sum
        + LayerCache.byteCount(
          positions: positions(
            configuration, layer: layer, capacity: capacity, chunk: min(chunk, capacity)),
          headCount: configuration.keyValueHeads, headWidth: configuration.headWidth, dtype: dtype)
    }
  }

  /// Forgets everything.
  public func reset() {
    position = 0
    written = 0
  }

  /// Whether the cache can go back to its first `count` tokens: a layer with a window must still
  /// hold the keys that the next token would see.
  public func canTruncate(to count: Int) -> Bool {
    count >= 0 && count <= position && holdsWindows(of: count, written: written)
  }

  /// Whether the windows of token `count` are there once positions below `written` were written.
  func holdsWindows(of count: Int, written: Int) -> Bool {
    zip(layers, windows).allSatisfy { layer, window in
      guard let window else { return true }
      // Blocks are overwritten whole, so one block's worth of positions may be gone as well.
      return max(0, count - window + 1) + layer.ringPositions >= written + LayerCache.blockSize
        || written <= layer.ringPositions
    }
  }

  /// Goes back to the first `count` tokens.
  ///
  /// Returns false, and changes nothing, when the windows have moved on too far; the caller then
  /// starts over.
  public func truncate(to count: Int) -> Bool {
    guard canTruncate(to: count) else { return false }
    position = count
    return true
  }

  /// Takes up a state that the layers have been brought into.
  func resume(position: Int, written: Int) {
    precondition(position >= 0 && position <= min(written, capacity), "position \(position)")
    self.position = position
    self.written = written
    mostWritten = max(mostWritten, written)
  }

  /// Blocks of a layer's ring that were ever written.
  func usedBlocks(_ layer: LayerCache) -> Int {
    min(layer.blockCount, (written + LayerCache.blockSize - 1) / LayerCache.blockSize)
  }

  /// Each layer, and whether it sees only a window.
  var windowedLayers: [(layer: LayerCache, hasWindow: Bool)] {
    zip(layers, windows).map { ($0, $1 != nil) }
  }

  package func advance(by count: Int) {
    position += count
    written = max(written, position)
    mostWritten = max(mostWritten, written)
  }

  /// Bytes of memory that the tokens held so far have needed; up to ``byteCount``.
  package var touchedByteCount: Int {
    let blocks = (mostWritten + LayerCache.blockSize - 1) / LayerCache.blockSize
    return layers.reduce(0) { $0 + $1.touchedByteCount(blocks: blocks) }
  }

  /// Positions that a layer keeps: all of them, or the window before a chunk, the chunk, and the
  /// rest of the blocks in which they begin and end.
  private static func positions(
    _ configuration: ModelConfiguration, layer: Int, capacity: Int, chunk: Int
  ) -> Int {
    guard let window = configuration.attention.window(layer: layer) else { return capacity }
    return min(capacity, window + chunk + 2 * LayerCache.blockSize)
  }
}
