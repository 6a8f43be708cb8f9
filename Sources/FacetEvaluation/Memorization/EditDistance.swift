// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How many insertions, deletions and replacements lead from one sequence to another
/// (Levenshtein 1966).
package enum EditDistance {
  /// The distance of `first` and `second`.
  package static func of<T: Equatable>(_ first: [T], _ second: [T]) -> Int {
    var row = Array(0...second.count)
    for (i, one) in first.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in second.enumerated() {
        let replaced = diagonal + (one == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, min(row[j], row[j + 1]) + 1)
      }
    }
    return row[second.count]
  }
}
