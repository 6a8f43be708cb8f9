// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where answers stand in a text: the expressions by which math_verify looks for them, in the order in which it does.
///
/// First after "final answer is" and before "I hope", then in boxes and after "final answer … is", then after
/// "answer:" and "answer", then anywhere.
struct AnswerPatterns: Sendable {
  /// The answers in LaTeX that one expression finds.
  struct LaTeX: Sendable {
    var pattern: Pattern
    /// Of each environment in turn, which groups hold what stands in it, and which a percent sign after it.
    var environments: [(contents: ClosedRange<Int>, percent: Int?)]
    /// Whether it finds a box by itself, without dollar signs.
    var isBareBox = false
  }

  enum Finder: Sendable {
    case latex(LaTeX)
    /// A number or a sum of some, in digits.
    case digits(Pattern)
  }

  /// Those that are tried together, the rightmost match first.
  let ranks: [[Finder]]

  /// Read once.
  static let shared = Result<AnswerPatterns, EvaluationError> {
    () throws(EvaluationError) in try AnswerPatterns()
  }

  private init() throws(EvaluationError) {
    let (latex, digits) = (Environments(isBoxed: false), DigitForms())
    func math(_ before: String, _ after: String = "") throws(EvaluationError) -> Finder {
      .latex(
        LaTeX(
          pattern: try Pattern("(?s)" + before + latex.source + after),
          environments: latex.groups))
    }
    func plain(_ before: String, _ form: String, _ after: String = "") throws(EvaluationError)
      -> Finder
    {
      .digits(try Pattern(before + form + after))
    }
    let boxed = Environments(isBoxed: true)
    let hope = #"\.?\s?I hope"#
    let (sure, likely) = (#"(?i:final answer is):?\s*"#, #"(?i:final answer.{0,100}?)\s+is:?"#)
    let near = #"(?:.{0,100}=\s*|.{0,50}?)"#
    let noEquation = #"(?!\s*=)"#
    ranks = [
      [try math(sure, hope), try plain(sure, digits.either, hope)],
      [
        try math(likely + #"\s*"#),
        .latex(
          LaTeX(pattern: try Pattern("(?s)" + boxed.source), environments: boxed.groups)),
        .latex(
          LaTeX(
            pattern: try Pattern(#"(?s)(\\boxed\{.+\})"#), environments: [(1...1, nil)],
            isBareBox: true)),
        try plain(likely, digits.either),
      ],
      [
        try math("(?i:answer):.{0,50}?"),
        try plain("(?i:answer):" + near, digits.either, noEquation),
      ],
      [
        try math("(?i:answer).{0,50}?"), try plain("(?i:answer)" + near, digits.either, noEquation),
      ],
      [try math(""), try plain("", digits.expression), try plain("", digits.number)],
    ]
  }

  /// Up to six pieces of LaTeX with `and`, `or` or commas between them.
  private struct Environments {
    var source = ""
    var groups: [(contents: ClosedRange<Int>, percent: Int?)] = []

    init(isBoxed: Bool) {
      let count = isBoxed ? 6 : 7
      let one = Self.environment(isBoxed: isBoxed)
      let next = (isBoxed ? #"\s*"# : "") + #"(?:\s*(?:,?and|,?or|,)\s*"# + one + ")?"
      source = "(?:" + one + String(repeating: next, count: 5) + ")"
      for place in 0..<6 {
        let first = place * count + 1
        groups.append((first...(first + count - 2), first + count - 1))
      }
    }

    /// What stands between dollar signs or brackets, perhaps with a percent sign after it.
    private static func environment(isBoxed: Bool) -> String {
      func content(_ piece: String) -> String {
        isBoxed ? "\(piece)*?\\\\boxed\\{\(piece)+?\\}\(piece)*?" : "\(piece)+?"
      }
      var forms = [
        #"(?<!\\)\$\$("# + content(#"(?:[^$]|\$(?!\$))"#) + #")(?<!\\)\$\$"#,
        #"(?<!\\)\\\[("# + content(#"(?:[^\\]|\\(?!\]))"#) + #")(?<!\\)\\\]"#,
        #"(?<!\\|\d)\$("# + content(#"(?:\\[$]|[^\n$])"#) + #")(?<!\\)\$"#,
        #"(?<!\\)\\\(("# + content(#"(?:[^\\\n]|\\(?!\)))"#) + #")(?<!\\)\\\)"#,
        #"\s\[("# + content(#"[^\n\]\[]"#) + #")\]\s"#,
      ]
      if !isBoxed {
        let number = #"-?\d+(?:[.,]\d+)?"#
        forms.append(#"(-?\\frac\{"# + number + #"\}\{"# + number + #"\})"#)
      }
      let percent = #"(\\?%|[Pp]ercent|[Pp]ercentage|[Pp]ct)"#
      return "(?:(?:" + forms.joined(separator: "|") + #")\s*"# + percent + "?)"
    }
  }

  /// Numbers and expressions that are written without LaTeX.
  private struct DigitForms {
    /// Groups: whole with separators, its decimals, whole, its decimals, decimals alone, whole alone, percent.
    let number: String
    let expression: String
    var either: String { "(?:" + expression + "|" + number + ")" }

    init() {
      let start = #"(?:^|\s|=)(?:\*\*)?"#
      let currencies = "$€£¥₹₽₪₩₫฿₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₴₵₶₷₸₹₺₻₼₽₾₿"
      let digits =
        #"(?<!\d)(?:(-?[1-9]\d{0,2}(?:[ ,]\d{3})+)(\.\d+)?|(-?\d+)([.,]\d+)|(\.\d+)|(-?\d+))"#
        + #"(\s*(?:%|[Pp]ercent|\s*[Pp]ercentage|\s*[Pp]ct))?"#
      number = "(?:" + start + "[" + currencies + "]?" + digits + ")"
      let signs = #"+\-*×/\^()÷"#
      let any = #"[\d.\s"# + signs + "]"
      expression =
        "(?:" + start + #"(-?\(?-?\d"# + any + "*[" + signs + "]" + any + #"+\)?)"#
        + #"(?:\*\*)?(?:[.,:)$]|\s|$))"#
    }
  }
}
