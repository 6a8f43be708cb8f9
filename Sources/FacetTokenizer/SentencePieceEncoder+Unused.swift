// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Vocabularies with pieces that are out of use: such a piece takes part in merging, and comes apart
/// again at the end.
///
/// SentencePiece takes it apart where it last saw the two sides of it next to each other, anywhere in
/// the text; so these texts are merged in one piece, without cuts between words. No model that Facet
/// knows has such pieces: this is for being right, not fast.
extension SentencePieceEncoder {
  /// Adds the tokens of `text`, whose spaces are ▁ already.
  func encodeWhole(_ text: [UInt8], _ output: inout [TokenID]) {
    var queue = MergeQueue()
    let record = SplitRecord(unused)
    var start = 0
    var index = 0
    while index < text.count {
      if let match = userDefined.longestMatch(
        in: text, from: index, to: text.count, controls: false)
      {
        appendCharacters(text, start..<index, &queue)
        record.frozen.insert(index)
        queue.append(start: index, end: match.end, token: match.token)
        start = match.end
        index = start
      } else {
        index += UTF8Scan.characterLength(text, index, text.count)
      }
    }
    appendCharacters(text, start..<text.count, &queue)
    queue.run(
      RecordingRule(rule: ScoreRule(table: table, scores: scores), record: record), in: text)
    var next: Int32 = 0
    while next >= 0 {
      let symbol = queue.symbols[Int(next)]
      next = symbol.next
      if record.frozen.contains(symbol.start) {
        output.append(symbol.token)
      } else {
        emit(text, symbol.start..<symbol.end, symbol.token, record, &output)
      }
    }
  }

  /// Writes one symbol, taking apart what is out of use.
  private func emit(
    _ text: [UInt8], _ range: Range<Int>, _ token: TokenID, _ record: SplitRecord,
    _ output: inout [TokenID]
  ) {
    // A list of what is still to write, not recursion: damaged files may nest deeply.
    var waiting = [(range, token)]
    while let (range, known) = waiting.popLast() {
      guard let piece = known >= 0 ? known : table.find(text, range), unused.contains(piece) else {
        if known >= 0 { output.append(known) } else { emit(text, range, &output) }
        continue
      }
      if let left = record.leftLength[piece] {
        let middle = range.lowerBound + left
        waiting += [(middle..<range.upperBound, -1), (range.lowerBound..<middle, -1)]
      } else {
        output.append(piece)
      }
    }
  }
}

/// Where pieces that are out of use come apart, while one text is merged.
private final class SplitRecord {
  let unused: Set<TokenID>
  /// The places of user-defined pieces, which do not merge.
  var frozen: Set<Int> = []
  /// How many bytes the left side has, by piece.
  var leftLength: [TokenID: Int] = [:]

  init(_ unused: Set<TokenID>) { self.unused = unused }
}

/// Merges by score and notes the sides of pieces that are out of use.
private struct RecordingRule: MergeRule {
  let rule: ScoreRule
  let record: SplitRecord

  func merge(_ left: MergeQueue.Symbol, _ right: MergeQueue.Symbol, in text: [UInt8])
    -> (merge: Merge, state: UInt64)?
  {
    guard !record.frozen.contains(left.start), !record.frozen.contains(right.start),
      let found = rule.merge(left, right, in: text)
    else { return nil }
    if record.unused.contains(found.merge.token) {
      record.leftLength[found.merge.token] = left.end - left.start
    }
    return found
  }
}
