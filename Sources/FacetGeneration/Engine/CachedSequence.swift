// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

/// A cache and the tokens in it, which may be the beginning of other prompts.
///
/// Layers with a sliding window forget what lies far back. At its anchors a sequence keeps a copy of what
/// they held, once they are about to move on, so that another one may begin there.
final class CachedSequence {
  let cache: KVCache
  let adapters: [Adapter]
  /// The tokens whose keys and values the cache holds.
  private(set) var tokens: [TokenID]
  /// Places to which somebody is likely to go back, ascending.
  private var anchors: [Int] = []
  /// What the windows held at anchors, ascending.
  private var marks: [KVCache.Windows] = []

  /// Most copies of windows that a sequence keeps.
  private static let mostMarks = 4

  /// Nothing in `cache`, which is reset.
  init(_ cache: KVCache, adapters: [Adapter]) {
    cache.reset()
    self.cache = cache
    self.adapters = adapters
    tokens = []
  }

  /// Bytes of memory behind it.
  var byteCount: Int { marks.reduce(cache.touchedByteCount) { $0 + $1.byteCount } }

  // MARK: Growing

  /// How many of the next `count` tokens may be added at once: up to an anchor, where the windows may have
  /// to be copied.
  func room(for count: Int) -> Int {
    let next = anchors.first { $0 > tokens.count }
    return min(count, cache.chunk, next.map { $0 - tokens.count } ?? count)
  }

  /// Says that `count` tokens are about to be added: the last moment to copy what windows hold.
  func prepare(adding count: Int) {
    // Somewhat before an anchor as well: a prompt may part from this one at a question's beginning.
    let margin = min(256, cache.chunk / 2)
    while let place = anchors.first, place <= tokens.count,
      cache.loses(max(0, place - margin), adding: count)
    {
      anchors.removeFirst()
      // One copy serves all anchors that it reaches back to.
      guard marks.last.map({ $0.position < place }) ?? true,
        let copy = try? cache.copyOfWindows()
      else { continue }
      marks.append(copy)
      // The first is what most prompts share, the last where the conversation stands.
      if marks.count > Self.mostMarks { marks.remove(at: 1) }
    }
  }

  /// Notes tokens that the cache has taken in.
  func append(_ new: some Collection<TokenID>) { tokens += new }

  /// Keeps `place`, which may lie ahead, from being lost.
  func anchor(at place: Int) {
    guard place > 0, !anchors.contains(place) else { return }
    anchors.append(place)
    anchors.sort()
  }

  // MARK: Beginning like another

  /// Tokens that `prompt` has in common with this sequence.
  func common(with prompt: some Collection<TokenID>, _ adapters: [Adapter]) -> Int {
    guard self.adapters.elementsEqual(adapters, by: { $0.isSame(as: $1) }) else { return 0 }
    var count = 0
    for (mine, other) in zip(tokens, prompt) {
      guard mine == other else { break }
      count += 1
    }
    return count
  }

  /// The longest beginning, at most `count` tokens, that the cache can still be taken back to.
  func reach(_ count: Int) -> Int {
    if cache.canTruncate(to: count) { return count }
    for mark in marks.reversed() {
      let place = min(count, mark.position)
      if cache.canTruncate(to: place, with: mark) { return place }
    }
    return 0
  }

  /// Goes back to the first `count` tokens, which are within ``reach(_:)``.
  func truncate(to count: Int) {
    if !cache.truncate(to: count) {
      let mark = marks.last { cache.canTruncate(to: count, with: $0) }
      guard let mark, cache.truncate(to: count, with: mark) else {
        preconditionFailure("\(count) of \(tokens.count) tokens are out of reach")
      }
    }
    tokens.removeLast(tokens.count - count)
    marks.removeAll { $0.position > count }
    anchors.removeAll { $0 > count }
  }

  /// A sequence of its own in `cache` that begins with the first `count` tokens, which are within
  /// ``reach(_:)``.
  func copy(_ count: Int, into cache: KVCache) -> CachedSequence {
    let copy = CachedSequence(cache, adapters: adapters)
    if !cache.take(count, of: self.cache) {
      let mark = marks.last { self.cache.canTruncate(to: count, with: $0) }
      guard let mark, cache.take(count, of: self.cache, with: mark) else {
        preconditionFailure("\(count) of \(tokens.count) tokens are out of reach")
      }
    }
    copy.tokens = Array(tokens.prefix(count))
    return copy
  }
}
