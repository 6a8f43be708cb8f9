// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a text gives as its answer, found and read as math_verify's `parse` does.
struct ExtractedAnswer: Sendable {
  /// What the answer says; nil where nothing could be read.
  var object: MathObject?
  /// The first that was found, as text; nil where none was.
  var text: String?

  /// Whether there is nothing to compare.
  var isEmpty: Bool { object == nil && text == nil }

  /// The answer in `text`, of which the last twenty thousand characters count.
  init(from whole: String) throws(EvaluationError) {
    let text = String(String.UnicodeScalarView(whole.unicodeScalars.suffix(20_000)))
    // math_verify gives up after five seconds, and then there is no answer.
    if Self.takesTooLong(text) { return }
    for rank in try AnswerPatterns.shared.get().ranks {
      for match in Self.matches(rank, in: text) {
        let (object, written) =
          switch match.finder {
          case .latex(let latex): try Self.read(latex, match.groups, in: text)
          case .digits: Self.readDigits(match.groups, in: text)
          }
        // A number that sympy refuses ends the search: there is no answer then.
        if object == nil, Self.isRefused(written, match.finder) {
          self.text = nil
          return
        }
        if self.text == nil, !written.isEmpty { self.text = written }
        if let object {
          self.object = object
          return
        }
      }
    }
  }

  /// Whether the search for boxes between brackets would go back and forth for long: from each bracket that is
  /// never closed to each box, each brace and the end.
  private static func takesTooLong(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var (open, boxes, braces, dollars) = (0, 0, 0, 0)
    for (index, byte) in bytes.enumerated() {
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      switch (byte, next) {
      case (UInt8(ascii: "\\"), UInt8(ascii: "[")), (UInt8(ascii: "\\"), UInt8(ascii: "(")):
        open += 1
      case (UInt8(ascii: "\\"), UInt8(ascii: "]")), (UInt8(ascii: "\\"), UInt8(ascii: ")")):
        open -= 1
      case (UInt8(ascii: "\\"), UInt8(ascii: "b")):
        if bytes[index...].starts(with: "\\boxed".utf8) { boxes += 1 }
      case (UInt8(ascii: "}"), _): braces += 1
      case (UInt8(ascii: "$"), UInt8(ascii: "$")): dollars += 1
      default: break
      }
    }
    let scanned = Double(1 + max(0, open) + dollars % 2) * Double(bytes.count)
    return scanned > 2e7 || scanned * Double(boxes) * Double(braces) > 1e9
  }

  private struct Match {
    var finder: AnswerPatterns.Finder
    var groups: [Range<String.Index>?]
    var range: Range<String.Index>
    var order: Int
  }

  /// The matches of a rank, those that end last first, the longer before the shorter.
  private static func matches(_ rank: [AnswerPatterns.Finder], in text: String) -> [Match] {
    var all: [Match] = []
    for finder in rank {
      let pattern =
        switch finder {
        case .latex(let latex): latex.pattern
        case .digits(let pattern): pattern
        }
      for groups in pattern.matchRanges(in: text) {
        guard let range = groups[0] else { continue }
        all.append(Match(finder: finder, groups: groups, range: range, order: all.count))
      }
    }
    return all.sorted { a, b in
      if a.range.upperBound != b.range.upperBound { return a.range.upperBound > b.range.upperBound }
      if a.range.lowerBound != b.range.lowerBound { return a.range.lowerBound < b.range.lowerBound }
      return a.order < b.order
    }
  }

  // MARK: LaTeX

  private static func read(
    _ latex: AnswerPatterns.LaTeX, _ groups: [Range<String.Index>?], in text: String
  ) throws(EvaluationError) -> (MathObject?, String) {
    var (objects, texts): ([MathObject?], [String]) = ([], [])
    for environment in latex.environments {
      let found = environment.contents.compactMap { $0 < groups.count ? groups[$0] : nil }
      guard let range = found.first(where: { !$0.isEmpty }) else { continue }
      let written = try AnswerNormalization.normalized(
        String(text[range]), boxes: latex.isBareBox ? .last : .all)
      var object = read(written)
      if let percent = environment.percent, groups[percent] != nil {
        // Hundredths of a set are found, but equal to nothing.
        object = object.map { .formula($0.formula.map { .percent($0) } ?? .constant(.undefined)) }
      }
      objects.append(object)
      texts.append(written)
    }
    let known = objects.compactMap { $0 }
    guard objects.count > 1, known.count == objects.count else {
      return (objects.first ?? nil, texts.first ?? "")
    }
    let elements = known.flatMap { object in
      if case .finiteSet(let parts) = object { parts } else { [object] }
    }
    return (.finiteSet(elements), texts.joined(separator: " and "))
  }

