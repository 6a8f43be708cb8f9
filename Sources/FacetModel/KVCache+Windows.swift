// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTensor

extension KVCache {
  /// What layers with a window held at some position: they forget it, the others do not.
  package struct Windows: Sendable {
    /// Tokens that were held.
    package let position: Int
    fileprivate let written: Int
    fileprivate let layers: [LayerCache?]

    /// Bytes held.
    package var byteCount: Int { layers.reduce(0) { $0 + ($1?.byteCount ?? 0) } }
  }

  /// Whether `count` tokens more would overwrite what going back to `position` needs.
  package func loses(_ position: Int, adding count: Int) -> Bool {
    !holdsWindows(of: position, written: max(written, self.position + count))
  }

  /// A copy of what the layers with a window hold now.
  package func copyOfWindows() throws(TensorError) -> Windows {
    var copies: [LayerCache?] = []
    for (layer, hasWindow) in windowedLayers {
      let copy = hasWindow ? try layer.emptyTwin() : nil
      copy?.copy(usedBlocks(layer), from: layer)
      copies.append(copy)
    }
    return Windows(position: position, written: written, layers: copies)
  }

  /// Goes back to the first `count` tokens with the help of a copy.
  ///
  /// The first `windows.position` tokens must be the same as when it was made. Returns false, and
  /// changes nothing, when the copy does not reach so far back.
  package func truncate(to count: Int, with windows: Windows) -> Bool {
    guard count <= windows.position, holdsWindows(of: count, written: windows.written) else {
      return false
    }
    for (layer, copy) in zip(layers, windows.layers) {
      if let copy { layer.copy(copy.blockCount, from: copy) }
    }
    resume(position: count, written: windows.written)
    return true
  }

  /// Whether ``truncate(to:with:)`` can go back to `count` tokens.
  package func canTruncate(to count: Int, with windows: Windows) -> Bool {
    count >= 0 && count <= windows.position && count <= position
      && holdsWindows(of: count, written: windows.written)
  }

  /// Becomes the first `count` tokens of `other`, a cache of the same shape; what layers with a window
  /// held is taken from `windows`, if they are given.
  ///
  /// Returns false, and changes nothing, when the windows have moved on too far.
  package func take(_ count: Int, of other: KVCache, with windows: Windows? = nil) -> Bool {
    precondition(
      capacity == other.capacity && layers.count == other.layers.count, "caches of two shapes")
    let isHeld =
      windows.map { other.canTruncate(to: count, with: $0) } ?? other.canTruncate(to: count)
    guard isHeld else { return false }
    var written = windows?.written ?? other.written
    // While no ring has gone round, what lies beyond `count` is overwritten before anybody sees it.
    if windowedLayers.allSatisfy({ !$0.hasWindow || written <= $0.layer.ringPositions }) {
      written = count
    }
    func blocks(_ positions: Int) -> Int {
      (positions + LayerCache.blockSize - 1) / LayerCache.blockSize
    }
    for (index, (layer, hasWindow)) in windowedLayers.enumerated() {
      let source = windows?.layers[index] ?? other.layers[index]
      layer.copy(min(layer.blockCount, blocks(hasWindow ? written : count)), from: source)
    }
    resume(position: count, written: written)
    return true
  }
}
