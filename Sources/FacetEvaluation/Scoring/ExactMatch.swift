// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// When an answer is the right one.
package struct ExactMatch: Sendable {
  private var ignored: [Pattern] = []
  private var ignoresCase = false
  private var ignoresPunctuation = false

  init(_ json: JSON?, path: String) throws(EvaluationError) {
    guard let json else { return }
    var reader = try TaskReader(json, place: "\(path), 'match'")
    ignoresCase = try reader.flag("ignore_case")
    ignoresPunctuation = try reader.flag("ignore_punctuation")
    for source in try reader.texts("ignore") { ignored.append(try Pattern(source)) }
    try reader.finish()
  }

  /// Whether `answer` is one of `targets`.
  package func holds(_ answer: String, _ targets: [String]) -> Bool {
    let answer = normalized(answer)
    return targets.contains { PythonText.areEqual(normalized($0), answer) }
  }

  /// The expressions go in their order, then case, then punctuation.
  private func normalized(_ text: String) -> String {
    var text = ignored.reduce(text) { $1.replacing(in: $0, with: "") }
    if ignoresCase { text = text.lowercased() }
    return ignoresPunctuation ? PythonText.withoutPunctuation(text) : text
  }
}
