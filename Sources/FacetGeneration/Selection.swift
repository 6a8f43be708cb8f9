// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTokenizer

/// Finds where a descending order would be cut, without sorting: by a heap of the k greatest, or by
/// quickselect on weight.
struct Selection {
  /// A key and whose it is.
  ///
  /// Equal keys are ordered by token, so every order is total and repeatable.
  struct Entry {
    var key: Float
    var token: TokenID
    var weight: Float

    /// Whether this entry stands before `other` in the descending order.
    @inline(__always)
    func precedes(_ other: Entry) -> Bool {
      key != other.key ? key > other.key : token < other.token
    }
  }

  private var entries: [Entry] = []

  /// The last of the `count` greatest logits; nil when fewer are above -∞.
  mutating func cutoff(_ logits: Span<Float>, top count: Int) -> Entry? {
    fillHeap(logits, top: count)
    return entries.count == count ? entries.first : nil
  }

  /// The `count` greatest logits in descending order, passed to `body` one by one.
  mutating func forEachOfTop(_ count: Int, of logits: Span<Float>, _ body: (Entry) -> Void) {
    fillHeap(logits, top: count)
    var end = entries.count
    while end > 1 {
      end -= 1
      entries.swapAt(0, end)
      siftDown(0, end)
    }
    for entry in entries { body(entry) }
  }

  /// The last entry of the shortest prefix of the descending order that weighs `mass` or more; nil
  /// when all together weigh less.
  mutating func cutoff(
    mass: Double, of list: [Candidates.Candidate], by key: (Candidates.Candidate) -> Float
  ) -> Entry? {
    entries.removeAll(keepingCapacity: true)
    for candidate in list {
      entries.append(
        Entry(key: key(candidate), token: candidate.token, weight: candidate.weight))
    }
    var missing = mass
    var begin = 0
    var end = entries.count
    while begin < end {
      let (pivot, weight) = partition(begin, end)
      if weight >= missing, pivot > begin {
        end = pivot
      } else if weight + Double(entries[pivot].weight) >= missing {
        return entries[pivot]
      } else {
        missing -= weight + Double(entries[pivot].weight)
        begin = pivot + 1
      }
    }
    return nil
  }
}

// MARK: - Quickselect

extension Selection {
  /// Puts what precedes a pivot before it and the rest after it; returns where the pivot came to
  /// stand and what those before it weigh.
  ///
  /// The pivot is the median of the first, middle and last entry.
  private mutating func partition(_ begin: Int, _ end: Int) -> (pivot: Int, weight: Double) {
    let last = end - 1
    let middle = begin + (end - begin) / 2
    if entries[middle].precedes(entries[begin]) { entries.swapAt(middle, begin) }
    if entries[last].precedes(entries[begin]) { entries.swapAt(last, begin) }
    if entries[middle].precedes(entries[last]) { entries.swapAt(middle, last) }
    let pivot = entries[last]
    var store = begin
    var weight = 0.0
    for index in begin..<last where entries[index].precedes(pivot) {
      weight += Double(entries[index].weight)
      entries.swapAt(index, store)
      store += 1
    }
    entries.swapAt(store, last)
    return (store, weight)
  }
}

// MARK: - Heap

extension Selection {
  private static var block: Int { 256 }

  /// Leaves the `count` greatest logits as a heap whose root is the last of them.
  ///
  /// Blocks without any logit above the root are passed over.
  private mutating func fillHeap(_ logits: Span<Float>, top count: Int) {
    entries.removeAll(keepingCapacity: true)
    guard count > 0 else { return }
    var least = -Float.infinity
    var start = 0
    while start < logits.count {
      let end = min(start + Self.block, logits.count)
      if logits.maximum(in: start..<end) > least {
        for index in start..<end where logits[index] > least {
          push(Entry(key: logits[index], token: TokenID(index), weight: 0), limit: count)
          if entries.count == count { least = entries[0].key }
        }
      }
      start = end
    }
  }

  private mutating func push(_ entry: Entry, limit: Int) {
    if entries.count == limit {
      entries[0] = entry
      siftDown(0, limit)
      return
    }
    entries.append(entry)
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[parent].precedes(entries[child]) else { break }
      entries.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int, _ count: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      guard child < count else { return }
      if child + 1 < count, entries[child].precedes(entries[child + 1]) { child += 1 }
      guard entries[parent].precedes(entries[child]) else { return }
      entries.swapAt(parent, child)
      parent = child
    }
  }
}
