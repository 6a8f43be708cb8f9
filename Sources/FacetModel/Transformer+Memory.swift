// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTensor

extension Transformer {
  /// The type of keys and values where none is asked for: half precision unless the path is exact.
  package static func cacheDType(_ precision: Precision) -> DType {
    precision == .exact ? .f32 : .f16
  }

  /// Bytes of activations that a pass of `tokens` tokens needs, with the logits of `rows` of them.
  ///
  /// The same tensors as the forward pass takes, in the same order.
  public static func activationByteCount(
    _ configuration: ModelConfiguration, tokens: Int, rows: Int = 1
  ) -> Int {
    let angles = configuration.localRope == configuration.rope ? 1 : 2
    let shared = configuration.width + angles * 2 * (configuration.headWidth / 2)
    let attention =
      configuration.width + 2 * configuration.queryWidth + 2 * configuration.keyValueWidth
    let feedForward = configuration.width + configuration.feedForwardWidth
    // A layer's branches follow one another without giving back in between.
    let layer = tokens * (shared + attention + feedForward)
    let logits = tokens * shared + rows * (configuration.width + configuration.vocabulary)
    return max(layer, logits) * MemoryLayout<Float>.size
  }
}
