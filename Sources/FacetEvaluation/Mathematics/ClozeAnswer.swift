// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The answers of AGIEval's cloze questions: short expressions in LaTeX, compared by their form (Zhong 2023;
/// the forms are those of MATH, Hendrycks 2021).
package enum ClozeAnswer {
  /// Whether two texts give the same answer.
  ///
  /// Where neither gives one they are equal too, as they are for lm-eval.
  package static func areEqual(_ a: String, _ b: String) -> Bool {
    let (first, second) = (try? parsed(a), try? parsed(b))
    guard let first, let second else { return first == nil && second == nil }
    guard let x = stripped(first), let y = stripped(second) else {
      return PythonText.areEqual(first, second)
    }
    return PythonText.areEqual(x, y)
  }

  /// There is no answer in the text.
  private struct Absent: Error {}

  /// The answer in a text: in its last box, between its last dollar signs, after its last equals sign, or
  /// its last number.
  private static func parsed(_ text: String) throws -> String {
    if PythonText.contains("\\boxed", in: text) {
      guard PythonText.contains("\\boxed{", in: text), let inside = MathAnswer.boxed(text) else {
        throw Absent()
      }
      return afterEquals(inside)
    }
    if let dollars = try Pattern("\\$(.*)\\$").matches(in: text).last?.first, !dollars.isEmpty {
      return afterEquals(dollars)
    }
    if PythonText.contains("=", in: text) {
      var answer = afterEquals(text).unicodeScalars[...]
      while answer.last == "." { answer.removeLast() }
      return PythonText.split(String(answer), "\\n")[0]
    }
    let numbers = try Pattern("(?:\\$)?\\d+(?:\\.\\d+)?(?![\\w\\d])").matches(in: text)
    guard let last = numbers.last?.first else { throw Absent() }
    return last
  }

  private static func afterEquals(_ text: String) -> String {
    let parts = PythonText.split(text, "=")
    guard parts.count > 1, let last = parts.last else { return text }
    return String(last.unicodeScalars.drop { $0 == " " })
  }

  /// One form for what may be written in several; nil where it has none.
  private static func stripped(_ text: String) -> String? {
    var text = [
      ("\n", ""), ("\\!", ""), ("\\\\", "\\"), ("tfrac", "frac"), ("dfrac", "frac"),
      ("\\left", ""), ("\\right", ""), ("^{\\circ}", ""), ("^\\circ", ""), ("\\$", ""),
    ].reduce(text) { PythonText.replace($0, $1.0, $1.1) }
    let units = PythonText.split(text, "\\text{ ")
    guard units.count <= 2 else { return nil }
    text = [("\\%", ""), (" .", " 0."), ("{.", "{0.")].reduce(units[0]) {
      PythonText.replace($0, $1.0, $1.1)
    }
    if text.isEmpty { return text }
    if text.unicodeScalars.first == "." { text = "0" + text }
    let sides = PythonText.split(text, "=")
    if sides.count == 2, PythonText.count(sides[0]) <= 2 { text = sides[1] }
    guard let roots = withBraces(roots: text) else { return nil }
    guard let fractions = withBraces(fractions: PythonText.replace(roots, " ", "")) else {
      return nil
    }
    return slashed(fractions == "0.5" ? "\\frac{1}{2}" : fractions)
  }

  /// `\sqrt3` as `\sqrt{3}`; nil where a root has nothing under it.
  private static func withBraces(roots text: String) -> String? {
    let parts = PythonText.split(text, "\\sqrt")
    var result = parts[0]
    for part in parts.dropFirst() {
      guard let first = part.unicodeScalars.first else { return nil }
      let rest = String(part.unicodeScalars.dropFirst())
      result += first == "{" ? "\\sqrt" + part : "\\sqrt{\(first)}\(rest)"
    }
    return result
  }

  /// `\frac12` as `\frac{1}{2}`; nil where a fraction has nothing above it.
  private static func withBraces(fractions text: String) -> String? {
    let parts = PythonText.split(text, "\\frac")
    var result = parts[0]
    for part in parts.dropFirst() {
      let scalars = Array(part.unicodeScalars)
      guard let first = scalars.first else { return nil }
      result += "\\frac"
      if first == "{" {
        result += part
        continue
      }
      guard scalars.count >= 2 else { return text }
      let rest = scalars[2...].reduce(into: "") { $0.unicodeScalars.append($1) }
      result += "{\(first)}" + (scalars[1] == "{" ? "{\(rest)" : "{\(scalars[1])}\(rest)")
    }
    return result
  }

  /// `1/2` as `\frac{1}{2}`.
  private static func slashed(_ text: String) -> String {
    let parts = PythonText.split(text, "/")
    guard parts.count == 2, let above = Int(parts[0]), let below = Int(parts[1]),
      PythonText.areEqual(text, "\(above)/\(below)")
    else { return text }
    return "\\frac{\(above)}{\(below)}"
  }
}
