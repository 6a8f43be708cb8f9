// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import Testing

/// Layers with a window keep a ring of positions: with a window of 16 and chunks of 8 it holds 192.
@Suite("Cache of keys and values")
struct KVCacheTests {
  /// 500 tokens, more than twice around the ring.
  static let tokens: [Int32] = (0..<500).map { (index: Int32) in
    5 + (index * 37 + index / 7) % 370
  }

  @Test(
    "far beyond the window a ring answers as a cache that keeps everything",
    arguments: Place.exact, ["gemma2", "gemma3", "mistral"])
  func ring(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    let (vocabulary, last) = (transformer.configuration.vocabulary, 100)
    let kept = try transformer.makeCache(capacity: 500, chunk: 500)
    let expected = try transformer.logits(of: Self.tokens, chunk: 500, cache: kept)
      .suffix(last * vocabulary)
    // Of these chunks some divide the ring's blocks of 64 and some straddle them.
    for chunk in place.testDescription == "reference" ? [8] : [1, 5, 8] {
      let cache = try transformer.makeCache(capacity: 500, chunk: chunk)
      #expect(cache.byteCount < kept.byteCount)
      let found = try transformer.logits(of: Self.tokens, chunk: chunk, cache: cache)
      let error = Array(found.suffix(last * vocabulary)).distance(to: expected)
      #expect(error <= PassTests.tolerance, "chunks of \(chunk)")
    }
  }

  @Test(
    "the oracle's continuation to position 255 comes out of a ring of 192",
    arguments: Oracle.families)
  func ringAgainstOracle(family: String) throws {
    let transformer = try Transformer(family)
    let prompt = try Oracle.prompt("full", family)
    #expect(try transformer.greedy(prompt.tokens, count: 64, chunk: 8) == prompt.greedy)
  }

  @Test("a cache goes back exactly as far as its windows reach, and then reads on as before")
  func truncation() throws {
    let transformer = try Transformer("gemma3")
    let cache = try transformer.makeCache(capacity: 600, chunk: 8)
    let vocabulary = transformer.configuration.vocabulary
    let logits = try transformer.logits(of: Self.tokens, chunk: 8, cache: cache)
    let possible = (0...500).filter(cache.canTruncate)
    // The next token sees 15 before it; of 192 positions one block of 64 may be half overwritten.
    let least = 500 - 192 + 64 + 15
    #expect(possible == Array(least...500))
    #expect(!cache.canTruncate(to: 501) && !cache.canTruncate(to: -1))
    #expect(!cache.truncate(to: least - 1))
    #expect(cache.position == 500)
    for count in [499, 450, least] {
      #expect(cache.truncate(to: count))
      #expect(cache.position == count)
      let again = try transformer.logits(of: Array(Self.tokens[count...]), chunk: 8, cache: cache)
      let error = again.distance(to: logits.suffix((500 - count) * vocabulary))
      #expect(error <= PassTests.tolerance, "from \(count)")
    }
  }

  @Test("after going back another text may follow, as if the first had never been")
  func otherText() throws {
    let transformer = try Transformer("gemma3")
    let other = Self.tokens.reversed().prefix(60)
    let cache = try transformer.makeCache(capacity: 600, chunk: 8)
    _ = try transformer.logits(of: Self.tokens, chunk: 8, cache: cache)
    #expect(cache.truncate(to: 400))
    let found = try transformer.logits(of: Array(other), chunk: 8, cache: cache)
    let fresh = try transformer.makeCache(capacity: 600, chunk: 8)
    _ = try transformer.logits(of: Array(Self.tokens.prefix(400)), chunk: 8, cache: fresh)
    let expected = try transformer.logits(of: Array(other), chunk: 8, cache: fresh)
    #expect(found.distance(to: expected) <= PassTests.tolerance)
    // What was overwritten stays overwritten: going back does not give positions back.
    #expect(!cache.canTruncate(to: 380))
  }

