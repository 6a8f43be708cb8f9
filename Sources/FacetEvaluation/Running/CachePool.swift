// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetModel
import FacetTensor
import FacetTokenizer

/// Caches that all begin with the same tokens, which went through the model once.
final class CachePool {
  /// The tokens that all begin with.
  let prefix: [TokenID]
  /// Tokens that fit into a cache.
  let capacity: Int
  /// Caches that there may be.
  let count: Int

  private let model: LanguageModel
  private var master: KVCache?
  private var caches: [KVCache] = []

  /// Most tokens of one sequence that go through the model at once.
  static let chunk = 512
  /// Most caches.
  private static let most = 48
  /// Bytes that they may take together.
  private static let byteCount = 1 << 30

  /// Caches for texts of at most `longest` tokens.
  init(_ model: LanguageModel, prefix: [TokenID], longest: Int) {
    self.model = model
    self.prefix = prefix
    capacity = max(128, (longest + 127) / 128 * 128)
    let each = KVCache.byteCount(
      model.configuration, capacity: capacity, chunk: Self.chunk,
      dtype: model.transformer.cacheDType)
    count = max(1, min(Self.most, Self.byteCount / max(1, each) - 1))
  }

  /// Cache `index`, holding the prefix and no more; `read` puts tokens into a cache.
  func cache(_ index: Int, read: ([TokenID], KVCache) throws -> Void) throws -> KVCache {
    if caches.indices.contains(index) {
      let cache = caches[index]
      if cache.position >= prefix.count, cache.truncate(to: prefix.count) { return cache }
      caches[index] = try fresh(read)
      return caches[index]
    }
    caches.append(try fresh(read))
    return caches[caches.count - 1]
  }

  /// A cache of its own with the prefix.
  private func fresh(_ read: ([TokenID], KVCache) throws -> Void) throws -> KVCache {
    let make = { [model, capacity] in
      try model.transformer.makeCache(capacity: capacity, chunk: Self.chunk)
    }
    guard !prefix.isEmpty else { return try make() }
    if let master { return try master.copy() }
    let first = try make()
    try read(prefix, first)
    master = first
    return try first.copy()
  }
}
