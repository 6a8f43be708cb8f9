// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Best-fit decreasing: lengths go into as few bins of one capacity as a simple rule finds.
enum BinPacking {
  /// Packs `lengths`, none greater than `capacity`, and returns the indices in each bin.
  ///
  /// The longest goes first, each into the fullest bin that still has room for it. Equal lengths keep
  /// their order.
  static func pack(_ lengths: [Int], capacity: Int) -> [[Int]] {
    let order = lengths.indices.sorted {
      lengths[$0] != lengths[$1] ? lengths[$0] > lengths[$1] : $0 < $1
    }
    var bins: [[Int]] = []
    var rooms = Rooms(capacity: capacity)
    for index in order {
      let bin: Int
      let room: Int
      if let found = rooms.take(atLeast: lengths[index]) {
        (room, bin) = found
      } else {
        room = capacity
        bin = bins.count
        bins.append([])
      }
      bins[bin].append(index)
      rooms.put(bin, room: room - lengths[index])
    }
    return bins
  }

  /// Bins by the room that they have left; the smallest sufficient one is found by a bit set.
  private struct Rooms {
    private var bins: [Int: [Int]] = [:]
    private var words: [UInt64]

    init(capacity: Int) { words = [UInt64](repeating: 0, count: capacity / 64 + 1) }

    mutating func put(_ bin: Int, room: Int) {
      guard room > 0 else { return }
      bins[room, default: []].append(bin)
      words[room / 64] |= 1 << UInt64(room % 64)
    }

    mutating func take(atLeast length: Int) -> (room: Int, bin: Int)? {
      var index = length / 64
      guard index < words.count else { return nil }
      var word = words[index] & (~0 << UInt64(length % 64))
      while word == 0 {
        index += 1
        guard index < words.count else { return nil }
        word = words[index]
      }
      let room = index * 64 + word.trailingZeroBitCount
      guard let bin = bins[room]?.popLast() else { return nil }
      if bins[room]?.isEmpty ?? true { words[index] &= ~(1 << UInt64(room % 64)) }
      return (room, bin)
    }
  }
}
