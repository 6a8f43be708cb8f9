// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

/// The caches of sequences that ended, for prompts that begin like them; the one that served least recently
/// leaves first.
final class PrefixShelf {
  private let transformer: Transformer
  private let capacity: Int
  private let byteLimit: Int
  /// The last used one last.
  private(set) var kept: [CachedSequence] = []
  /// Caches of nobody, to be used again.
  private var free: [KVCache] = []

  /// Less in common is read again: copying a cache takes as long.
  static let leastCommon = 16
  /// Tokens at the end of a kept sequence that may be given up instead of copying it.
  private static let mostLost = 8
  /// Caches of nobody.
  private static let mostFree = 2

  init(_ transformer: Transformer, capacity: Int, byteLimit: Int) {
    self.transformer = transformer
    self.capacity = capacity
    self.byteLimit = byteLimit
  }

  /// Bytes of what is kept.
  var byteCount: Int {
    kept.reduce(0) { $0 + $1.byteCount } + free.reduce(0) { $0 + $1.touchedByteCount }
  }

  /// A sequence that holds as much of the beginning of `prompt` as any does, at most `most` tokens.
  ///
  /// `running` sequences are copied; a kept one that the prompt goes on from is taken over.
  func sequence(
    for prompt: [TokenID], _ adapters: [Adapter], most: Int, running: [CachedSequence]
  ) throws -> CachedSequence {
    let beginning = prompt.prefix(most)
    var best: (source: CachedSequence, reach: Int, place: Int?)?
    var parted = 0
    for (place, source) in kept.enumerated().map({ (Int?.some($0.offset), $0.element) })
      + running.map({ (nil, $0) })
    {
      let shared = source.common(with: beginning, adapters)
      if shared < source.tokens.count - Self.mostLost { parted = max(parted, shared) }
      guard shared >= min(Self.leastCommon, most) else { continue }
      let reach = source.reach(shared)
      // Of equals the last used one, and rather a kept one, which may be taken over.
      if reach > 0, best.map({ reach >= $0.reach && (reach > $0.reach || place != nil) }) ?? true {
        best = (source, reach, place)
      }
    }
    let sequence = try self.sequence(best, adapters, running)
    // Where prompts have parted once, others will.
    if parted >= Self.leastCommon { sequence.anchor(at: parted) }
    return sequence
  }

  private func sequence(
    _ best: (source: CachedSequence, reach: Int, place: Int?)?, _ adapters: [Adapter],
    _ running: [CachedSequence]
  ) throws -> CachedSequence {
    guard let best else { return CachedSequence(try cache(beside: running), adapters: adapters) }
    if let place = best.place {
      kept.remove(at: place)
      if best.source.tokens.count - best.reach <= Self.mostLost {
        best.source.truncate(to: best.reach)
        return best.source
      }
    }
    // While its beginning is copied, the source is not on the shelf: its cache may not be given away.
    defer { if best.place != nil { kept.append(best.source) } }
    return best.source.copy(best.reach, into: try cache(beside: running))
  }

  /// Keeps a sequence that has ended.
  func keep(_ sequence: CachedSequence) {
    kept.append(sequence)
    var bytes = kept.reduce(0) { $0 + $1.byteCount }
    while bytes > byteLimit, !kept.isEmpty {
      let leaving = kept.removeFirst()
      bytes -= leaving.byteCount
      if free.count < Self.mostFree { free.append(leaving.cache) }
    }
  }

  /// Gives up everything that no sequence is in.
  func removeAll() {
    kept = []
    free = []
  }

  /// A cache whose tokens nobody needs.
  ///
  /// That of the sequence which served least recently, where the memory for another is not there, or where it
  /// would leave as soon as the running ones are kept: memory that was in use costs no page faults.
  private func cache(beside running: [CachedSequence]) throws -> KVCache {
    if let cache = free.popLast() { return cache }
    let held = (kept + running).reduce(0) { $0 + $1.byteCount }
    if held > byteLimit, !kept.isEmpty { return kept.removeFirst().cache }
    let needed = KVCache.byteCount(
      transformer.configuration, capacity: capacity, chunk: Session.chunk,
      dtype: transformer.cacheDType)
    if let memory = MachineMemory.current(), needed > memory.available {
      if !kept.isEmpty { return kept.removeFirst().cache }
      throw GenerationError.noMemory(needed, context: capacity, memory.available)
    }
    return try transformer.makeCache(capacity: capacity, chunk: Session.chunk)
  }
}
