// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Breaks our own sentences between words, for terminals that would break inside them.
package enum WordWrap {
  /// `text` in lines of at most `columns`; a longer word has a line of its own.
  ///
  /// Lines that begin with a space are columns of a list and stay as they are.
  package static func wrap(_ text: String, columns: Int) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { $0.hasPrefix(" ") ? String($0) : line($0, columns) }.joined(separator: "\n")
  }

  private static func line(_ text: Substring, _ columns: Int) -> String {
    var result = ""
    var width = 0
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let length = word.reduce(0) { $0 + DisplayWidth.columns($1) }
      if width > 0, width + 1 + length > columns {
        result += "\n"
        width = 0
      } else if width > 0 || !result.isEmpty {
        result += " "
        width += 1
      }
      result += word
      width += length
    }
    return result
  }
}
