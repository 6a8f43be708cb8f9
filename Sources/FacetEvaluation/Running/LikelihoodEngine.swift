// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetGeneration
import FacetModel
import FacetTensor
package import FacetTokenizer

/// How likely a model holds continuations: many texts at once, and what they share read once.
///
/// The beginning of all texts lies in every cache; what the choices of a document share is read after it;
/// then one choice after the other, of all documents together, goes through the model and is
/// taken back.
package final class LikelihoodEngine {
  /// ln p of a continuation, and whether every token of it was the likeliest.
  package struct Answer: Sendable, Hashable {
    package var logProbability = 0.0
    package var isGreedy = true

    /// Of nothing: certain.
    package init() {}
  }

  /// Tokens on their way into a cache, and what is to come after some of them.
  private struct Feed {
    var cache: KVCache
    var tokens: ArraySlice<TokenID>
    /// Where in `tokens` somebody asks for which token, ascending; `owner` is the text.
    var asked: [(place: Int, token: TokenID, group: Int, text: Int)]
  }

  private let model: LanguageModel
  private let pass: ScoringPass
  private let pool: CachePool
  /// Rows of one pass.
  private static let rows = 512

  /// An engine for texts that begin with `prefix` and have at most `longest` tokens.
  package init(_ model: LanguageModel, prefix: [TokenID], longest: Int) {
    self.model = model
    pass = ScoringPass(model.transformer)
    pool = CachePool(model, prefix: prefix, longest: longest)
  }

  /// Groups that are best given at once.
  package var batchCount: Int { pool.count }

  /// The answers to the texts of at most ``batchCount`` groups.
  package func score(_ groups: [ScoredGroup]) throws -> [[Answer]] {
    var answers = groups.map { group in group.texts.map { _ in Answer() } }
    var caches: [KVCache] = []
    var feeds: [Feed] = []
    for (index, group) in groups.enumerated() {
      let cache = try pool.cache(index) { try self.read($0, into: $1) }
      caches.append(cache)
      let start = cache.position
      feeds.append(
        Feed(
          cache: cache, tokens: group.shared[start...],
          asked: Self.asked(group, index, from: start, to: group.sharedCount)))
    }
    try run(feeds, into: &answers)
    let most = groups.map(\.texts.count).max() ?? 0
    for place in 0..<most {
      try run(branches(groups, caches, place), into: &answers)
    }
    return answers
  }

  /// What is left of text `place` of every group; its cache goes back to what the texts share.
  private func branches(
    _ groups: [ScoredGroup], _ caches: [KVCache], _ place: Int
  ) throws -> [Feed] {
    var feeds: [Feed] = []
    for (index, group) in groups.enumerated() where place < group.texts.count {
      let text = group.texts[place]
      guard text.read.count > group.sharedCount else { continue }
      let cache = caches[index]
      if !cache.truncate(to: group.sharedCount) {
        cache.reset()
        try read(Array(group.shared), into: cache)
      }
      let asked = (group.sharedCount..<text.read.count).filter(text.isAsked).map { row in
        (row - group.sharedCount, text.tokens[row + 1], index, place)
      }
      feeds.append(Feed(cache: cache, tokens: text.read[group.sharedCount...], asked: asked))
    }
    return feeds
  }

  /// What is asked after the tokens that the texts of a group share.
  private static func asked(
    _ group: ScoredGroup, _ index: Int, from start: Int, to end: Int
  ) -> [(place: Int, token: TokenID, group: Int, text: Int)] {
    guard start < end else { return [] }
    return (start..<end).flatMap { row in
      group.texts.indices.filter { group.texts[$0].isAsked(after: row) }.map { text in
        (row - start, group.texts[text].tokens[row + 1], index, text)
      }
    }
  }

  /// Reads tokens that nobody asks about.
  private func read(_ tokens: [TokenID], into cache: KVCache) throws {
    var none: [[Answer]] = []
    try run([Feed(cache: cache, tokens: tokens[...], asked: [])], into: &none)
  }

  /// Puts tokens through the model, as many at once as are good for speed, and adds up what was asked.
  private func run(_ feeds: [Feed], into answers: inout [[Answer]]) throws {
    var feeds = feeds[...]
    while !feeds.isEmpty {
      var tokens: [TokenID] = []
      var sequences: [Batch.Sequence] = []
      var targets: [TargetBatch.Target] = []
      var owners: [(group: Int, text: Int)] = []
      var rest: [Feed] = []
      while tokens.count < Self.rows, var feed = feeds.popFirst() {
        let room = min(Self.rows - tokens.count, CachePool.chunk, feed.cache.chunk)
        let part = feed.tokens.prefix(room)
        if part.isEmpty { continue }
        for asked in feed.asked.prefix(while: { $0.place < part.count }) {
          targets.append(TargetBatch.Target(row: tokens.count + asked.place, token: asked.token))
          owners.append((asked.group, asked.text))
        }
        tokens += part
        sequences.append(
          Batch.Sequence(cache: feed.cache, count: part.count, adapters: model.adapters))
        guard part.count < feed.tokens.count else { continue }
        feed.tokens = feed.tokens.dropFirst(part.count)
        feed.asked = feed.asked.filter { $0.place >= part.count }
          .map { ($0.place - part.count, $0.token, $0.group, $0.text) }
        rest.append(feed)
      }
      feeds = (rest + feeds)[...]
      guard !tokens.isEmpty else { continue }
      try Task.checkCancellation()
      let scores = try pass.score(
        Batch(tokens, sequences: sequences, logits: .none), targets: targets)
      for (owner, score) in zip(owners, scores) {
        answers[owner.group][owner.text].logProbability += Double(score.logProbability)
        if !score.isTop { answers[owner.group][owner.text].isGreedy = false }
      }
    }
  }
}
