// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Byte-level BPE: the text is cut into words, their bytes are merged.
struct ByteLevelEncoder: Sendable {
  let splitter: WordSplitter
  let pairs: PairTable
  /// The piece of each single byte; -1 where the vocabulary has none.
  let byteTokens: [TokenID]
  let unknown: TokenID?
  /// The pieces by their raw bytes, when a word that is a piece is taken whole.
  let wholeWords: PieceTable?

  /// Adds the tokens of `fragment` to `output`.
  func encode(_ fragment: ArraySlice<UInt8>, into output: inout [TokenID]) {
    let text = [UInt8](fragment)
    var queue = MergeQueue()
    var cache = WordCache(textLength: text.count)
    var start = 0
    while start < text.count {
      let end = splitter.wordEnd(text, from: start, to: text.count)
      let word = start..<min(end, start + 1 << 30)
      start = word.upperBound
      let place = cache.place(text, word)
      if let place, let known = cache.find(text, word, at: place) {
        for index in known { output.append(output[index]) }
        continue
      }
      let first = output.count
      encodeWord(text, word, &queue, &output)
      if let place { cache.store(word, tokens: first..<output.count, at: place) }
    }
  }

  private func encodeWord(
    _ text: [UInt8], _ word: Range<Int>, _ queue: inout MergeQueue, _ output: inout [TokenID]
  ) {
    if let token = wholeWords?.find(text, word) {
      output.append(token)
      return
    }
    queue.removeAll()
    for index in word {
      let token = byteTokens[Int(text[index])]
      // A byte that nothing stands for is gone before its neighbours merge.
      if token < 0 && unknown == nil { continue }
      queue.append(start: index, end: index + 1, token: token)
    }
    guard !queue.symbols.isEmpty else { return }
    queue.run(PairRule(pairs: pairs), in: text)
    var index: Int32 = 0
    while index >= 0 {
      let symbol = queue.symbols[Int(index)]
      index = symbol.next
      if symbol.token >= 0 {
        output.append(symbol.token)
      } else if let unknown {
        output.append(unknown)
      }
    }
  }
}