  @Test("without windows, or before a ring is full, every beginning can be kept")
  func everyBeginning() throws {
    let global = try Transformer("llama").makeCache(capacity: 600, chunk: 8)
    _ = try Transformer("llama").logits(of: Self.tokens, chunk: 8, cache: global)
    #expect((0...500).allSatisfy(global.canTruncate))
    let windowed = try Transformer("gemma3").makeCache(capacity: 600, chunk: 8)
    _ = try Transformer("gemma3").logits(
      of: Array(Self.tokens.prefix(192)), chunk: 8, cache: windowed)
    #expect((0...192).allSatisfy(windowed.canTruncate))
  }

  @Test("a reset cache is as a new one")
  func reset() throws {
    let transformer = try Transformer("gemma3")
    let prompt = try Oracle.prompt("long", "gemma3")
    let cache = try transformer.makeCache(capacity: 600, chunk: 8)
    _ = try transformer.logits(of: Self.tokens, chunk: 8, cache: cache)
    cache.reset()
    #expect(cache.position == 0)
    let logits = try transformer.logits(of: prompt.tokens, chunk: 8, cache: cache)
    let row = Array(logits.suffix(transformer.configuration.vocabulary))
    #expect(row.distance(to: prompt.logits) <= OracleTests.tolerance)
    #expect(cache.canTruncate(to: 0))
  }

  @Test("bytes are what the formula says, planned and held")
  func byteCounts() throws {
    func known(_ name: String) throws -> ModelConfiguration {
      try #require(ModelConfiguration.known.first { $0.name == name })
    }
    func planned(_ name: String, _ capacity: Int, _ dtype: DType) throws -> Int {
      KVCache.byteCount(try known(name), capacity: capacity, dtype: dtype)
    }
    // Gemma 3 270M: 3 layers of all positions, 15 of a window of 512, a chunk of 512 and two blocks of
    // 64; one head of 256 for keys and one for values.
    #expect(try planned("gemma-3-270m", 32768, .f16) == (3 * 32768 + 15 * 1152) * 2 * 256 * 2)
    #expect(try planned("gemma-3-270m", 32768, .f32) == (3 * 32768 + 15 * 1152) * 2 * 256 * 4)
    #expect(try planned("gemma-3-270m", 32768, .bf16) == (3 * 32768 + 15 * 1152) * 2 * 256 * 2)
    // 34 bytes for 32 numbers in q8_0, 18 in q4_0.
    #expect(try planned("gemma-3-270m", 32768, .q8_0) == (3 * 32768 + 15 * 1152) * 2 * 8 * 34)
    #expect(try planned("gemma-3-270m", 32768, .q4_0) == (3 * 32768 + 15 * 1152) * 2 * 8 * 18)
    #expect(try planned("gemma-3-270m", 512, .f16) == 18 * 512 * 2 * 256 * 2)
    // A capacity is rounded up to whole blocks.
    #expect(try planned("llama-2-7b", 4000, .f16) == 32 * 4032 * 2 * 4096 * 2)
    #expect(try planned("gemma-2-2b", 8192, .f16) == (13 * 8192 + 13 * 4736) * 2 * 1024 * 2)
    for family in Oracle.families {
      let transformer = try Transformer(family)
      for (capacity, chunk, dtype) in [
        (1, 512, DType.f32), (200, 8, .f16), (1000, 100, .f32), (300, 7, .bf16), (65, 3, .q8_0),
        (300, 512, .q4_0),
      ] {
        let cache = try transformer.makeCache(capacity: capacity, chunk: chunk, dtype: dtype)
        #expect(
          cache.byteCount
            == KVCache.byteCount(
              transformer.configuration, capacity: capacity, chunk: chunk, dtype: dtype))
        #expect(cache.capacity == capacity && cache.chunk == min(chunk, capacity))
      }
    }
  }
}
