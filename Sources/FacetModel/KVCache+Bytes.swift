// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTensor

// The cache as bytes, for files.
extension KVCache {
  /// What two caches must have in common to read each other's bytes.
  package struct Form: Sendable, Hashable {
    package var keys: DType
    package var values: DType
    package var layers: Int
    /// Positions that a layer with a window keeps; 0: no layer has one.
    package var ring: Int
  }

  package var form: Form {
    let ring = windowedLayers.first { $0.hasWindow }?.layer.ringPositions
    return Form(
      keys: layers.first?.keys.dtype ?? .f32, values: layers.first?.values.dtype ?? .f32,
      layers: layers.count, ring: ring ?? 0)
  }

  /// Positions below which something was ever written: beyond ``position`` after going back.
  package var writtenPositions: Int { form.ring == 0 ? position : written }

  /// Bytes of each part in use when `position` tokens are held and `written` were; see
  /// ``forEachPart(_:)``.
  package func partByteCounts(position: Int, written: Int) -> [Int] {
    var counts: [Int] = []
    for (layer, blocks) in usedLayers(position, written) {
      layer.forEachPart(blocks) { counts.append($0.byteCount) }
    }
    return counts
  }

  /// Lends the bytes in use to `body`, part by part.
  package func forEachPart<E: Error>(_ body: (RawSpan) throws(E) -> Void) throws(E) {
    for (layer, blocks) in usedLayers(position, writtenPositions) {
      try layer.forEachPart(blocks, body)
    }
  }

  /// Takes up what another cache of the same form held, from `offset` of `bytes` on.
  package func read(position: Int, written: Int, from bytes: RawSpan, at offset: Int) {
    precondition(position <= capacity && position <= written, "\(position) of \(written) tokens")
    var offset = offset
    for (layer, blocks) in usedLayers(position, written) {
      layer.read(blocks, from: bytes, at: offset)
      offset += layer.byteCount(blocks: blocks)
    }
    resume(position: position, written: written)
  }

  private func usedLayers(_ position: Int, _ written: Int) -> [(layer: LayerCache, blocks: Int)] {
    windowedLayers.map { layer, hasWindow in
      let positions = hasWindow ? written : position
      let blocks = (positions + LayerCache.blockSize - 1) / LayerCache.blockSize
      return (layer, min(layer.blockCount, blocks))
    }
  }
}