  /// What LaTeX says, or else what stands after the last of several equals signs in it.
  static func read(_ latex: String) -> MathObject? {
    if let object = LaTeXReader.read(latex, isReal: !isComplex(latex)) { return object }
    if let last = lastEquation(latex),
      let object = LaTeXReader.read(last, isReal: !isComplex(last))
    {
      return object
    }
    // math_verify reads these and looks no further, so neither do we; but they are equal to nothing here.
    let isKnownThere = beyond.contains { PythonText.contains($0, in: latex) }
    return isKnownThere ? .formula(.constant(.undefined)) : nil
  }

  /// What latex2sympy2_extended reads and ``LaTeXReader`` does not, or not always.
  private static let beyond = ["\\sum", "\\prod", "\\int", "\\lim", "\\gcd", "\\lcm"]

  private static func lastEquation(_ latex: String) -> String? {
    guard !latex.contains(","), !latex.contains(";") else { return nil }
    let scalars = Array(latex.unicodeScalars)
    let signs = scalars.indices.filter { index in
      scalars[index] == "=" && (index == 0 || !"\\<!>".unicodeScalars.contains(scalars[index - 1]))
    }
    guard signs.count > 1, let last = signs.last else { return nil }
    return String(String.UnicodeScalarView(scalars[(last + 1)...]))
  }

  private static let complexSigns = Result<Pattern, EvaluationError> {
    () throws(EvaluationError) in
    try Pattern(
      #"\\mathbb\{C\}|\\i\b|\bi\b|\\text\{i\}|\\mathrm\{i\}|\\imath\b|\\det|\\operatorname\{tr\}|"#
        + #"\\operatorname\{rank\}|\\text\{rank\}|\\arg\{|\\Re\{|\\Im\{|\\operatorname\{Re\}|"#
        + #"\\operatorname\{Im\}|\\text\{Re\}|\\text\{Im\}"#)
  }

  /// Whether its variables are held for no real ones: an `i` stands alone, or a word of complex numbers.
  private static func isComplex(_ latex: String) -> Bool {
    guard let pattern = try? complexSigns.get() else { return false }
    return !pattern.matchRanges(in: latex).isEmpty
  }

  // MARK: Digits

  private static func isRefused(_ written: String, _ finder: AnswerPatterns.Finder) -> Bool {
    if case .digits = finder { isZeroed(written) } else { false }
  }

  /// Whether it is a whole number like `-05`, which Python does not read.
  private static func isZeroed(_ number: String) -> Bool {
    number.hasPrefix("-0") && number.count > 2 && number.dropFirst().allSatisfy(\.isWholeNumber)
      && number.dropFirst().contains { $0 != "0" }
  }

  private static func readDigits(
    _ groups: [Range<String.Index>?], in text: String
  ) -> (MathObject?, String) {
    // Alone or after an expression, a number's groups are the last seven.
    func group(_ place: Int) -> String {
      guard place >= 1, place < groups.count, let range = groups[place] else { return "" }
      return String(text[range])
    }
    if groups.count >= 8 {
      let first = groups.count - 7
      let whole = [0, 2, 5].map { group(first + $0) }.first { !$0.isEmpty } ?? ""
      let decimal = [1, 3, 4].map { group(first + $0) }.first { !$0.isEmpty } ?? ""
      if !whole.isEmpty || !decimal.isEmpty {
        var digits = PythonText.replace(PythonText.replace(whole, ",", ""), " ", "")
        digits = String(digits.drop { $0 == "0" })
        if digits.isEmpty { digits = "0" }
        let number = digits + PythonText.replace(decimal, ",", ".")
        guard !isZeroed(number), let value = MathNumber(text: number) else { return (nil, number) }
        let isPercent = !group(first + 6).isEmpty
        return (.formula(isPercent ? .percent(.number(value)) : .number(value)), number)
      }
    }
    let expression = groups.count == 8 ? "" : group(1)
    return (DigitExpression.read(expression).map { .formula($0) }, expression)
  }
}
