// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetTokenizer

extension Tokenizer {
  /// The text of one token by itself; bytes that are no characters become U+FFFD.
  func text(of token: TokenID) -> String { String(decoding: bytes(of: token), as: UTF8.self) }

  /// `tokens` with the beginning of sequence that the model wants before them, and whether it was added.
  ///
  /// Clients that send tokens often cannot know that a model wants one; without it, Gemma's answers are
  /// nonsense.
  func withBeginning(_ tokens: [TokenID]) -> (tokens: [TokenID], isAdded: Bool) {
    guard special.addsBOS, let bos = special.bos, tokens.first != bos else {
      return (tokens, false)
    }
    return ([bos] + tokens, true)
  }
}

/// Where each token begins in the text, in Unicode scalars: Python counts those.
struct TokenOffsets {
  private var detokenizer: StreamingDetokenizer
  private var count: Int

  /// Offsets of a text's tokens, or of what follows `start` scalars of it.
  init(_ tokenizer: Tokenizer, after start: Int = 0) {
    detokenizer = StreamingDetokenizer(tokenizer, skippingControl: false, from: .continuation)
    count = start
  }

  /// Where `token` begins.
  mutating func next(_ token: TokenID) -> Int {
    defer { count += detokenizer.append(token).unicodeScalars.count }
    return count
  }
}
