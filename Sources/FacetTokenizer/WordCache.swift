// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Remembers what the words of one text became: most words of a long text come again.
///
/// Direct-mapped: a word that falls on another's place replaces it. It lives for one `encode`.
struct WordCache {
  private struct Entry {
    var start = 0
    var length = 0
    var firstToken = 0
    var tokenCount = 0
  }

  private var entries: [Entry]
  private static let longestWord = 48

  /// A cache for a text of so many bytes; none for a short text.
  init(textLength: Int) {
    var size = 0
    if textLength >= 512 {
      size = 64
      while size < 16_384 && size * 16 < textLength { size *= 2 }
    }
    entries = [Entry](repeating: Entry(), count: size)
  }

  /// Where a word's entry would be; nil when the word is not cached.
  func place(_ text: [UInt8], _ word: Range<Int>) -> Int? {
    guard !entries.isEmpty, word.count <= Self.longestWord else { return nil }
    return Int(truncatingIfNeeded: PieceTable.hash(text, word)) & (entries.count - 1)
  }

  /// The range of the output that the same word became before.
  func find(_ text: [UInt8], _ word: Range<Int>, at place: Int) -> Range<Int>? {
    let entry = entries[place]
    guard entry.length == word.count, entry.length > 0 else { return nil }
    for offset in 0..<entry.length
    where text[entry.start + offset] != text[word.lowerBound + offset] {
      return nil
    }
    return entry.firstToken..<entry.firstToken + entry.tokenCount
  }

  mutating func store(_ word: Range<Int>, tokens: Range<Int>, at place: Int) {
    entries[place] = Entry(
      start: word.lowerBound, length: word.count, firstToken: tokens.lowerBound,
      tokenCount: tokens.count)
  }
}
