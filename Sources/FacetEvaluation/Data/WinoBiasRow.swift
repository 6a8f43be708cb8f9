// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// Lines of WinoBias: a sentence with two occupations and a pronoun, and in brackets which belong together.
///
/// `12 The mechanic called [the nurse] because [she] fixed the car.` Zhao et al., 2018, arXiv 1804.06876.
enum WinoBiasRow {
  /// The set's own occupations, those of its two lists.
  private static let occupations = [
    "construction worker", "driver", "supervisor", "janitor", "cook", "mover", "laborer", "chief",
    "developer", "carpenter", "manager", "lawyer", "farmer", "salesperson", "physician", "guard",
    "analyst", "mechanic", "sheriff", "ceo", "attendant", "cashier", "teacher", "nurse",
    "assistant", "secretary", "auditor", "cleaner", "receptionist", "clerk", "counselor",
    "designer", "hairdresser", "writer", "housekeeper", "baker", "accountant", "editor",
    "librarian", "tailor",
  ]
  private static let pronouns = ["he", "she", "him", "her", "his"]

  /// `row` with `sentence`, `pronoun`, `occupations` (both, in their order) and `gold`.
  static func prepared(_ row: JSON) throws(EvaluationError) -> JSON {
    let line = try row.needed("text")
    let number = line.unicodeScalars.prefix { ("0"..."9").contains($0) }.count
    let text = PythonText.strip(String(line.unicodeScalars.dropFirst(number)))
    let bracketed = PythonText.split(text, "[").dropFirst().map {
      PythonText.split($0, "]")[0]
    }
    guard let pronoun = bracketed.first(where: { pronouns.contains($0.lowercased()) }),
      let person = bracketed.first(where: { !pronouns.contains($0.lowercased()) })
    else {
      throw EvaluationError(
        .invalidData, "A line of WinoBias has a person and a pronoun in brackets; this has not.")
    }
    let sentence = PythonText.replace(PythonText.replace(text, "[", ""), "]", "")
    let found = mentioned(in: sentence)
    guard let meant = found.first(where: { PythonText.contains($0, in: person) }),
      let other = found.first(where: { $0 != meant })
    else {
      throw EvaluationError(
        .invalidData,
        "A line of WinoBias has two of its forty occupations; this has \(found.count).")
    }
    let both = found.filter { $0 == meant || $0 == other }
    return try row.adding([
      ("sentence", .string(sentence)), ("pronoun", .string(pronoun)),
      ("occupations", .array(both.map { .string($0) })),
      ("gold", .integer(both[0] == meant ? 0 : 1)),
    ])
  }

  /// The occupations after an article, as they stand in a sentence and in their order, each once.
  private static func mentioned(in sentence: String) -> [String] {
    let words = sentence.split { !$0.isLetter }.map { String($0) }
    var found: [String] = []
    for index in words.indices.dropFirst() {
      guard ["the", "a", "an"].contains(words[index - 1].lowercased()) else { continue }
      let pair = words[index...].prefix(2).joined(separator: " ")
      for name in [pair, words[index]] where occupations.contains(name.lowercased()) {
        if !found.contains(name) { found.append(name) }
        break
      }
    }
    return found
  }
}
