// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
public import FacetTokenizer

extension LanguageModel {
  /// The vectors of `texts`, in their order; each begins with the model's beginning-of-sequence token.
  ///
  /// Short texts share passes. Cancelling the task ends it at the next one.
  public func embed(
    _ texts: [String], options: EmbeddingOptions = EmbeddingOptions()
  ) throws -> [Embedding] {
    // What an encoder read in training ended with the end of sequence.
    let isEncoder = configuration.attentionMask == .bidirectional
    let end = isEncoder ? tokenizer.special.eos.map { [$0] } ?? [] : []
    return try embed(
      tokens: texts.map { tokenizer.encode($0, bos: true) + end }, options: options)
  }

  /// Numbers in a vector that ``embed(_:options:)`` gives.
  public var embeddingWidth: Int {
    transformer.weights.dense.last?.rows ?? configuration.width
  }

  /// The vectors of texts that are tokens already.
  public func embed(
    tokens texts: [[TokenID]], options: EmbeddingOptions = EmbeddingOptions()
  ) throws -> [Embedding] {
    var embedder = try Embedder(self, options)
    return try embedder.embed(texts)
  }
}

/// Reads texts, several in one pass where they are short, and pools the states of their tokens.
private struct Embedder {
  /// A text on its way.
  private struct Text {
    /// Its place among the texts asked for.
    var place: Int
    var tokens: [TokenID]
  }

  /// Tokens that share a pass at most; a text of an encoder is read at once, however long.
  private static let sharedTokens = 512
  private let mostTokens: Int

  private let model: LanguageModel
  private let options: EmbeddingOptions
  private let pass: StatePass
  /// Of sequences done, for those to come.
  private var spare: [KVCache] = []

  init(_ model: LanguageModel, _ options: EmbeddingOptions) throws(GenerationError) {
    let width = model.embeddingWidth
    if let dimensions = options.dimensions, dimensions < 1 || dimensions > width {
      throw GenerationError(
        .invalidOption,
        "Vectors of \(dimensions) dimensions are asked for; \(model.card.name) gives between 1 and "
          + "\(width).")
    }
    self.model = model
    self.options = options
    let isEncoder = model.configuration.attentionMask == .bidirectional
    mostTokens = isEncoder ? model.configuration.contextLength : Self.sharedTokens
    pass = StatePass(model.transformer)
  }

  mutating func embed(_ texts: [[TokenID]]) throws -> [Embedding] {
    let texts = try texts.enumerated().map { Text(place: $0, tokens: try fitting($1, $0)) }
    var vectors = [Embedding](repeating: Embedding(vector: [], tokenCount: 0), count: texts.count)
    for group in Self.groups(texts) {
      for (text, vector) in zip(group, try read(group)) {
        vectors[text.place] = Embedding(vector: finished(vector), tokenCount: text.tokens.count)
      }
    }
    return vectors
  }

  private func fitting(_ tokens: [TokenID], _ place: Int) throws(GenerationError) -> [TokenID] {
    let most = model.configuration.contextLength
    guard !tokens.isEmpty else {
      throw GenerationError(
        .emptyInput, "Text \(place + 1) has no tokens; give at least one word.")
    }
    if tokens.count > most, options.overlong == .refuse {
      throw GenerationError(
        .contextFull,
        "Text \(place + 1) has \(tokens.count) tokens and \(model.card.name) takes \(most). Shorten it, "
          + "or ask for its beginning.")
    }
    return Array(tokens.prefix(most))
  }

  /// Texts that are read together: shorter ones first, as many as fit a pass.
  private static func groups(_ texts: [Text]) -> [[Text]] {
    var groups: [[Text]] = []
    var room = 0
    for text in texts.sorted(by: { ($0.tokens.count, $0.place) < ($1.tokens.count, $1.place) }) {
      if text.tokens.count > room {
        groups.append([])
        room = sharedTokens
      }
      groups[groups.count - 1].append(text)
      room -= text.tokens.count
    }
    return groups
  }

  /// The pooled states of texts whose caches are filled together; a long one comes alone, in parts.
  private mutating func read(_ group: [Text]) throws -> [[Double]] {
    let longest = group.map(\.tokens.count).max() ?? 0
    let caches = try group.map { try cache(for: $0.tokens.count) }
    defer { spare += caches }
    let width = model.configuration.width
    var sums = [[Double]](repeating: Array(repeating: 0, count: width), count: group.count)
    for start in stride(from: 0, to: longest, by: mostTokens) {
      try Task.checkCancellation()
      let parts = group.map { $0.tokens.dropFirst(start).prefix(mostTokens) }
      let batch = Batch(
        parts.flatMap { $0 },
        sequences: zip(caches, parts).map {
          Batch.Sequence(cache: $0, count: $1.count, adapters: model.adapters)
        }, logits: .none)
      try pass.read(batch) { states in
        states.withFloats { add($0, of: parts.map(\.count), to: &sums) }
      }
    }
    guard options.pooling == .mean else { return try pass.projected(sums) }
    let means = zip(sums, group).map { sum, text in sum.map { $0 / Double(text.tokens.count) } }
    return try pass.projected(means)
  }

  /// Adds the states [T, D] of some tokens of each sequence to its sum, or puts the last in its place.
  private func add(_ states: Span<Float>, of counts: [Int], to sums: inout [[Double]]) {
    let width = model.configuration.width
    var row = 0
    for (index, count) in counts.enumerated() {
      let end = row + count
      for row in (options.pooling == .mean ? row : end - 1)..<end {
        for column in 0..<width {
          let value = Double(states[row * width + column])
          sums[index][column] = options.pooling == .mean ? sums[index][column] + value : value
        }
      }
      row = end
    }
  }

  private mutating func cache(for count: Int) throws -> KVCache {
    if let index = spare.firstIndex(where: { $0.capacity >= count }) {
      let cache = spare.remove(at: index)
      cache.reset()
      return cache
    }
    spare = []
    let capacity = min(model.configuration.contextLength, (count + 63) / 64 * 64)
    return try model.transformer.makeCache(capacity: capacity, chunk: mostTokens)
  }

  /// The first numbers of a vector, scaled.
  private func finished(_ vector: [Double]) -> [Float] {
    let kept = vector.prefix(options.dimensions ?? vector.count)
    let length = kept.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let factor = options.scaling == .unit && length > 0 ? 1 / length : 1
    return kept.map { Float($0 * factor) }
  }
}
