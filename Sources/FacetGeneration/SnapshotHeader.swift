// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

/// The first words of a snapshot: what it is, and what it belongs to.
struct SnapshotHeader {
  /// See ``Transformer/identity``.
  var identity: UInt64
  /// Types of the cache's numbers.
  var keys: UInt32
  var values: UInt32
  var layers: Int
  /// See ``KVCache/Form``.
  var ring: Int
  /// Tokens held.
  var position: Int
  /// Positions below which the cache was written.
  var written: Int

  static let byteCount = 72

  private static let magic: UInt64 = 0x0a50_414e_5354_4346  // "FCTSNAP\n"
  private static let version: UInt64 = 1

  init(
    identity: UInt64, keys: UInt32, values: UInt32, layers: Int, ring: Int, position: Int,
    written: Int
  ) {
    self.identity = identity
    self.keys = keys
    self.values = values
    self.layers = layers
    self.ring = ring
    self.position = position
    self.written = written
  }

  /// Reads the header of the file at `path`.
  init(_ bytes: [UInt8], path: String) throws(GenerationError) {
    let words = Self.words(bytes)
    guard words.first == Self.magic else {
      throw GenerationError(
        .unreadable, "'\(path)' is not a snapshot of a session. Name another file.")
    }
    guard words.count == Self.byteCount / 8 else {
      throw GenerationError(.unreadable, "The snapshot '\(path)' is cut off. Delete it.")
    }
    guard words[1] == Self.version else {
      throw GenerationError(
        .unreadable,
        "The snapshot '\(path)' is of version \(words[1]), and only version \(Self.version) can be read. "
          + "Delete it.")
    }
    // Beyond these no file is honest, and sums of them do not overflow.
    guard
      let sizes = Self.sizes(words[5...]), let keys = UInt32(exactly: words[3]),
      let values = UInt32(exactly: words[4])
    else {
      throw GenerationError(.unreadable, "The snapshot '\(path)' is damaged. Delete it.")
    }
    self.init(
      identity: words[2], keys: keys, values: values, layers: sizes[0], ring: sizes[1],
      position: sizes[2], written: sizes[3])
  }

  /// Four sizes of which the third is not above the fourth; nil when one is beyond reason.
  private static func sizes(_ words: ArraySlice<UInt64>) -> [Int]? {
    let sizes = words.compactMap { $0 <= 1 << 31 ? Int($0) : nil }
    return sizes.count == 4 && sizes[2] <= sizes[3] ? sizes : nil
  }

  /// The header as it stands in the file.
  var bytes: [UInt8] {
    let sizes = [layers, ring, position, written].map { UInt64($0) }
    let words = [Self.magic, Self.version, identity, UInt64(keys), UInt64(values)] + sizes
    return words.flatMap { Self.bytes(of: $0) }
  }
}

// MARK: - Numbers

extension SnapshotHeader {
  static func bytes(of word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
  }

  static func bytes(of tokens: [TokenID]) -> [UInt8] {
    tokens.flatMap { token in (0..<4).map { UInt8(truncatingIfNeeded: token >> (8 * $0)) } }
  }

  /// The whole words in `bytes`.
  static func words(_ bytes: [UInt8]) -> [UInt64] {
    stride(from: 0, to: bytes.count / 8 * 8, by: 8).map { start in
      bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  /// The whole tokens in `bytes`.
  static func tokens(_ bytes: [UInt8]) -> [TokenID] {
    stride(from: 0, to: bytes.count / 4 * 4, by: 4).map { start in
      let bits = bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return TokenID(bitPattern: bits)
    }
  }
}
