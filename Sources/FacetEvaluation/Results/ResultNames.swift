// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetCheckpoint
package import Foundation

/// How files of results and what is in them are named.
package enum ResultNames {
  /// The name of a model as a folder: runs of what no folder may have become two underscores.
  package static func sanitized(_ name: String) -> String {
    var result = ""
    var isRun = false
    for scalar in name.unicodeScalars {
      if "\"<>:/|\\?*[]".unicodeScalars.contains(scalar) {
        if !isRun { result += "__" }
        isRun = true
      } else {
        result.unicodeScalars.append(scalar)
        isRun = false
      }
    }
    // A folder must not be the one that it is in, or that one's.
    return result == "." || result == ".." ? "__" : result
  }

  /// The SHA-256 of the text's UTF-8.
  package static func hash(_ text: String) -> String { SHA256.hex([UInt8](text.utf8)) }

  /// The part of a file's name that says when: `2026-11-25T18-58-01.561073`.
  package static func stamp(_ date: Date, in zone: TimeZone = .current) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    // Microseconds as whole numbers: a Date counts in seconds with a fraction.
    let whole = date.timeIntervalSince1970.rounded(.down)
    let micro = Int(((date.timeIntervalSince1970 - whole) * 1e6).rounded(.down))
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: whole))
    let day = String(
      format: "%04d-%02d-%02dT%02d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0,
      parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0)
    return micro == 0 ? day : day + String(format: ".%06d", micro)
  }
}
