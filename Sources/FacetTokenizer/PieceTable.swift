// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Finds pieces by their bytes: open addressing over one array, no object per piece.
///
/// Lookups that fail are the common case in merging, so a slot carries 32 bits of the hash beside
/// the id and most misses never touch the pieces' bytes.
struct PieceTable: Sendable {
  let strings: PackedStrings
  /// Low half: id + 1 (0 is an empty slot); high half: the hash's high half.
  private var slots: [UInt64]
  private let mask: Int

  /// Indexes the strings that are named; of equal strings the first is found.
  init(_ strings: PackedStrings, ids: some Collection<Int>) {
    self.strings = strings
    var size = 16
    while size < ids.count * 2 { size *= 2 }
    slots = [UInt64](repeating: 0, count: size)
    mask = size - 1
    for index in ids { insert(index) }
  }

  private mutating func insert(_ index: Int) {
    let range = strings.range(index)
    let hash = Self.hash(strings.bytes, range)
    let tag = hash & 0xFFFF_FFFF_0000_0000
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      if slots[slot] & 0xFFFF_FFFF_0000_0000 == tag,
        equals(Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1, strings.bytes, range)
      {
        return
      }
      slot = (slot + 1) & mask
    }
    slots[slot] = tag | UInt64(index + 1)
  }

  /// The id of the piece with the bytes `text[range]`.
  func find(_ text: [UInt8], _ range: Range<Int>) -> TokenID? {
    find(text, range, state: Self.extend(Self.seed, text, range))
  }

  /// The same, where the hash state of those bytes is already known.
  func find(_ text: [UInt8], _ range: Range<Int>, state: UInt64) -> TokenID? {
    let hash = Self.finish(state)
    let tag = hash & 0xFFFF_FFFF_0000_0000
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      if slots[slot] & 0xFFFF_FFFF_0000_0000 == tag {
        let index = Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1
        if equals(index, text, range) { return TokenID(truncatingIfNeeded: index) }
      }
      slot = (slot + 1) & mask
    }
    return nil
  }

  func find(_ text: some Sequence<UInt8>) -> TokenID? {
    let bytes = [UInt8](text)
    return find(bytes, bytes.indices)
  }

  private func equals(_ index: Int, _ text: [UInt8], _ range: Range<Int>) -> Bool {
    let own = strings.range(index)
    guard own.count == range.count else { return false }
    var left = own.lowerBound
    var right = range.lowerBound
    while left < own.upperBound {
      if strings.bytes[left] != text[right] { return false }
      left += 1
      right += 1
    }
    return true
  }

  // FNV-1a: the state of a concatenation follows from the state of its left part.
  static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

  static func extend(_ state: UInt64, _ text: [UInt8], _ range: Range<Int>) -> UInt64 {
    var state = state
    var index = range.lowerBound
    while index < range.upperBound {
      state = (state ^ UInt64(text[index])) &* 0x100_0000_01B3
      index += 1
    }
    return state
  }

  static func finish(_ state: UInt64) -> UInt64 {
    let mixed = (state ^ (state >> 32)) &* 0x9E37_79B9_7F4A_7C15
    return mixed ^ (mixed >> 29)
  }

  static func hash(_ text: [UInt8], _ range: Range<Int>) -> UInt64 {
    finish(extend(seed, text, range))
  }
}
