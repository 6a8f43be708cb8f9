// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension TokenizerStorage {
  static func sentencePiece(
    _ description: VocabularyDescription, _ kinds: [UInt8], _ table: PieceTable,
    _ structural: PieceTable, _ byteValues: [TokenID: UInt8]
  ) throws(TokenizerError) -> SentencePieceEncoder {
    let pairs = try pairs(description, table, structural)
    guard pairs != nil || !description.scores.isEmpty else {
      throw TokenizerError(
        .malformed,
        "The SentencePiece vocabulary has neither scores nor merges, so nothing says how text is "
          + "merged; the file is incomplete.")
    }
    var byteTokens = [TokenID](repeating: -1, count: 256)
    for (id, byte) in byteValues { byteTokens[Int(byte)] = id }
    let unused = kinds.indices.filter { kinds[$0] == PieceKind.unused.rawValue }
    return SentencePieceEncoder(
      table: table, scores: description.scores, pairs: pairs,
      userDefined: trie(
        description.pieces, kinds, spaces: SentencePieceEncoder.space, controls: false),
      byteTokens: byteTokens, unknown: description.unknown,
      unused: Set(unused.map { TokenID($0) }),
      splitsAtSpaces: !hasInnerSpace(description.pieces, kinds))
  }

  /// Whether a piece that merging gives has a ▁ after another character.
  private static func hasInnerSpace(_ pieces: PackedStrings, _ kinds: [UInt8]) -> Bool {
    let bytes = pieces.bytes
    for id in kinds.indices
    where kinds[id] == PieceKind.normal.rawValue || kinds[id] == PieceKind.unused.rawValue {
      let range = pieces.range(id)
      var index = range.lowerBound + 3
      while index + 2 < range.upperBound {
        if bytes[index] == 0xE2 && SentencePieceEncoder.isSpace(bytes, index)
          && !SentencePieceEncoder.isSpace(bytes, index - 3)
        {
          return true
        }
        index += 1
      }
      // One or two bytes and then ▁: too short for the loop above.
      for start in range.lowerBound
        + 1..<max(range.lowerBound + 1, min(index, range.upperBound - 2))
      where start < range.lowerBound + 3 && SentencePieceEncoder.isSpace(bytes, start) {
        return true
      }
    }
    return false
  }

  static func byteLevel(
    _ description: VocabularyDescription, _ splitter: WordSplitter, _ kinds: [UInt8],
    _ table: PieceTable, _ structural: PieceTable
  ) throws(TokenizerError) -> ByteLevelEncoder {
    guard let pairs = try pairs(description, table, structural) else {
      throw TokenizerError(
        .malformed,
        "The byte-level BPE vocabulary has no merges, so nothing says how bytes are merged; the file "
          + "is incomplete.")
    }
    let byteTokens = (0...255).map { table.find(ByteAlphabet.name(of: UInt8($0))) ?? -1 }
    // SmolLM2 lacks a few bytes and calls `<|endoftext|>` its unknown token: as in llama.cpp and
    // tokenizers such bytes vanish, for no text may become a control token.
    let unknown = description.unknown.flatMap {
      kinds[Int($0)] == PieceKind.control.rawValue ? nil : $0
    }
    return ByteLevelEncoder(
      splitter: splitter, pairs: pairs, byteTokens: byteTokens, unknown: unknown,
      wholeWords: description.ignoresMergesForWholeWords ? wholeWords(description.pieces) : nil)
  }

  private static func wholeWords(_ pieces: PackedStrings) -> PieceTable {
    var decoded = PackedStrings()
    for id in 0..<pieces.count { decoded.append(ByteAlphabet.decode(pieces[id]) ?? []) }
    return PieceTable(decoded, ids: (0..<decoded.count).filter { !decoded[$0].isEmpty })
  }

  /// The table of merges; nil when the description has none.
  private static func pairs(
    _ description: VocabularyDescription, _ table: PieceTable, _ structural: PieceTable
  ) throws(TokenizerError) -> PairTable? {
    let isText = description.mergeTexts.count > 0
    let strings = isText ? description.mergeTexts : description.mergeParts
    let count = isText ? strings.count : strings.count / 2
    guard count > 0 else { return nil }
    var result = PairTable(capacity: count)
    var joined: [UInt8] = []
    for rank in 0..<count {
      let (left, right) =
        isText ? sides(strings, rank) : (strings.range(2 * rank), strings.range(2 * rank + 1))
      joined.removeAll(keepingCapacity: true)
      joined += strings.bytes[left]
      joined += strings.bytes[right]
      if let first = table.find(strings.bytes, left), let second = table.find(strings.bytes, right),
        let token = table.find(joined, joined.indices)
      {
        result.insert(first, second, Merge(rank: UInt32(rank), token: token))
        continue
      }
      // Some files list merges that spell a control token; text must never become one.
      let known = { table.find($0, $1) != nil || structural.find($0, $1) != nil }
      guard known(strings.bytes, left), known(strings.bytes, right), known(joined, joined.indices)
      else { throw unknownMerge(rank, strings.bytes[left], strings.bytes[right]) }
    }
    return result
  }

  /// The two sides of `left right`: the separator is the first space after the first character.
  private static func sides(_ texts: PackedStrings, _ rank: Int) -> (Range<Int>, Range<Int>) {
    let range = texts.range(rank)
    var space = range.lowerBound + 1
    while space < range.upperBound && texts.bytes[space] != 0x20 { space += 1 }
    guard space < range.upperBound else { return (range, range.upperBound..<range.upperBound) }
    return (range.lowerBound..<space, space + 1..<range.upperBound)
  }

  private static func unknownMerge(
    _ rank: Int, _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>
  ) -> TokenizerError {
    let text = String(decoding: left, as: UTF8.self) + " " + String(decoding: right, as: UTF8.self)
    return TokenizerError(
      .malformed,
      "Merge \(rank) of the vocabulary, '\(text)', names or gives a piece that the vocabulary does not "
        + "have; the file is damaged. Download it again.")
  }
}
