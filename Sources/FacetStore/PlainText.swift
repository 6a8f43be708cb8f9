// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Text from elsewhere, made fit for one line of a message.
package enum PlainText {
  /// `text` without control characters, at most 200 characters of it.
  package static func line(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(4096).map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: " "
      default: String(scalar)
      }
    }
    let words = scalars.joined().split(separator: " ").joined(separator: " ")
    return words.count <= 200 ? words : words.prefix(199) + "…"
  }
}
