// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.
import FacetTensor

internal import FacetCheckpoint

extension ModelConfiguration {
  /// The known sizes, one row each.
  ///
  /// Sources: the reports and reference code of each family.
  public static let known: [ModelConfiguration] = [
    .gemma1("gemma-2b", 18, 2048, 16384, 8, 1),
    .gemma1("gemma-7b", 28, 3072, 24576, 16, 16),
    .gemma2("gemma-2-2b", 26, 2304, 9216, 8, 4),
    .gemma2("gemma-2-9b", 42, 3584, 14336, 16, 8),
    .gemma2("gemma-2-27b", 46, 4608, 36864, 32, 16, headWidth: 128, queryPreAttentionScalar: 144),
    .gemma3("gemma-3-270m", 18, 640, 2048, 4, 1, window: 512, context: 32768),
    .gemma3("gemma-3-1b", 26, 1152, 6912, 4, 1, window: 512, context: 32768),
    .gemma3("gemma-3-4b", 34, 2560, 10240, 8, 4, window: 1024, context: 131072, ropeScale: 8),
    .gemma3("gemma-3-12b", 48, 3840, 15360, 16, 8, window: 1024, context: 131072, ropeScale: 8),
    .gemma3(
      "gemma-3-27b", 62, 5376, 21504, 32, 16, window: 1024, context: 131072, ropeScale: 8,
      headWidth: 128, queryPreAttentionScalar: 168),
    .llama("llama-2-7b", 32, 4096, 11008, 32, 32, headWidth: 128, vocabulary: 32000, context: 4096),
    .llama(
      "llama-2-13b", 40, 5120, 13824, 40, 40, headWidth: 128, vocabulary: 32000, context: 4096),
    .llama(
      "mistral-7b-v0.1", 32, 4096, 14336, 32, 8, headWidth: 128, vocabulary: 32000, context: 32768,
      attention: .window(4096)),
    .llama(
      "mistral-7b-v0.3", 32, 4096, 14336, 32, 8, headWidth: 128, vocabulary: 32768, context: 32768,
      ropeBase: 1_000_000),
    .llama(
      "smollm2-135m", 30, 576, 1536, 9, 3, headWidth: 64, vocabulary: 49152, context: 8192,
      ropeBase: 100_000, tied: true),
    .llama(
      "stories260k", 5, 64, 172, 8, 4, headWidth: 8, vocabulary: 512, context: 512, tied: true),
  ]

  private static func gemma1(
    _ name: String, _ layers: Int, _ width: Int, _ feedForward: Int, _ heads: Int,
    _ keyValueHeads: Int
  ) -> ModelConfiguration {
    ModelConfiguration(
      name: name, family: .gemma1, layers: layers, width: width, feedForwardWidth: feedForward,
      queryHeads: heads, keyValueHeads: keyValueHeads, headWidth: 256, vocabulary: 256_000,
      contextLength: 8192, attention: .global, attentionScale: 1 / 16, normEpsilon: 1e-6,
      activation: .geluTanh, embeddingScale: Float(width).squareRoot(), rope: Rotary(base: 10_000),
      localRope: Rotary(base: 10_000), rotaryLayout: .halfSplit, tiedEmbeddings: true)
  }

  private static func gemma2(
    _ name: String, _ layers: Int, _ width: Int, _ feedForward: Int, _ heads: Int,
    _ keyValueHeads: Int, headWidth: Int = 256, queryPreAttentionScalar: Float = 256
  ) -> ModelConfiguration {
    var row = gemma1(name, layers, width, feedForward, heads, keyValueHeads)
    row.family = .gemma2
    row.headWidth = headWidth
    row.attention = .alternating(local: 1, global: 1, window: 4096)
    row.attentionScale = 1 / queryPreAttentionScalar.squareRoot()
    row.attentionSoftCap = 50
    row.finalSoftCap = 30
    return row
  }

  private static func gemma3(
    _ name: String, _ layers: Int, _ width: Int, _ feedForward: Int, _ heads: Int,
    _ keyValueHeads: Int, window: Int, context: Int, ropeScale: Float = 1, headWidth: Int = 256,
    queryPreAttentionScalar: Float = 256
  ) -> ModelConfiguration {
    var row = gemma1(name, layers, width, feedForward, heads, keyValueHeads)
    row.family = .gemma3
    row.headWidth = headWidth
    row.vocabulary = 262_144
    row.contextLength = context
    row.attention = .alternating(local: 5, global: 1, window: window)
    row.attentionScale = 1 / queryPreAttentionScalar.squareRoot()
    row.rope = Rotary(base: 1_000_000, scale: ropeScale)
    return row
  }

  private static func llama(
    _ name: String, _ layers: Int, _ width: Int, _ feedForward: Int, _ heads: Int,
    _ keyValueHeads: Int, headWidth: Int, vocabulary: Int, context: Int, ropeBase: Float = 10_000,
    attention: AttentionPattern = .global, tied: Bool = false
  ) -> ModelConfiguration {
    ModelConfiguration(
      name: name, family: .llama, layers: layers, width: width, feedForwardWidth: feedForward,
      queryHeads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth,
      vocabulary: vocabulary, contextLength: context, attention: attention,
      attentionScale: 1 / Float(headWidth).squareRoot(), normEpsilon: 1e-5, activation: .silu,
      embeddingScale: 1, rope: Rotary(base: ropeBase), localRope: Rotary(base: ropeBase),
      rotaryLayout: .halfSplit, tiedEmbeddings: tied)
  }
}
