// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// The tokens that may come next: a bit for each.
package struct TokenMask: Sendable, Hashable {
  /// 64 tokens each.
  package private(set) var words: [UInt64]

  /// No token of `count`.
  package init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

  /// Whether `token` may come.
  package func contains(_ token: TokenID) -> Bool {
    token >= 0 && Int(token) / 64 < words.count
      && words[Int(token) / 64] >> UInt64(Int(token) % 64) & 1 == 1
  }

  /// Whether no token may come.
  package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  /// How many tokens may come.
  package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  mutating func insert(_ token: TokenID) {
    let index = Int(token) / 64
    guard token >= 0, index < words.count else { return }
    words[index] |= 1 << UInt64(Int(token) % 64)
  }

  mutating func formUnion(_ other: TokenSet) {
    switch other {
    case .few(let tokens): for token in tokens { insert(token) }
    case .many(let mask):
      for index in words.indices { words[index] |= mask.words[index] }
    }
  }
}

/// Tokens as a list while they are few, as bits when they are many.
enum TokenSet: Sendable {
  case few([TokenID])
  case many(TokenMask)

  /// The tokens of a list, of a vocabulary of `count`.
  init(_ tokens: [TokenID], count: Int) {
    guard tokens.count > count / 64 else {
      self = .few(tokens)
      return
    }
    var mask = TokenMask(count: count)
    for token in tokens { mask.insert(token) }
    self = .many(mask)
  }
}
