// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetCheckpoint
internal import Foundation

/// Text in a page, where nothing of it can become markup.
package enum HTMLText {
  /// `text` for use between tags and in attributes.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// JSON for a script element: without `<`, no text in it can end the element or open a comment.
  package static func script(_ json: String) -> String {
    var result = ""
    for scalar in json.unicodeScalars {
      switch scalar {
      case "<": result += "\\u003c"
      case ">": result += "\\u003e"
      case "&": result += "\\u0026"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A share as percent, with two digits behind the point.
  package static func percent(_ share: Double) -> String { String(format: "%.2f", share * 100) }

  /// A figure that is no share.
  package static func figure(_ value: Double) -> String {
    value.isFinite ? String(format: "%.4g", value) : "not a number"
  }

  /// A count with its thousands apart.
  package static func grouped(_ count: Int) -> String {
    let digits = Array(String(count))
    return digits.indices.reduce(into: "") { text, index in
      if index > 0, (digits.count - index) % 3 == 0, digits[index - 1] != "-" { text += "\u{202F}" }
      text.append(digits[index])
    }
  }
}

extension TaskScore.Metric {
  /// Whether the figure is a part of 1, which is shown as percent.
  package var isShare: Bool {
    !name.contains("perplexity") && !name.contains("bits_per") && (0...1).contains(value)
  }

  /// Where the true figure lies with 95 % confidence; nil without an error.
  package var interval: ClosedRange<Double>? {
    guard let error = standardError, error.isFinite, value.isFinite else { return nil }
    let (low, high) = (value - 1.959964 * error, value + 1.959964 * error)
    return isShare ? max(0, low)...min(1, high) : low...high
  }

  /// The figure as pages show it.
  package var shown: String { isShare ? HTMLText.percent(value) : HTMLText.figure(value) }

  /// The metric with its filter, where that says something.
  package var title: String { filter == "none" ? name : "\(name), \(filter)" }
}
