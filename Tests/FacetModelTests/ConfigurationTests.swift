// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import Testing

/// A known size with its published count of parameters.
struct KnownSize: Sendable, CustomTestStringConvertible {
  let name: String
  let parameters: Int
  var testDescription: String { name }
}

@Suite("Configurations")
struct ConfigurationTests {
  /// Counts of the text stack, with the rows of the embedding that a tokenizer reaches.
  ///
  /// Gemma: those of the reports and of the published files. Llama 2, Mistral, SmolLM2: the sums over the published files.
  static let sizes: [KnownSize] = [
    KnownSize(name: "gemma-2b", parameters: 2_506_172_416),
    KnownSize(name: "gemma-7b", parameters: 8_537_680_896),
    KnownSize(name: "gemma-2-2b", parameters: 2_614_341_888),
    KnownSize(name: "gemma-2-9b", parameters: 9_241_705_984),
    KnownSize(name: "gemma-2-27b", parameters: 27_227_128_320),
    KnownSize(name: "gemma-3-270m", parameters: 268_098_176),
    KnownSize(name: "gemma-3-1b", parameters: 999_885_952),
    // Hugging Face's files have 64 rows of the embedding more.
    KnownSize(name: "gemma-3-4b", parameters: 3_880_263_168 - 64 * 2560),
    KnownSize(name: "gemma-3-12b", parameters: 11_766_034_176 - 64 * 3840),
    KnownSize(name: "gemma-3-27b", parameters: 27_009_346_304 - 64 * 5376),
    KnownSize(name: "llama-2-7b", parameters: 6_738_415_616),
    KnownSize(name: "llama-2-13b", parameters: 13_015_864_320),
    KnownSize(name: "mistral-7b-v0.1", parameters: 7_241_732_096),
    KnownSize(name: "mistral-7b-v0.3", parameters: 7_248_023_552),
    KnownSize(name: "smollm2-135m", parameters: 134_515_008),
    KnownSize(name: "stories260k", parameters: 260_032),
  ]

  @Test("every known size has its published count of parameters", arguments: sizes)
  func parameters(size: KnownSize) throws {
    let row = try #require(ModelConfiguration.known.first { $0.name == size.name })
    let attention = 2 * row.width * (row.queryWidth + row.keyValueWidth)
    let norms =
      (row.hasPostNorms ? 4 : 2) * row.width + (row.hasQueryKeyNorm ? 2 * row.headWidth : 0)
    let layer = attention + 3 * row.width * row.feedForwardWidth + norms
    let tables = (row.tiedEmbeddings ? 1 : 2) * row.vocabulary * row.width
    #expect(row.layers * layer + tables + row.width == size.parameters)
  }

  @Test("no known size is without its count, and no name stands for two")
  func names() {
    #expect(ModelConfiguration.known.map(\.name) == Self.sizes.map(\.name))
    #expect(Set(Self.sizes.map(\.name)).count == Self.sizes.count)
  }

  @Test("attention scales, caps and windows are the reports'")
  func numbers() throws {
    func row(_ name: String) throws -> ModelConfiguration {
      try #require(ModelConfiguration.known.first { $0.name == name })
    }
    #expect(try row("gemma-2-9b").attentionScale == 1 / 16)
    #expect(try row("gemma-2-27b").attentionScale == 1 / 12)
    #expect(try row("gemma-3-27b").attentionScale == 1 / Float(168).squareRoot())
    #expect(try row("gemma-2-2b").attentionSoftCap == 50)
    #expect(try row("gemma-2-2b").finalSoftCap == 30)
    #expect(try row("gemma-3-1b").finalSoftCap == nil)
    let nine = try row("gemma-2-9b")
    #expect((0..<4).map { nine.window(layer: $0) } == [4096, nil, 4096, nil])
    let small = try row("gemma-3-270m")
    #expect((0..<18).filter { small.window(layer: $0) == nil } == [5, 11, 17])
    #expect(small.window(layer: 0) == 512)
    #expect(small.rope(layer: 0) == Rotary(base: 10_000))
    #expect(small.rope(layer: 5) == Rotary(base: 1_000_000))
    #expect(try row("gemma-3-4b").rope == Rotary(base: 1_000_000, scale: 8))
    #expect(try row("gemma-3-4b").localRope == Rotary(base: 10_000))
    #expect(small.embeddingScale == Float(640).squareRoot())
    #expect(try row("mistral-7b-v0.1").window(layer: 31) == 4096)
    #expect(try row("mistral-7b-v0.3").window(layer: 31) == nil)
  }

