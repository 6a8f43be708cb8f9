// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A set of Unicode scalars, as ranges in order that do not touch.
package struct ScalarSet: Sendable, Hashable {
  /// The ranges, ascending, none next to another.
  package private(set) var ranges: [ClosedRange<UInt32>]

  /// The scalars of `ranges`, which may overlap and come in any order; surrogates are left out.
  package init(_ ranges: [ClosedRange<UInt32>]) {
    var parts: [ClosedRange<UInt32>] = []
    for range in ranges {
      let top = min(range.upperBound, 0x10FFFF)
      guard range.lowerBound <= top else { continue }
      if range.lowerBound < 0xD800 { parts.append(range.lowerBound...min(top, 0xD7FF)) }
      if top > 0xDFFF { parts.append(max(range.lowerBound, 0xE000)...top) }
    }
    parts.sort { $0.lowerBound < $1.lowerBound }
    self.ranges = []
    for range in parts {
      // U+D7FF and U+E000 are neighbours among scalars, yet stay apart: UTF-8 parts them too.
      if let last = self.ranges.last, range.lowerBound <= last.upperBound &+ 1 {
        self.ranges[self.ranges.count - 1] =
          last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  /// One scalar.
  package init(_ scalar: Unicode.Scalar) { self.init([scalar.value...scalar.value]) }

  /// Every scalar.
  package static let all = ScalarSet([0...0x10FFFF])

  /// Whether there is no scalar in it.
  package var isEmpty: Bool { ranges.isEmpty }

  /// Whether `value` is in it.
  package func contains(_ value: UInt32) -> Bool {
    ranges.contains { $0.contains(value) }
  }

  /// The scalars that are not in it.
  package var inverted: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= 0x10FFFF { result.append(next...0x10FFFF) }
    return ScalarSet(result)
  }

  /// The scalars in either.
  package func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  /// The scalars in both.
  package func intersection(_ other: ScalarSet) -> ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var (left, right) = (0, 0)
    while left < ranges.count, right < other.ranges.count {
      let low = max(ranges[left].lowerBound, other.ranges[right].lowerBound)
      let high = min(ranges[left].upperBound, other.ranges[right].upperBound)
      if low <= high { result.append(low...high) }
      if ranges[left].upperBound < other.ranges[right].upperBound { left += 1 } else { right += 1 }
    }
    return ScalarSet(result)
  }

  /// The scalars of this set that `other` lacks.
  package func subtracting(_ other: ScalarSet) -> ScalarSet { intersection(other.inverted) }

  /// The UTF-8 of the set: each entry is a range for every byte of a scalar.
  var byteSequences: [[ClosedRange<UInt8>]] {
    var result: [[ClosedRange<UInt8>]] = []
    for range in ranges {
      for (low, high) in [(0, 0x7F), (0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, 0x10FFFF)]
        as [(UInt32, UInt32)]
      {
        let from = max(low, range.lowerBound)
        let to = min(high, range.upperBound)
        if from <= to { Self.split(Self.encode(from), Self.encode(to), into: &result) }
      }
    }
    return result
  }

  private static func encode(_ value: UInt32) -> [UInt8] {
    Unicode.Scalar(value).map { [UInt8](String($0).utf8) } ?? []
  }

  /// Cuts the encodings from `low` to `high`, of one length, into products of byte ranges.
  private static func split(
    _ low: [UInt8], _ high: [UInt8], into result: inout [[ClosedRange<UInt8>]]
  ) {
    guard let place = zip(low, high).enumerated().first(where: { $1.0 != $1.1 })?.offset else {
      result.append(low.map { $0...$0 })
      return
    }
    let head = low[..<place].map { $0...$0 }
    let rest = low.count - place - 1
    let isFirst = low[(place + 1)...].allSatisfy { $0 == 0x80 }
    let isLast = high[(place + 1)...].allSatisfy { $0 == 0xBF }
    var from = low[place]
    var to = high[place]
    if !isFirst {
      var end = Array(low[...place])
      end += [UInt8](repeating: 0xBF, count: rest)
      split(low, end, into: &result)
      from += 1
    }
    if !isLast { to -= 1 }
    if from <= to {
      result.append(head + [from...to] + [ClosedRange<UInt8>](repeating: 0x80...0xBF, count: rest))
    }
    if !isLast {
      let start = Array(high[...place]) + [UInt8](repeating: 0x80, count: rest)
      split(start, high, into: &result)
    }
  }
}
