// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// How long a model stays loaded, as Ollama's clients write it: `5m`, `1h30m`, a number of seconds, or
/// something negative for ever.
package struct KeepAlive: Sendable, Hashable {
  /// Nil: for ever.
  package var duration: Duration?

  /// A text of Go's form of durations, or a number of seconds.
  package init(_ text: String) throws(ServerError) {
    if let seconds = Double(text), !seconds.isNaN {
      self.init(seconds: seconds)
      return
    }
    var rest = Substring(text)
    let isNegative = rest.hasPrefix("-")
    if isNegative { rest = rest.dropFirst() }
    var seconds = 0.0
    guard !rest.isEmpty else { throw Self.malformed(text) }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isNumber || $0 == "." }
      rest = rest.dropFirst(digits.count)
      guard let number = Double(digits),
        let unit = Self.units.first(where: { rest.hasPrefix($0.0) })
      else { throw Self.malformed(text) }
      rest = rest.dropFirst(unit.0.count)
      seconds += number * unit.1
    }
    self.init(seconds: isNegative ? -1 : seconds)
  }

  /// What a request says: a text or a number.
  init(_ value: JSON) throws(ServerError) {
    if let number = value.number {
      self.init(seconds: number)
    } else if let text = value.string {
      try self.init(text)
    } else {
      throw Fields.wrong("keep_alive", "a length of time, such as \"5m\"")
    }
  }

  private init(seconds: Double) {
    duration = seconds < 0 || seconds > 1e9 ? nil : .milliseconds(Int64(seconds * 1000))
  }

  /// Longer names first.
  private static let units = [
    ("ms", 0.001), ("us", 1e-6), ("µs", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0),
  ]

  private static func malformed(_ text: String) -> ServerError {
    ServerError(
      .invalidRequest,
      "'\(text)' is no length of time; write one such as \"5m\", a number of seconds, or -1 for ever.",
      parameter: "keep_alive")
  }
}