  /// What a file of Gemma 3 270M must state.
  static func gemma270M() -> ArchitectureDescription {
    var result = ArchitectureDescription(
      architecture: "gemma3", layers: 18, width: 640, feedForwardWidth: 2048, queryHeads: 4,
      keyValueHeads: 1)
    result.vocabulary = 262_144
    return result
  }

  static func small(_ architecture: String) -> ArchitectureDescription {
    var result = ArchitectureDescription(
      architecture: architecture, layers: 7, width: 64, feedForwardWidth: 96, queryHeads: 4,
      keyValueHeads: 2)
    result.vocabulary = 100
    return result
  }

  static func message(_ description: ArchitectureDescription) -> String {
    do {
      _ = try ModelConfiguration(description)
      return "no error"
    } catch { return error.message }
  }
}

extension ConfigurationTests {
  @Test("a silent file of a known shape is that model, whole")
  func silentKnown() throws {
    let row = try #require(ModelConfiguration.known.first { $0.name == "gemma-3-270m" })
    #expect(try ModelConfiguration(Self.gemma270M()) == row)
    var nine = ArchitectureDescription(
      architecture: "gemma2", layers: 42, width: 3584, feedForwardWidth: 14336, queryHeads: 16,
      keyValueHeads: 8)
    nine.vocabulary = 256_000
    #expect(try ModelConfiguration(nine).name == "gemma-2-9b")
    // First published with 224, which is wrong.
    nine.queryPreAttentionScalar = 224
    #expect(try ModelConfiguration(nine).attentionScale == 1 / 16)
  }

  @Test("rows of the embedding that no tokenizer reaches are cut off")
  func unusedRows() throws {
    var description = Self.gemma270M()
    for (rows, expected) in [(262_208, 262_144), (262_272, 262_144), (262_273, 262_273)] {
      description.vocabulary = rows
      #expect(try ModelConfiguration(description).vocabulary == expected)
    }
  }

  @Test("where a file is silent its family's defaults hold")
  func defaults() throws {
    let gemma1 = try ModelConfiguration(Self.small("gemma"))
    #expect(gemma1.headWidth == 256 && gemma1.attentionScale == 1 / 16)
    #expect(gemma1.attention == .global && gemma1.normEpsilon == 1e-6)
    #expect(gemma1.activation == .geluTanh && gemma1.embeddingScale == 8)
    #expect(gemma1.tiedEmbeddings && gemma1.contextLength == 8192)
    #expect(gemma1.rope == Rotary(base: 10_000))

    let gemma2 = try ModelConfiguration(Self.small("gemma2"))
    #expect(gemma2.attention == .alternating(local: 1, global: 1, window: 4096))
    #expect(gemma2.attentionSoftCap == 50 && gemma2.finalSoftCap == 30)

    let gemma3 = try ModelConfiguration(Self.small("gemma3"))
    #expect(gemma3.attention == .alternating(local: 5, global: 1, window: 512))
    #expect(gemma3.rope.base == 1_000_000 && gemma3.localRope.base == 10_000)
    #expect(gemma3.attentionSoftCap == nil && gemma3.finalSoftCap == nil)
    #expect(gemma3.contextLength == 32768)

    let llama = try ModelConfiguration(Self.small("llama"))
    #expect(llama.headWidth == 16 && llama.attentionScale == 1 / 4)
    #expect(llama.attention == .global && llama.normEpsilon == 1e-5)
    #expect(llama.activation == .silu && llama.embeddingScale == 1 && !llama.tiedEmbeddings)
    #expect(llama.contextLength == 2048)

    var mistral = Self.small("mistral")
    mistral.slidingWindow = 32
    #expect(try ModelConfiguration(mistral).attention == .window(32))
  }

