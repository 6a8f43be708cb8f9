// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a merge makes of a pair: the order in which it is done, and the piece that it gives.
struct Merge: Equatable {
  /// Lower is done first.
  var rank: UInt32
  /// The piece that the pair becomes.
  var token: TokenID
}

/// Finds merges by the ids of their two sides.
struct PairTable: Sendable {
  private var keys: [UInt64]
  private var values: [UInt64]
  private let mask: Int
  private static let empty = UInt64.max

  /// Makes room for `capacity` merges.
  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    keys = [UInt64](repeating: Self.empty, count: size)
    values = [UInt64](repeating: 0, count: size)
    mask = size - 1
  }

  /// Adds a merge, unless the pair already has one.
  mutating func insert(_ left: TokenID, _ right: TokenID, _ merge: Merge) {
    let slot = slot(left, right)
    guard keys[slot] == Self.empty else { return }
    keys[slot] = Self.key(left, right)
    values[slot] = UInt64(merge.rank) << 32 | UInt64(UInt32(bitPattern: merge.token))
  }

  func find(_ left: TokenID, _ right: TokenID) -> Merge? {
    let slot = slot(left, right)
    guard keys[slot] != Self.empty else { return nil }
    return Merge(
      rank: UInt32(values[slot] >> 32), token: TokenID(truncatingIfNeeded: values[slot]))
  }

  private func slot(_ left: TokenID, _ right: TokenID) -> Int {
    let key = Self.key(left, right)
    let mixed = (key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15
    var slot = Int(truncatingIfNeeded: mixed >> 20) & mask
    while keys[slot] != Self.empty && keys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }

  private static func key(_ left: TokenID, _ right: TokenID) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}
