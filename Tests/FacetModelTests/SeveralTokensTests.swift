// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import Testing

/// Tokens read a few at a time, and taken back, leave no trace.
@Suite("A few tokens at once")
struct SeveralTokensTests {
  static let places = Place.cpu(.exact) + Place.cpu(.fast)

  @Test(
    "logits after each are, bit for bit, those of reading one by one", arguments: places,
    Oracle.families)
  func sameBits(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    let tokens = Array(KVCacheTests.tokens.prefix(250))
    // The beginning is read alike, as a prompt is; what follows crosses blocks and windows.
    func logits(_ count: Int) throws -> [Float] {
      let cache = try transformer.makeCache(capacity: 256, chunk: 16)
      let workspace = Workspace()
      for start in stride(from: 0, to: 160, by: 16) {
        _ = try transformer.forward(
          Batch(Array(tokens[start..<start + 16]), cache: cache, logits: .none),
          workspace: workspace)
      }
      var rows: [Float] = []
      for start in stride(from: 160, to: tokens.count, by: count) {
        let part = Array(tokens[start..<min(tokens.count, start + count)])
        rows += try transformer.forward(
          Batch(part, cache: cache, logits: .all), workspace: workspace
        ).floats()
      }
      return rows
    }
    let single = try logits(1)
    for count in 2...CPUBackend.decodeTokens { #expect(try logits(count) == single) }
  }

  @Test(
    "wrong tokens that are taken back change no bit of what follows", arguments: places, ["gemma3"])
  func takenBack(place: Place, family: String) throws {
    let transformer = try Transformer(family, on: place.backend)
    let tokens = Array(KVCacheTests.tokens.prefix(400))
    func logits(wrong: Int) throws -> [Float] {
      let cache = try transformer.makeCache(capacity: 500, chunk: 8)
      let workspace = Workspace()
      var rows: [Float] = []
      for token in tokens {
        let guesses = (0..<wrong).map { (token + 7 + Int32($0)) % 300 }
        let before = cache.position
        let row = try transformer.forward(
          Batch([token] + guesses, cache: cache, logits: .rows([0])), workspace: workspace)
        rows += row.floats()
        let isBack = cache.truncate(to: before + 1)
        #expect(isBack)
      }
      return rows
    }
    let straight = try logits(wrong: 0)
    for wrong in 1..<CPUBackend.decodeTokens { #expect(try logits(wrong: wrong) == straight) }
  }

  @Test("a cache goes back with a copy of its windows where alone it cannot")
  func windowCopies() throws {
    let transformer = try Transformer("gemma3")
    let tokens = KVCacheTests.tokens
    let cache = try transformer.makeCache(capacity: 600, chunk: 8)
    let workspace = Workspace()
    func read(_ range: Range<Int>, _ cache: KVCache) throws -> [Float] {
      var last: [Float] = []
      for token in tokens[range] {
        last = try transformer.forward(Batch([token], cache: cache), workspace: workspace).floats()
      }
      return last
    }
    _ = try read(0..<200, cache)
    let windows = try cache.copyOfWindows()
    #expect(windows.position == 200 && windows.byteCount > 0)
    #expect(!cache.loses(200, adding: 8))
    #expect(cache.loses(200, adding: 300))
    let straight = try read(200..<460, cache)
    #expect(!cache.canTruncate(to: 200))
    #expect(!cache.truncate(to: 201, with: windows))
    let isBack = cache.truncate(to: 190, with: windows)
    #expect(isBack && cache.position == 190)
    #expect(try read(190..<460, cache) == straight)
  }

  @Test("a copied cache and the one it was made of go separate ways")
  func copies() throws {
    let transformer = try Transformer("gemma3")
    let tokens = KVCacheTests.tokens
    let cache = try transformer.makeCache(capacity: 600, chunk: 8)
    _ = try transformer.logits(of: Array(tokens.prefix(203)), chunk: 8, cache: cache)
    let copy = try cache.copy()
    #expect(copy.position == 203 && copy.byteCount == cache.byteCount)
    let other = try transformer.logits(
      of: Array(tokens.suffix(40).reversed()), chunk: 8, cache: copy)
    let next = try transformer.logits(of: Array(tokens[203..<240]), chunk: 8, cache: cache)
    let alone = try transformer.makeCache(capacity: 600, chunk: 8)
    _ = try transformer.logits(of: Array(tokens.prefix(203)), chunk: 8, cache: alone)
    #expect(try transformer.logits(of: Array(tokens[203..<240]), chunk: 8, cache: alone) == next)
    #expect(other != next)
  }
}
