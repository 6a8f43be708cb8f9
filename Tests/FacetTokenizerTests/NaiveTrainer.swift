// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Byte-pair encoding as its definition has it: counts every pair anew for every merge.
enum NaiveTrainer {
  /// The pieces learnt from words of ASCII letters, most frequent pair first.
  static func learn(_ words: [[String]], atMost limit: Int, maxLength: Int = 16) -> [String] {
    var words = words
    var learnt: [String] = []
    var skipped: Set<[String]> = []
    while learnt.count < limit {
      guard let best = best(counts(words), skipped: skipped, maxLength: maxLength) else { break }
      skipped.insert(best)
      let piece = best.joined()
      if learnt.contains(piece) { continue }
      learnt.append(piece)
      words = words.map { merged($0, best) }
    }
    return learnt
  }

  private static func counts(_ words: [[String]]) -> [[String]: Int] {
    var counts: [[String]: Int] = [:]
    for word in words {
      for pair in Set(zip(word, word.dropFirst()).map { [$0, $1] }) {
        counts[pair, default: 0] += (word.count - merged(word, pair).count)
      }
    }
    return counts
  }

  private static func best(
    _ counts: [[String]: Int], skipped: Set<[String]>, maxLength: Int
  ) -> [String]? {
    let allowed = counts.filter { pair, _ in
      let text = pair.joined()
      return !skipped.contains(pair) && text.unicodeScalars.count <= maxLength
        && !text.dropFirst().contains("▁")
    }
    return allowed.min { one, other in
      let (text, otherText) = (one.key.joined(), other.key.joined())
      if one.value != other.value { return one.value > other.value }
      if text.count != otherText.count { return text.count < otherText.count }
      if text != otherText { return text.utf8.lexicographicallyPrecedes(otherText.utf8) }
      return one.key[0].count < other.key[0].count
    }?.key
  }

  private static func merged(_ word: [String], _ pair: [String]) -> [String] {
    var result: [String] = []
    var index = 0
    while index < word.count {
      if index + 1 < word.count, word[index] == pair[0], word[index + 1] == pair[1] {
        result.append(pair.joined())
        index += 2
      } else {
        result.append(word[index])
        index += 1
      }
    }
    return result
  }
}
