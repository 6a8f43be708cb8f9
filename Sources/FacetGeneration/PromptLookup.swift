// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

/// Guesses that the sequence goes on as it did when its last tokens stood there before (Saxena 2023,
/// prompt lookup decoding).
///
/// How often that comes true is learned by the length of the match, on every token: whether a guess
/// would have been right is seen without reading it. So ordinary text costs nothing but the look.
final class PromptLookup: Guesser {
  /// An earlier place that ends as the sequence does.
  private struct Match {
    /// Index of the token that stood where the next one will.
    var next: Int
    /// Tokens before it that agree.
    var length: Int
  }

  private let most: Int
  private let pace: Speculation.Pace
  private var tokens: [TokenID] = []
  /// The last index at which a pair of tokens ended.
  private var latest: [UInt64: Int] = [:]
  /// For each index the one before it with the same pair; -1: none.
  private var earlier: [Int] = []
  private var match: Match?
  private var chances = [0.2, 0.35, 0.5, 0.65, 0.8, 0.9]
  private var costs = PassCosts()

  init(most: Int, _ pace: Speculation.Pace) {
    self.most = most
    self.pace = pace
  }

  func begin(_ prompt: [TokenID]) {
    tokens.removeAll(keepingCapacity: true)
    earlier.removeAll(keepingCapacity: true)
    latest.removeAll(keepingCapacity: true)
    for token in prompt { index(token) }
    match = longestMatch()
  }

  func append(_ token: TokenID) {
    let expected = match
    index(token)
    if let expected {
      let isRight = tokens[expected.next] == token
      let kind = Self.kind(expected.length)
      chances[kind] += ((isRight ? 1 : 0) - chances[kind]) / 8
      if isRight {
        match = Match(next: expected.next + 1, length: expected.length + 1)
        return
      }
    }
    match = longestMatch()
  }

  func guess(most: Int, _ answer: inout Answer) -> [Proposal] {
    guard let match else { return [] }
    let count = min(most, self.most, tokens.count - match.next)
    guard count > 0 else { return [] }
    let chances = (0..<count).lazy.map { self.chances[Self.kind(match.length + $0)] }
    let worth = pace == .always ? count : costs.best(chances)
    return tokens[match.next..<match.next + worth].map { Proposal(token: $0, distribution: nil) }
  }

  func learn(guessed: Int, kept: Int, time: Duration) { costs.note(guessed + 1, time) }

  /// Classes of match lengths: 2, 3, 4–5, 6–9, 10–17, more.
  private static func kind(_ length: Int) -> Int {
    switch length {
    case ...2: 0
    case 3: 1
    case ...5: 2
    case ...9: 3
    case ...17: 4
    default: 5
    }
  }
}

// MARK: - Finding

extension PromptLookup {
  /// Places looked at, and tokens compared, at most: repetitive texts have very many.
  private static var mostPlaces: Int { 16 }
  private static var longest: Int { 32 }

  private func index(_ token: TokenID) {
    tokens.append(token)
    guard tokens.count >= 2 else {
      earlier.append(-1)
      return
    }
    let first = UInt64(UInt32(bitPattern: tokens[tokens.count - 2]))
    let pair = first << 32 | UInt64(UInt32(bitPattern: token))
    earlier.append(latest.updateValue(tokens.count - 1, forKey: pair) ?? -1)
  }

  /// Of the last places that end with the same two tokens, the one that agrees for longest.
  private func longestMatch() -> Match? {
    let end = tokens.count - 1
    guard end >= 1 else { return nil }
    var best: Match?
    var place = earlier[end]
    for _ in 0..<Self.mostPlaces where place >= 1 {
      var length = 2
      while length < Self.longest, place >= length, tokens[place - length] == tokens[end - length] {
        length += 1
      }
      if length > best?.length ?? 0 { best = Match(next: place + 1, length: length) }
      place = earlier[place]
    }
    return best
  }
}
