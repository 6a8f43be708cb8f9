// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// One form for what answers in LaTeX may be written in, as latex2sympy2_extended makes it before it reads.
enum AnswerNormalization {
  /// The expressions, read once.
  private struct Patterns: Sendable {
    var delimiters: [Pattern]
    var permutation: Pattern
    var removed: Pattern
    var replaced: Pattern
    var doubledBackslash: Pattern
    var unitText: Pattern
    var unitWord: Pattern
    var malformed: [(Pattern, String)]
  }

  private static let patterns = Result<Patterns, EvaluationError> {
    () throws(EvaluationError) -> Patterns in
    let left =
      #"\\?[{|]|[\[(]|\\(?:rbracl|lgroup|lbrace|lbrack|l?vert|lceil|lfloor|langle|[lu]lcorner)"#
    let right =
      #"\\?[}|]|[\])]|\\(?:rbrack|rgroup|rbrace|r?vert|rceil|rfloor|rangle|[lu]rcorner)"#
    return Patterns(
      delimiters: [
        try Pattern(#"\\m?left("# + left + ")"), try Pattern(#"\\m?right("# + right + ")"),
      ],
      permutation: try Pattern(
        #"\(([a-zA-Z0-9+\-*/\\ ]+?)\)_\{([a-zA-Z0-9+\-*/\\ ]+?)\}"#),
      removed: try Pattern(
        #"\\mathrm\{th\}|\\!\s*|\\text\s*\{\s*\}|\\?\$|(?<!\\)["']|\\displaystyle"#),
      replaced: try Pattern(replacements.map { "(\($0.pattern))" }.joined(separator: "|")),
      doubledBackslash: try Pattern(#"\\\\(?=[a-zA-Z])"#),
      unitText: try Pattern(#"\\(?:text|mbox)\{.*?\}(?:\^\d|\{\^\d\})?$"#),
      unitWord: try Pattern(
        #"(\d|\}|\s)\s*(?:"# + units.joined(separator: "|") + #")(?:s|es)?\s*$"#),
      malformed: try malformed.map { (entry) throws(EvaluationError) in
        (try Pattern(entry.0), entry.1)
      })
  }

  /// What stands for something else; the first that fits at a place counts.
  private static let replacements: [(pattern: String, text: String)] = [
    (#"\\math(?:rm|it|bf)"#, "\\text"), (#"\\text(?:normal|bf|it|rm)"#, "\\text"),
    (#"\\[dtc]frac"#, "\\frac"), (#"\s\."#, " 0."), (#"\{\."#, "{0."), ("~=", "\\approx"),
    (#"\s*\{\s*,\s*\}"#, ","), (#"(?<![a-zA-Z]),?\s*(?:and|or)(?![a-zA-Z])"#, ","),
    (#",?\s*\\text\{\s*(?:and|or)\s*\}"#, ","), (#"(?<!\\)\\\s"#, " "), ("infinity", "\\infty"),
    (#",?\\ldots"#, " "), (#"\s*\bpercentage\b"#, "\\%"), (#"\\text\{percentage\}"#, "%"),
    (#"\s*\bpercent\b"#, "\\%"), (#"\\text\{percent\}"#, "%"), (#"\s*\bpct\b"#, "\\%"),
    (#"\\text\{pct\}"#, "%"), (#"(?<!\\)inf(?!inity)"#, "\\infty"), (" sqrt", "\\sqrt"),
  ]

  /// Shorthand that no reader of LaTeX takes; `1` and `2` stand for what was found.
  private static let malformed: [(String, String)] = [
    (#"\^\s?\((.*?)\)"#, "^{1}"), (#"sqrt\s?\((.*?)\)"#, "\\sqrt{1}"),
    (#"\\frac\s?(\d)\s?(\d+)"#, "\\frac{1}{2}"), (#"\\log_\s?(\d)\s?(\d+)"#, "\\log_{1}{2}"),
    (#"\\frac\s?\{(.*?)\}\s?(\d)"#, "\\frac{1}{2}"),
    (#"\\frac\s?(\d)\s?\{(.*?)\}"#, "\\frac{1}{2}"), (#"\\sqrt\s?(\d)"#, "\\sqrt{1}"),
  ]

  /// Words that are taken for units at the end.
  ///
  /// Each also with `s` or `es`; a point is any character.
  private static let units = [
    "integerpoint", "feet", "sue", "digit", "pound", "meal", "edge", "student", "children ticket",
    "multiple", "east", "degree", "mph", "kmph", "ft", "m square", " m east", "sq m", "deg", "mile",
    "q .", "monkey", "prime", "ratio", "profit of rs", "rd", "o", "gm", "p . m", "lb", "tile",
    "per",
    "dm", "lt", "gain", "ab", "way", "west", "[a-h] .", "t", "h", "no change", "men", "soldier",
    "pie", "bc", "excess", "st", "inches", "noon", "cent", "by", "gal", "kmh", "c", "acre", "rise",
    "a . m", "th", "π r 2", "sq", "mark", "l", "toy", "coin", "sq . m", "gallon", "° f", "profit",
    "minw", "yr", "women", "am", "pm", "hr", "cu cm", "square", "v â € ™", "are", "rupee", "rounds",
    "cubic", "cc", "mtr", "s", "ohm", "number", "day", "hour", "minute", "min", "second", "man",
    "woman", "sec", "cube", "mt", "sq inch", "mp", "∏ cm ³", "hectare", "more", "unit", "cu . m",
    "cm 2", "rs .", "rs", "kg", "g", "month", "km", "m", "cm", "mm", "apple", "liter", "loss",
    "yard", "pure", "year", "increase", "decrease", "d", "less", "Surface", "litre", "pi sq m",
    "s .", "metre", "meter", "inch",
  ]

  /// The answer in that form; nothing of one that is longer than any answer.
  static func normalized(_ text: String, boxes: BoxedContent.Choice) throws(EvaluationError)
    -> String
  {
    let patterns = try patterns.get()
    let content = BoxedContent.found(in: text, boxes)
    guard content.utf8.count <= 4000 else { return "" }
    var text = plain(content, patterns)
    text = withoutUnits(text, patterns)
    if text.unicodeScalars.first == "." { text = "0" + text }
    if text == "0.5" { text = "\\frac{1}{2}" }
    for (pattern, form) in patterns.malformed {
      text = pattern.replacing(in: text) { groups in filled(form, groups) }
    }
    text = PythonText.replace(text, " sqrt", "\\sqrt")
    return PythonText.strip(slashed(withBraces(fractions: withBraces(roots: text))))
  }

  /// A form with what stands for `1` and `2` in it; braces around each are the form's own.
  private static func filled(_ form: String, _ groups: [String]) -> String {
    var result = ""
    var previous: Character = " "
    for character in form {
      if previous == "{", let place = character.wholeNumberValue, place < groups.count {
        result += groups[place]
      } else {
        result.append(character)
      }
      previous = character
    }
    return result
  }

  private static func plain(_ text: String, _ patterns: Patterns) -> String {
    var text = [
      ("\\mathrm{T}", "T"), ("\\mathrm{d}", "d"), ("{\\rm d}", "d"),
      ("\\left[\\begin{matrix}", "\\begin{bmatrix}"), ("\\end{matrix}\\right]", "\\end{bmatrix}"),
    ].reduce(text) { PythonText.replace($0, $1.0, $1.1) }
    for pattern in patterns.delimiters {
      text = pattern.replacing(in: text) { $0.count > 1 ? $0[1] : "" }
    }
    text = patterns.permutation.replacing(in: text) { groups in
      groups.count > 2 ? "\\frac{(\(groups[1]))!}{((\(groups[1]))-(\(groups[2])))!}" : ""
    }
    text = patterns.removed.replacing(in: text) { _ in "" }
    text = patterns.replaced.replacing(in: text) { groups in
      let place = groups.dropFirst().firstIndex { !$0.isEmpty } ?? 0
      return place > 0 && place <= replacements.count ? replacements[place - 1].text : groups[0]
    }
    text = PythonText.replace(PythonText.replace(text, "\n", " "), "\t", " ")
    if PythonText.contains("matrix", in: text) { return text }
    return patterns.doubledBackslash.replacing(in: text) { _ in "\\" }
  }

  /// Without a unit at the end, unless nothing else is there.
  private static func withoutUnits(_ text: String, _ patterns: Patterns) -> String {
    let stripped = PythonText.strip(patterns.unitText.replacing(in: text) { _ in "" })
    var text = stripped.isEmpty ? text : stripped
    for _ in 0..<2 {
      let shorter = patterns.unitWord.replacing(in: text) { $0.count > 1 ? $0[1] : "" }
      if !shorter.isEmpty { text = shorter }
    }
    return text
  }

  // MARK: Shorthand of LaTeX

  private static func joined(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    scalars.reduce(into: "") { $0.unicodeScalars.append($1) }
  }

  /// `\sqrt3` as `\sqrt{3}`.
  private static func withBraces(roots text: String) -> String {
    let parts = PythonText.split(text, "\\sqrt")
    return parts.dropFirst().reduce(parts[0]) { result, part in
      let part = PythonText.leftStrip(part)
      guard let first = part.unicodeScalars.first, first != "{", first != "[" else {
        return result + "\\sqrt" + part
      }
      return result + "\\sqrt{\(first)}" + joined(part.unicodeScalars.dropFirst())
    }
  }

  /// `\frac12` as `\frac{1}{2}`; all as it was where a fraction has nothing below.
  private static func withBraces(fractions text: String) -> String {
    let parts = PythonText.split(text, "\\frac")
    var result = parts[0]
    for part in parts.dropFirst() {
      let scalars = Array(PythonText.leftStrip(part).unicodeScalars)
      result += "\\frac"
      if scalars.first == "{" {
        result += joined(scalars)
        continue
      }
      guard scalars.count >= 2 else { return text }
      let rest = joined(scalars[2...])
      result += "{\(scalars[0])}" + (scalars[1] == "{" ? "{\(rest)" : "{\(scalars[1])}\(rest)")
    }
    return result
  }

  /// `1/2` as `\frac{1}{2}`.
  private static func slashed(_ text: String) -> String {
    let parts = PythonText.split(text, "/")
    func isWhole(_ text: String) -> Bool {
      let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
      let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
      return isNumber && (digits == "0" ? text == "0" : !digits.hasPrefix("0"))
    }
    guard parts.count == 2, isWhole(parts[0]), isWhole(parts[1]) else { return text }
    return "\\frac{\(parts[0])}{\(parts[1])}"
  }
}
