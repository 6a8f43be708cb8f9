// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// WikiText as people would write it, from its word-by-word form.
enum WikiText {
  /// What is replaced, in order; `true` marks regular expressions.
  ///
  /// One of lm-eval's rules, the second, matches next to nothing; it is kept, since the figures are to
  /// be the same.
  private static let rules: [(from: String, to: String, isPattern: Bool)] = [
    ("s '", "s'", false), ("/' [0-9]/", "/'[0-9]/", true),
    (" @-@ ", "-", false), (" @,@ ", ",", false), (" @.@ ", ".", false),
    (" : ", ": ", false), (" ; ", "; ", false), (" . ", ". ", false), (" ! ", "! ", false),
    (" ? ", "? ", false), (" , ", ", ", false),
    ("\\(\\s*([^\\)]*?)\\s*\\)", "(\\1)", true), ("\\[\\s*([^\\]]*?)\\s*\\]", "[\\1]", true),
    ("\\{\\s*([^}]*?)\\s*\\}", "{\\1}", true), ("\"\\s*([^\"]*?)\\s*\"", "\"\\1\"", true),
    ("'\\s*([^']*?)\\s*'", "'\\1'", true),
    ("= = = =", "====", false), ("= = =", "===", false), ("= =", "==", false),
    (" \u{b0} ", "\u{b0}", false), (" \n", "\n", false), ("\n ", "\n", false),
    (" N ", " 1 ", false), (" 's", "'s", false),
  ]

  /// The text with its words joined.
  static func joined(_ page: String) throws(EvaluationError) -> String {
    var text = page
    for rule in rules {
      text =
        rule.isPattern
        ? try Pattern(rule.from).replacing(in: text, with: rule.to)
        : PythonText.replace(text, rule.from, rule.to)
    }
    return text
  }

  /// Words of the page as it was: `len(re.split(r"\s+", page))`.
  static func wordCount(_ page: String) -> Int {
    var count = 1
    var isInSpace = false
    for scalar in page.unicodeScalars {
      let isSpace = PythonText.isSpace(scalar)
      if isSpace, !isInSpace { count += 1 }
      isInSpace = isSpace
    }
    return count
  }
}
