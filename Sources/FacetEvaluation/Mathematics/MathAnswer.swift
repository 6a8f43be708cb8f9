// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// The answers of MATH, as Minerva was scored on them (Lewkowycz 2022, appendix D) and lm-eval scores.
package enum MathAnswer {
  /// `row` with `facet_answer`, the answer in the solution's last box, and `facet_subject`.
  static func prepared(_ row: JSON) throws(EvaluationError) -> JSON {
    let solution = try row.needed("solution")
    guard let answer = boxed(solution) else {
      throw EvaluationError(.invalidData, "'solution' has no answer in \\boxed{…}.")
    }
    let type = try row.needed(row["type"] == nil ? "subject" : "type")
    let subjects = [
      "Counting & Probability": "counting_and_prob", "Number Theory": "num_theory",
      "Precalculus": "precalc",
    ]
    let subject = subjects[type] ?? PythonText.replace(type.lowercased(), " ", "_")
    return try row.adding([
      ("facet_answer", .string(try normalized(answer))), ("facet_subject", .string(subject)),
    ])
  }

  /// Whether the final answer that `text` gives is `gold`, which is normalised.
  static func isRight(_ text: String, _ gold: String) -> Bool {
    guard let answer = try? normalized(final(text)) else { return false }
    return areEqual(answer, gold)
  }

  /// Whether two normalised answers are the same text, or expressions of the same value.
  package static func areEqual(_ a: String, _ b: String) -> Bool {
    if !a.isEmpty, PythonText.areEqual(a, b) { return true }
    return MathExpression.areEqual(a, b)
  }

  /// What stands in the sentence that Minerva's examples end with.
  private static func final(_ text: String) throws(EvaluationError) -> String {
    let end = "I hope it is correct."
    let pattern = "Final Answer: The final answer is(.*?). I hope it is correct."
    let found = try Pattern(pattern).matches(in: text + end).first
    return found.map { PythonText.strip($0[0]) } ?? "[invalidanswer]"
  }

  /// What stands in the last box of `text`; nil when there is none, or it does not end.
  static func boxed(_ text: String) -> String? {
    let parts = PythonText.split(text, "\\boxed ")
    if parts.count > 1 { return PythonText.split(parts[parts.count - 1], "$")[0] }
    let boxes = PythonText.split(text, "\\boxed{")
    guard boxes.count > 1, let last = boxes.last else { return nil }
    var depth = 1
    var inside = String.UnicodeScalarView()
    for scalar in last.unicodeScalars {
      if scalar == "{" { depth += 1 }
      if scalar == "}" { depth -= 1 }
      if depth == 0 { return String(inside) }
      inside.append(scalar)
    }
    return nil
  }

  // MARK: One form for what may be written in several

  private static let replacements = [
    ("an ", ""), ("a ", ""), (".$", "$"), ("\\$", ""), ("\\ ", ""), (" ", ""), ("mbox", "text"),
    (",\\text{and}", ","), ("\\text{and}", ","), ("\\text{m}", "\\text{}"),
  ]
  /// Words, most of them units, that say nothing of the value.
  private static let words = [
    "square", "ways", "integers", "dollars", "mph", "inches", "ft", "hours", "km", "units", "sue",
    "points", "feet", "minutes", "digits", "cents", "degrees", "cm", "gm", "pounds", "meters",
    "meals", "edges", "students", "childrentickets", "multiples",
  ]
  /// The same in LaTeX, and the place among `words` before which each is removed.
  private static let marks = [
    (10, "\\ldots"), (26, "\\text{s}"), (26, "\\text{.}"), (26, "\\text{\ns}"), (26, "\\text{}^2"),
    (26, "\\text{}^3"), (26, "\\text{\n}"), (26, "\\text{}"), (26, "\\mathrm{th}"),
    (26, "^\\circ"), (26, "^{\\circ}"), (26, "\\;"), (26, ",\\!"), (26, "{,}"), (26, "\""),
    (26, "\\dots"),
  ]
  /// Wrappings, and shorthand for fractions and roots.
  private static let forms = [
    ("(.*?)(\\$)(.*?)(\\$)(.*)", "$\\3$"), ("(\\\\text\\{)(.*?)(\\})", "\\2"),
    ("(\\\\textbf\\{)(.*?)(\\})", "\\2"), ("(\\\\overline\\{)(.*?)(\\})", "\\2"),
    ("(\\\\boxed\\{)(.*)(\\})", "\\2"), ("(frac)([^{])(.)", "frac{\\2}{\\3}"),
    ("(sqrt)(\\[[^\\]]*\\])(\\w)", "\\1\\2{\\3}"), ("(sqrt)(?!\\[)([^{])", "sqrt{\\2}"),
  ]

  /// The answer without units, wrappings and spaces.
  package static func normalized(_ text: String) throws(EvaluationError) -> String {
    var answer = PythonText.split(text, "=").last ?? ""
    for word in words {
      answer = try Pattern("(?<!\\\\)\\b\(word)\\b").replacing(in: answer, with: "")
    }
    for (old, new) in replacements { answer = PythonText.replace(answer, old, new) }
    for place in 0...words.count {
      for (_, mark) in marks.filter({ $0.0 == place }) {
        answer = PythonText.replace(answer, mark, "")
      }
      if place < words.count { answer = outsideCommands(answer, without: words[place]) }
    }
    for (pattern, template) in forms {
      answer = try Pattern(pattern).replacing(in: answer, with: template)
    }
    answer = PythonText.replace(answer, "$", "")
    let isGrouped = try !Pattern("^-?\\d{1,3}(,\\d{3})+\\z").matches(in: answer).isEmpty
    return isGrouped ? PythonText.replace(answer, ",", "") : answer
  }

  /// `text` without `word`, but where it is part of a command of LaTeX: `\left` keeps its `ft`.
  private static func outsideCommands(_ text: String, without word: String) -> String {
    guard PythonText.contains(word, in: text) else { return text }
    var result = ""
    var rest = text.unicodeScalars[...]
    while let start = rest.firstIndex(of: "\\") {
      result += PythonText.replace(String(rest[..<start]), word, "")
      let letters = rest[rest.index(after: start)...].prefix { scalar in
        scalar.isASCII && scalar.properties.isAlphabetic
      }
      if letters.isEmpty {
        // A backslash alone belongs to what follows it.
        let next = rest[rest.index(after: start)...]
        let end = next.firstIndex(of: "\\") ?? next.endIndex
        result += PythonText.replace(String(rest[start..<end]), word, "")
        rest = rest[end...]
      } else {
        result += String(rest[start..<letters.endIndex])
        rest = rest[letters.endIndex...]
      }
    }
    return result + PythonText.replace(String(rest), word, "")
  }
}
