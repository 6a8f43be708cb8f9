// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension TokenizerStorage {
  static func sentencePiece(
    _ description: VocabularyDescription, _ kinds: [UInt8], _ table: PieceTable,
    _ byteValues: [TokenID: UInt8]
  ) throws(TokenizerError) -> SentencePieceEncoder {
    let pairs = try pairs(description, table)
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
    _ description: VocabularyDescription, _ splitter: WordSplitter, _ table: PieceTable
  ) throws(TokenizerError) -> ByteLevelEncoder {
    guard let pairs = try pairs(description, table) else {
      throw TokenizerError(
        .malformed,
        "The byte-level BPE vocabulary has no merges, so nothing says how bytes are merged; the file "
          + "is incomplete.")
    }
    let byteTokens = (0...255).map { table.find(ByteAlphabet.name(of: UInt8($0))) ?? -1 }
    return ByteLevelEncoder(
      splitter: splitter, pairs: pairs, byteTokens: byteTokens, unknown: description.unknown,
      wholeWords: description.ignoresMergesForWholeWords ? wholeWords(description.pieces) : nil)
  }

  private static func wholeWords(_ pieces: PackedStrings) -> PieceTable {
    var decoded = PackedStrings()
    for id in 0..<pieces.count { decoded.append(ByteAlphabet.decode(pieces[id]) ?? []) }
    return PieceTable(decoded, ids: (0..<decoded.count).filter { !decoded[$0].isEmpty })
  }

  /// The table of merges; nil when the description has none.
  private static func pairs(_ description: VocabularyDescription, _ table: PieceTable)
    throws(TokenizerError) -> PairTable?
  {
    let count = description.pieces.count
    if !description.mergePairs.isEmpty {
      let pairs = description.mergePairs
      var result = PairTable(capacity: pairs.count / 2)
      var joined: [UInt8] = []
      for rank in 0..<pairs.count / 2 {
        let left = pairs[2 * rank]
        let right = pairs[2 * rank + 1]
        guard 0 <= left, Int(left) < count, 0 <= right, Int(right) < count else {
          throw unknownMerge(rank, "\(left) \(right)")
        }
        joined.removeAll(keepingCapacity: true)
        joined += description.pieces[Int(left)]
        joined += description.pieces[Int(right)]
        guard let token = table.find(joined, joined.indices) else {
          throw unknownMerge(rank, String(decoding: joined, as: UTF8.self))
        }
        result.insert(left, right, Merge(rank: UInt32(rank), token: token))
      }
      return result
    }
    guard description.mergeTexts.count > 0 else { return nil }
    return try pairs(texts: description.mergeTexts, table)
  }

  private static func pairs(texts: PackedStrings, _ table: PieceTable) throws(TokenizerError)
    -> PairTable
  {
    var result = PairTable(capacity: texts.count)
    var joined: [UInt8] = []
    for rank in 0..<texts.count {
      let range = texts.range(rank)
      // The separator is the first space that is not the first character.
      var space = range.lowerBound + 1
      while space < range.upperBound && texts.bytes[space] != 0x20 { space += 1 }
      guard space < range.upperBound,
        let left = table.find(texts.bytes, range.lowerBound..<space),
        let right = table.find(texts.bytes, space + 1..<range.upperBound)
      else { throw unknownMerge(rank, String(decoding: texts[rank], as: UTF8.self)) }
      joined.removeAll(keepingCapacity: true)
      joined += texts.bytes[range.lowerBound..<space]
      joined += texts.bytes[space + 1..<range.upperBound]
      guard let token = table.find(joined, joined.indices) else {
        throw unknownMerge(rank, String(decoding: texts[rank], as: UTF8.self))
      }
      result.insert(left, right, Merge(rank: UInt32(rank), token: token))
    }
    return result
  }

  private static func unknownMerge(_ rank: Int, _ text: String) -> TokenizerError {
    TokenizerError(
      .malformed,
      "Merge \(rank) of the vocabulary, '\(text)', names or gives a piece that the vocabulary does not "
        + "have; the file is damaged. Download it again.")
  }
}
