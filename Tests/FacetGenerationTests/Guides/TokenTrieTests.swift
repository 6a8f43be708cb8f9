// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

@Suite("Tries of vocabularies")
struct TokenTrieTests {
  /// A SentencePiece vocabulary of `count` pieces: short words of few letters, some with spaces in them.
  static func vocabulary(_ count: Int, _ generator: inout SeededGenerator) throws -> Tokenizer {
    let letters = ["a", "b", "▁", "é", "あ", "\n"]
    var strings = PackedStrings()
    var seen: Set<String> = []
    strings.append("</s>".utf8)
    while strings.count < count {
      let piece = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
        letters[Int.random(in: 0..<letters.count, using: &generator)]
      }.joined()
      if seen.insert(piece).inserted { strings.append(piece.utf8) }
    }
    var description = VocabularyDescription(
      model: .sentencePiece, pieces: strings, scores: (0..<count).map { -Float($0) },
      kinds: (0..<count).map { $0 == 0 ? 3 : 1 })
    description.eos = 0
    return try Tokenizer(description)
  }

  /// A folder that is gone after `body`.
  static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = Scratch.path("trie")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test("bytes of a token are added as they are given out one by one")
  func spelled() throws {
    var generator = SeededGenerator.announced("trie", salt: 3)
    let tokenizer = try Self.vocabulary(500, &generator)
    var all: [UInt8] = []
    for token in 0..<TokenID(500) { tokenizer.appendBytes(of: token, to: &all) }
    #expect(all == (0..<TokenID(500)).flatMap(tokenizer.bytes))
  }

  @Test("vocabularies that spell one token otherwise have another fingerprint")
  func fingerprints() throws {
    var generator = SeededGenerator.announced("trie", salt: 4)
    let tokenizer = try Self.vocabulary(300, &generator)
    let other = try Self.vocabulary(300, &generator)
    let shorter = try Self.vocabulary(299, &generator)
    let all = [tokenizer, other, shorter].map(\.spellingFingerprint)
    #expect(Set(all).count == 3)
  }

  @Test("a trie comes back from its file as it was made, and only for its vocabulary")
  func kept() throws {
    var generator = SeededGenerator.announced("trie", salt: 1)
    let tokenizer = try Self.vocabulary(17_000, &generator)
    let made = TokenTrie(tokenizer, count: 17_000)
    try Self.withFolder { folder in
      #expect(TokenTrie.cached(tokenizer, count: 17_000, in: folder) == made)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(names.count == 1)
      let path = folder + "/" + (names.first ?? "")
      let fingerprint = try #require(UInt64(path.split(separator: "-").last ?? "", radix: 16))
      #expect(TokenTrie(path: path, fingerprint: fingerprint, count: 17_000) == made)
      #expect(TokenTrie(path: path, fingerprint: fingerprint &+ 1, count: 17_000) == nil)
      // Tokens that the model does not have.
      #expect(TokenTrie(path: path, fingerprint: fingerprint, count: 16_999) == nil)
      #expect(TokenTrie.cached(tokenizer, count: 17_000, in: folder) == made)
    }
    // A folder that cannot be made is no loss, and small vocabularies are not kept.
    #expect(TokenTrie.cached(tokenizer, count: 17_000, in: "/dev/null/none") == made)
    try Self.withFolder { folder in
      _ = TokenTrie.cached(tokenizer, count: 900, in: folder)
      #expect(!FileManager.default.fileExists(atPath: folder))
    }
  }

  @Test("a damaged file is as good as none: cut off, bits flipped, counts of any size")
  func damaged() throws {
    var generator = SeededGenerator.announced("trie", salt: 2)
    let tokenizer = try Self.vocabulary(200, &generator)
    let made = TokenTrie(tokenizer, count: 200)
    try Self.withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let path = folder + "/trie"
      try made.save(to: path, fingerprint: 7)
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      func read(_ bytes: [UInt8]) throws -> TokenTrie? {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return TokenTrie(path: path, fingerprint: 7, count: 200)
      }
      #expect(try read(whole) == made)
      for length in [0, 1, 7, 31, 32, 33, whole.count - 1] {
        #expect(try read(Array(whole.prefix(length))) == nil)
      }
      #expect(try read(whole + [0]) == nil)
      for _ in 0..<300 {
        var bytes = whole
        let bit = Int.random(in: 0..<bytes.count * 8, using: &generator)
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        // Only what fills an array up to a whole word may differ.
        let found = try read(bytes)
        #expect(found == nil || found == made)
      }
      for place in 16..<32 {
        var bytes = whole
        bytes[place] = 0xFF
        #expect(try read(bytes) == nil)
      }
    }
  }
}
