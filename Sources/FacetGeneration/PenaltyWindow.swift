// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

/// The last tokens of a sequence and how often each occurs: what penalties look back on.
struct PenaltyWindow {
  /// Tokens looked back on: 0 none, -1 all.
  let size: Int

  private var ring: [TokenID] = []
  private var oldest = 0
  /// Occurrences in the window.
  ///
  /// Never iterated in an order that matters: each token is adjusted alone.
  private(set) var counts: [TokenID: Int] = [:]

  init(size: Int) {
    self.size = size
  }

  /// Puts `token` in; the oldest falls out when the window is full.
  mutating func append(_ token: TokenID) {
    if size == 0 { return }
    counts[token, default: 0] += 1
    if size < 0 { return }
    if ring.count < size {
      ring.append(token)
      return
    }
    let leaving = ring[oldest]
    ring[oldest] = token
    oldest = (oldest + 1) % size
    if let count = counts[leaving] { counts[leaving] = count > 1 ? count - 1 : nil }
  }

  /// Empties the window.
  mutating func removeAll() {
    ring.removeAll(keepingCapacity: true)
    oldest = 0
    counts.removeAll(keepingCapacity: true)
  }
}
