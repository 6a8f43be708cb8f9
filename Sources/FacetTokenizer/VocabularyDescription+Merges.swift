// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension VocabularyDescription {
  /// The kinds of all pieces, with the markers of chat formats as control pieces.
  package var resolvedKinds: [UInt8] { TokenizerStorage.kinds(self) }

  /// The merges in order of rank, left and right.
  package var merges: [(String, String)] {
    func text(_ bytes: some Sequence<UInt8>) -> String {
      String(decoding: Array(bytes), as: UTF8.self)
    }
    if mergeTexts.count > 0 {
      return (0..<mergeTexts.count).map { index in
        let merge = mergeTexts[index]
        let space = merge.dropFirst().firstIndex(of: 0x20) ?? merge.endIndex
        return (text(merge[..<space]), text(merge[space...].dropFirst()))
      }
    }
    return (0..<mergeParts.count / 2).map {
      (text(mergeParts[2 * $0]), text(mergeParts[2 * $0 + 1]))
    }
  }

  /// Scores that make the same merges as the merges' ranks: a piece is worth the negative rank of the
  /// first merge that makes it.
  package func scoresOfMerges() -> [Float] {
    var ids: [String: Int] = [:]
    for id in 0..<pieces.count { ids[String(decoding: pieces[id], as: UTF8.self)] = id }
    var scores = [Float](repeating: 0, count: pieces.count)
    for (rank, (left, right)) in merges.enumerated() {
      if let id = ids[left + right], scores[id] == 0 { scores[id] = -Float(rank + 1) }
    }
    return scores
  }
}
