// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// A regular expression with the meaning that Python's `re` gives it, as far as tasks use it: only a line
/// feed ends a line.
package struct Pattern: Sendable {
  /// The expression.
  package let source: String
  private let expression: NSRegularExpression

  /// Reads an expression.
  package init(_ source: String) throws(EvaluationError) {
    self.source = source
    do {
      expression = try NSRegularExpression(pattern: source, options: .useUnixLineSeparators)
    } catch {
      throw EvaluationError(.invalidTask, "'\(source)' is no regular expression.")
    }
  }

  /// `re.sub` with a template of literal text and `\1`-style groups.
  package func replacing(in text: String, with template: String) -> String {
    let escaped = template.unicodeScalars.reduce(into: "") { result, scalar in
      if scalar == "$" { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    let dollars = (1...9).reduce(escaped) { PythonText.replace($0, "\\\($1)", "$\($1)") }
    return expression.stringByReplacingMatches(
      in: text, range: NSRange(text.startIndex..., in: text), withTemplate: dollars)
  }

  /// `re.sub` with a function of what was found: the match, then its groups, empty where one took no
  /// part.
  func replacing(in text: String, by replacement: ([String]) -> String) -> String {
    let found = matchRanges(in: text)
    var result = ""
    var start = text.startIndex
    for groups in found {
      guard let whole = groups[0], whole.lowerBound >= start else { continue }
      result += text[start..<whole.lowerBound]
      result += replacement(groups.map { $0.map { String(text[$0]) } ?? "" })
      start = whole.upperBound
    }
    return result + text[start...]
  }

  /// `re.finditer`: where each match and its groups stand; nil where a group took no part.
  func matchRanges(in text: String) -> [[Range<String.Index>?]] {
    let whole = NSRange(text.startIndex..., in: text)
    return expression.matches(in: text, range: whole).map { match in
      (0..<match.numberOfRanges).map { Range(match.range(at: $0), in: text) }
    }
  }

  /// `re.findall`: of each match its groups, or itself where there are none.
  package func matches(in text: String) -> [[String]] {
    let groups = expression.numberOfCaptureGroups
    let whole = NSRange(text.startIndex..., in: text)
    return expression.matches(in: text, range: whole).map { match in
      (groups == 0 ? 0...0 : 1...groups).map { group in
        guard let range = Range(match.range(at: group), in: text) else { return "" }
        return String(text[range])
      }
    }
  }

  /// `len(re.split(…))`: one more than there are matches.
  package func splitCount(_ text: String) -> Int { matches(in: text).count + 1 }
}
