// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What stands in the boxes of a text, as latex2sympy2_extended finds it: from the last one backwards.
enum BoxedContent {
  enum Choice: Sendable {
    /// Every box.
    case all
    /// The last, and those before it that only a separator parts from it.
    case last
  }

  /// The contents with commas between them; the text itself where it has no box.
  static func found(in text: String, _ choice: Choice) -> String {
    let scalars = Array(text.unicodeScalars)
    var results: [String] = []
    var following: Int?
    var (searchEnd, end) = (scalars.count, scalars.count)
    while let (start, after) = lastCommand(scalars[..<searchEnd]) {
      var opening = after
      while opening < end, PythonText.isSpace(scalars[opening]) { opening += 1 }
      guard opening < end else { break }
      guard scalars[opening] == "{", let closing = closing(scalars[..<end], opening) else {
        // A box that does not end, or has no braces, is the last thing in the text.
        if results.isEmpty { results.append(string(scalars[opening...])) }
        break
      }
      let content = PythonText.strip(string(scalars[(opening + 1)..<closing]))
      if choice == .last, let following {
        let between = scalars[min(closing + 1, following)..<following]
        guard belongs(content, between, to: results.last ?? "") else { break }
      }
      if results.last.map({ PythonText.areEqual($0, content) }) != true { results.append(content) }
      (following, end, searchEnd) = (start, start, start)
    }
    return results.isEmpty ? text : results.reversed().joined(separator: ",")
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    String(String.UnicodeScalarView(scalars))
  }

  /// Where the last `\boxed` or `\fbox` begins and ends.
  private static func lastCommand(
    _ scalars: ArraySlice<Unicode.Scalar>
  ) -> (start: Int, end: Int)? {
    let names = ["\\boxed", "\\fbox"].map { Array($0.unicodeScalars) }
    for start in scalars.indices.reversed() where scalars[start] == "\\" {
      for name in names where scalars[start...].starts(with: name) {
        return (start, start + name.count)
      }
    }
    return nil
  }

  /// Where the brace that opens at `opening` is closed.
  private static func closing(_ scalars: ArraySlice<Unicode.Scalar>, _ opening: Int) -> Int? {
    var depth = 0
    for index in opening..<scalars.endIndex {
      if scalars[index] == "{" { depth += 1 }
      if scalars[index] == "}" {
        depth -= 1
        if depth == 0 { return index }
      }
    }
    return nil
  }

  /// Whether a box is part of the answer that the box after it ends.
  private static func belongs(
    _ content: String, _ between: ArraySlice<Unicode.Scalar>, to next: String
  ) -> Bool {
    if between.count < 10 { return true }
    guard between.count < 70, !PythonText.areEqual(content, next) else { return false }
    let text = string(between)
    if between.contains(",") || between.contains(";") { return true }
    let separators = try? Pattern(#"\b(?:and|or)\b"#).matches(in: text)
    return separators?.isEmpty == false
  }
}