  @Test("a pattern is said in the shortest way")
  func patterns() throws {
    func pattern(_ windowed: [Bool]) throws -> AttentionPattern {
      var description = Self.small("gemma3")
      description.slidingWindow = 8
      description.slidingWindowPattern = windowed
      return try ModelConfiguration(description).attention
    }
    let (local, global) = (true, false)
    #expect(
      try pattern([local, local, global, local, local, global, local])
        == .alternating(local: 2, global: 1, window: 8))
    #expect(try pattern(Array(repeating: local, count: 7)) == .window(8))
    #expect(try pattern(Array(repeating: global, count: 7)) == .global)
    let odd = [global, local, local, global, local, local, local]
    #expect(try pattern(odd) == .listed(windowed: odd, window: 8))
    #expect(
      (0..<7).map { AttentionPattern.listed(windowed: odd, window: 8).window(layer: $0) != nil }
        == odd)
  }

  @Test("a file that contradicts what is known of its model is refused")
  func contradictions() throws {
    let remedy = "It is damaged or was converted wrongly; use another file."
    var description = Self.gemma270M()
    description.queryPreAttentionScalar = 100
    #expect(
      Self.message(description)
        == "The file has the shape of gemma-3-270m and states another attention scale (0.1, not 0.0625). "
        + remedy)
    description = Self.gemma270M()
    description.attentionSoftCap = 50
    #expect(
      Self.message(description)
        == "The file has the shape of gemma-3-270m and states another attention soft cap (50.0, not "
        + "none). " + remedy)
    description = Self.gemma270M()
    description.slidingWindow = 1024
    #expect(
      Self.message(description)
        == "The file has the shape of gemma-3-270m and states another attention pattern (5 layers of a "
        + "window of 1024 to 1 that sees all, not 5 layers of a window of 512 to 1 that sees all). "
        + remedy)
    var nine = ArchitectureDescription(
      architecture: "gemma2", layers: 42, width: 3584, feedForwardWidth: 14336, queryHeads: 16,
      keyValueHeads: 8)
    nine.vocabulary = 256_000
    nine.finalSoftCap = 20
    #expect(
      Self.message(nine)
        == "The file has the shape of gemma-2-9b and states another final soft cap (20.0, not 30.0). "
        + remedy)
  }

  @Test("shapes that no model can have are refused with their numbers")
  func refusals() {
    var description = Self.small("gemma4")
    #expect(
      Self.message(description)
        == "Facet does not run the architecture 'gemma4'; it runs gemma, gemma2, gemma3, llama and mistral."
    )
    description = Self.small("llama")
    description.keyValueHeads = 3
    #expect(
      Self.message(description)
        == "The model has 4 query heads and 3 key-value heads; the first must be a multiple of the second."
    )
    description = Self.small("llama")
    description.headWidth = 15
    #expect(
      Self.message(description)
        == "The model has width 64, feed-forward width 96, vocabulary 100, context 2048 and heads of 15; "
        + "all must be positive and the last one even.")
    description = Self.small("llama")
    description.vocabulary = nil
    #expect(
      Self.message(description) == "The model has no embedding, so its vocabulary is unknown.")
    description = Self.small("llama")
    description.queryHeads = 0
    #expect(Self.message(description) == "The model has no layers or no attention heads.")
    description = Self.small("gemma")
    description.activation = "relu"
    #expect(
      Self.message(description) == "The activation 'relu' is not one that gemma1 models have.")
    description = Self.small("gemma3")
    description.slidingWindow = 0
    #expect(Self.message(description) == "The model has a sliding window of 0 tokens.")
    description = Self.small("llama")
    description.ropeScale = 0
    #expect(
      Self.message(description)
        == "The model states an attention scale of 0.25, rotary bases 10000.0 and 10000.0, rotary scale "
        + "0.0 and ε 1e-05; all must be positive.")
  }
}
