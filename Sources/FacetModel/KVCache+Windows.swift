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
}
