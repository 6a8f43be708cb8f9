// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Says which pairs merge, and into what.
protocol MergeRule {
  /// What two neighbouring symbols of `text` become, and the hash state of the bytes of both.
  func merge(_ left: MergeQueue.Symbol, _ right: MergeQueue.Symbol, in text: [UInt8])
    -> (merge: Merge, state: UInt64)?
}

/// Merges the symbols of one word, best pair first, in O(n log n): a linked list of symbols and a
/// binary heap of the pairs that can merge.
///
/// An entry of the heap is the pair's rank and the position of its left symbol in one integer, so
/// that the smallest is the best pair and, among equals, the leftmost. Entries are not removed when
/// a neighbour changes; an entry counts only if its rank is still that of the pair at its position.
struct MergeQueue {
  /// A run of bytes of the text that is one piece, or one character that is none.
  struct Symbol {
    var start: Int
    var end: Int
    /// The piece; -1 when it is not known yet or there is none.
    var token: TokenID
    /// `PieceTable`'s hash state of the bytes, where pieces are found by text.
    var state: UInt64
    var previous: Int32 = -1
    /// The symbol that follows; -1 after the last.
    var next: Int32 = -1
    /// The rank of the merge with the next symbol, where `pairToken` says that there is one.
    var pairRank: UInt32 = 0
    /// What this symbol and the next one become; -1 when they do not merge.
    var pairToken: TokenID = -1
    /// The hash state of the bytes of both.
    var pairState: UInt64 = 0
  }

  /// After `run`: symbol 0 begins the list of what is left, linked by `next`.
  private(set) var symbols: [Symbol] = []
  private var heap: [UInt64] = []

  mutating func removeAll() {
    symbols.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
  }

  mutating func append(start: Int, end: Int, token: TokenID, state: UInt64 = 0) {
    symbols.append(Symbol(start: start, end: end, token: token, state: state))
  }

  /// Merges until nothing merges.
  mutating func run(_ rule: some MergeRule, in text: [UInt8]) {
    let count = symbols.count
    guard count > 0 else { return }
    for index in 0..<count {
      symbols[index].previous = Int32(truncatingIfNeeded: index) - 1
      symbols[index].next = index + 1 < count ? Int32(truncatingIfNeeded: index) + 1 : -1
    }
    for index in 0..<count - 1 { update(index, rule, text) }
    while let entry = popSmallest() {
      let left = Int(entry & 0xFFFF_FFFF)
      guard symbols[left].pairToken >= 0, UInt64(symbols[left].pairRank) == entry >> 32 else {
        continue
      }
      join(left)
      if symbols[left].previous >= 0 { update(Int(symbols[left].previous), rule, text) }
      update(left, rule, text)
    }
  }

  /// Lets symbol `left` swallow the next one.
  private mutating func join(_ left: Int) {
    let right = Int(symbols[left].next)
    symbols[left].token = symbols[left].pairToken
    symbols[left].state = symbols[left].pairState
    symbols[left].end = symbols[right].end
    symbols[left].next = symbols[right].next
    symbols[right].pairToken = -1
    if symbols[left].next >= 0 {
      symbols[Int(symbols[left].next)].previous = Int32(truncatingIfNeeded: left)
    }
  }

  /// Looks up what symbol `left` and the next one become.
  private mutating func update(_ left: Int, _ rule: some MergeRule, _ text: [UInt8]) {
    symbols[left].pairToken = -1
    guard symbols[left].next >= 0,
      let found = rule.merge(symbols[left], symbols[Int(symbols[left].next)], in: text)
    else { return }
    symbols[left].pairToken = found.merge.token
    symbols[left].pairRank = found.merge.rank
    symbols[left].pairState = found.state
    push(UInt64(found.merge.rank) << 32 | UInt64(left))
  }

  private mutating func push(_ entry: UInt64) {
    var hole = heap.count
    heap.append(entry)
    while hole > 0 {
      let parent = (hole - 1) / 2
      guard heap[parent] > entry else { break }
      heap[hole] = heap[parent]
      hole = parent
    }
    heap[hole] = entry
  }

  private mutating func popSmallest() -> UInt64? {
    guard let smallest = heap.first, let last = heap.popLast() else { return nil }
    let count = heap.count
    guard count > 0 else { return smallest }
    var hole = 0
    while true {
      var child = 2 * hole + 1
      guard child < count else { break }
      if child + 1 < count && heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = last
    return smallest
  }
}
