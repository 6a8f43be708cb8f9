// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Looks for stop texts in a text that comes in pieces.
///
/// What could still become a stop text is held back, so that no part of one is ever shown.
package struct StopMatcher {
  private let stops: [[UInt8]]
  private let names: [String]
  private var held: [UInt8] = []

  /// Looks for `stops`, none of them empty.
  package init(_ stops: [String]) {
    names = stops
    self.stops = stops.map { Array($0.utf8) }
  }

  /// The text that is certain, up to a stop text if there is one now.
  package mutating func append(_ text: String) -> (text: String, stop: String?) {
    if stops.isEmpty { return (text, nil) }
    held += text.utf8
    if let (start, stop) = firstMatch() {
      defer { held.removeAll() }
      return (String(decoding: held[..<start], as: UTF8.self), names[stop])
    }
    let certain = held.count - longestBeginning()
    defer { held.removeFirst(certain) }
    return (String(decoding: held[..<certain], as: UTF8.self), nil)
  }

  /// What was held back, when no text follows.
  package mutating func finish() -> String {
    defer { held.removeAll() }
    return String(decoding: held, as: UTF8.self)
  }

  /// The earliest stop text, and of those that begin there the longest.
  private func firstMatch() -> (start: Int, stop: Int)? {
    for start in held.indices {
      let rest = held[start...]
      let here = stops.indices.filter { rest.starts(with: stops[$0]) }
      if let stop = here.max(by: { stops[$0].count < stops[$1].count }) { return (start, stop) }
    }
    return nil
  }

  /// The length of the longest end of the text that is a beginning of a stop text.
  private func longestBeginning() -> Int {
    let most = min(held.count, (stops.map(\.count).max() ?? 1) - 1)
    for length in stride(from: most, to: 0, by: -1) {
      let end = held.suffix(length)
      if stops.contains(where: { $0.count > length && $0.starts(with: end) }) { return length }
    }
    return 0
  }
}
