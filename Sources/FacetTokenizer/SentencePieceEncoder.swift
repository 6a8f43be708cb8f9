// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// SentencePiece BPE: spaces become ▁, user-defined pieces are taken first, characters are merged,
/// and what has no piece becomes its bytes.
struct SentencePieceEncoder: Sendable {
  /// Pieces that merging may give: normal, user-defined and unused ones.
  let table: PieceTable
  let scores: [Float]
  /// Merges by rank, where the file has them (tokenizer.json); otherwise `scores` order merging.
  let pairs: PairTable?
  /// User-defined pieces, with ▁ for spaces.
  let userDefined: PieceTrie
  /// The byte pieces, by byte; -1 where there is none.
  let byteTokens: [TokenID]
  let unknown: TokenID?
  /// Which ids are of kind `unused`; empty when none is.
  let unused: Set<TokenID>
  /// Whether ▁ only begins pieces, so that a text can be cut before each ▁ that follows another
  /// character: no merge crosses the cut.
  let splitsAtSpaces: Bool

  /// ▁ in UTF-8.
  static let space: [UInt8] = [0xE2, 0x96, 0x81]

  /// Adds the tokens of `fragment` to `output`.
  func encode(
    _ fragment: ArraySlice<UInt8>, dummyPrefix: Bool, into output: inout [TokenID]
  ) {
    guard !fragment.isEmpty else { return }
    var text: [UInt8] = []
    text.reserveCapacity(fragment.count + fragment.count / 2 + 8)
    if dummyPrefix { text.append(contentsOf: Self.space) }
    for byte in fragment {
      if byte == 0x20 { text.append(contentsOf: Self.space) } else { text.append(byte) }
    }
    if !unused.isEmpty && pairs == nil && text.count < 1 << 30 {
      encodeWhole(text, &output)
      return
    }
    // Without all byte pieces, an unknown character becomes one with another at the end of the word
    // before; then a word's tokens depend on what stands before it.
    let isCacheable = !byteTokens.contains(-1)
    var work = Work(cache: WordCache(textLength: isCacheable ? text.count : 0))
    var start = 0
    var index = 0
    while index < text.count {
      if let match = userDefined.longestMatch(
        in: text, from: index, to: text.count, controls: false)
      {
        encodeWord(text, start..<index, &work, &output)
        output.append(match.token)
        index = match.end
        start = index
      } else {
        let next = index + UTF8Scan.characterLength(text, index, text.count)
        if endsWord(text, start, index, next) {
          encodeWord(text, start..<next, &work, &output)
          start = next
        }
        index = next
      }
    }
    encodeWord(text, start..<text.count, &work, &output)
  }

  /// What one `encode` reuses from word to word.
  private struct Work {
    var queue = MergeQueue()
    var cache: WordCache
  }

  /// Whether the word that began at `start` may end after the character `text[index..<next]`.
  private func endsWord(_ text: [UInt8], _ start: Int, _ index: Int, _ next: Int) -> Bool {
    // Positions of symbols have 32 bits; no word comes near that unless somebody tries.
    if next - start >= 1 << 30 { return true }
    return splitsAtSpaces && Self.isSpace(text, next) && !Self.isSpace(text, index)
  }

  static func isSpace(_ text: [UInt8], _ index: Int) -> Bool {
    index + 2 < text.count && text[index] == 0xE2 && text[index + 1] == 0x96
      && text[index + 2] == 0x81
  }

  private func encodeWord(
    _ text: [UInt8], _ word: Range<Int>, _ work: inout Work, _ output: inout [TokenID]
  ) {
    guard !word.isEmpty else { return }
    let place = work.cache.place(text, word)
    if let place, let known = work.cache.find(text, word, at: place) {
      for index in known { output.append(output[index]) }
      return
    }
    let first = output.count
    work.queue.removeAll()
    if let pairs {
      appendKnownCharacters(text, word, &work.queue)
      work.queue.run(PairRule(pairs: pairs), in: text)
    } else {
      appendCharacters(text, word, &work.queue)
      work.queue.run(ScoreRule(table: table, scores: scores), in: text)
    }
    emit(text, work.queue, &output)
    if let place { work.cache.store(word, tokens: first..<output.count, at: place) }
  }

  func appendCharacters(_ text: [UInt8], _ word: Range<Int>, _ queue: inout MergeQueue) {
    var index = word.lowerBound
    while index < word.upperBound {
      let next = index + UTF8Scan.characterLength(text, index, word.upperBound)
      let state = PieceTable.extend(PieceTable.seed, text, index..<next)
      queue.append(start: index, end: next, token: -1, state: state)
      index = next
    }
  }

  /// The same for merging by id: a character without a piece enters as its bytes.
  private func appendKnownCharacters(
    _ text: [UInt8], _ word: Range<Int>, _ queue: inout MergeQueue
  ) {
    var index = word.lowerBound
    while index < word.upperBound {
      let next = index + UTF8Scan.characterLength(text, index, word.upperBound)
      if let token = table.find(text, index..<next) {
        queue.append(start: index, end: next, token: token)
      } else {
        for byte in index..<next {
          queue.append(start: byte, end: byte + 1, token: byteTokens[Int(text[byte])])
        }
      }
      index = next
    }
  }

  private func emit(_ text: [UInt8], _ queue: MergeQueue, _ output: inout [TokenID]) {
    var index: Int32 = 0
    while index >= 0 {
      let symbol = queue.symbols[Int(index)]
      index = symbol.next
      if symbol.token >= 0 {
        output.append(symbol.token)
      } else {
        emit(text, symbol.start..<symbol.end, &output)
      }
    }
  }

  /// Writes one character that no merge has touched.
  func emit(_ text: [UInt8], _ range: Range<Int>, _ output: inout [TokenID]) {
    if let piece = table.find(text, range) {
      output.append(piece)
    } else {
      emitBytes(text, range, &output)
    }
  }

  private func emitBytes(_ text: [UInt8], _ range: Range<Int>, _ output: inout [TokenID]) {
    let hasAll = range.allSatisfy { byteTokens[Int(text[$0])] >= 0 }
    if hasAll {
      for index in range { output.append(byteTokens[Int(text[index])]) }
    } else if let unknown, output.last != unknown {
      output.append(unknown)
    }
  }
}

/// Merges whatever two neighbours spell a piece; its score is its rank.
struct ScoreRule: MergeRule {
  let table: PieceTable
  let scores: [Float]

  func merge(_ left: MergeQueue.Symbol, _ right: MergeQueue.Symbol, in text: [UInt8])
    -> (merge: Merge, state: UInt64)?
  {
    let state = PieceTable.extend(left.state, text, right.start..<right.end)
    guard let token = table.find(text, left.start..<right.end, state: state) else { return nil }
    return (Merge(rank: Self.rank(scores[Int(token)]), token: token), state)
  }

  /// Maps scores to integers in reverse order: the highest score has the lowest rank.
  static func rank(_ score: Float) -> UInt32 {
    // -0 and 0 are equal scores; adding 0 makes them one.
    let bits = (score + 0).bitPattern
    return bits & 0x8000_0000 == 0 ? 0x7FFF_FFFF - bits : bits
  }
}

/// Merges the pairs that a table lists.
struct PairRule: MergeRule {
  let pairs: PairTable

  func merge(_ left: MergeQueue.Symbol, _ right: MergeQueue.Symbol, in text: [UInt8])
    -> (merge: Merge, state: UInt64)?
  {
    guard left.token >= 0, right.token >= 0, let merge = pairs.find(left.token, right.token) else {
      return nil
    }
    return (merge, 0)
  }
}
