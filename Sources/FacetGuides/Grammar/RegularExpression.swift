// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A regular expression as a tree.
package indirect enum RegularExpression: Sendable, Hashable {
  /// One scalar of a set.
  case scalars(ScalarSet)
  /// One after the other.
  case sequence([RegularExpression])
  /// One of them.
  case choice([RegularExpression])
  /// Several times.
  case repeated(RegularExpression, min: Int, max: Int?)
  /// The beginning of the text: `^`.
  case start
  /// The end of the text: `$`.
  case end

  /// What of a text must match.
  package enum Reach: Sendable {
    /// All of it.
    case whole
    /// A part of it, as JSON Schema's `pattern` has it.
    case part
  }

  /// The tree without anchors, where they only stand at the ends of the branches and say where the text
  /// begins and ends; nil where they stand elsewhere.
  func unanchored(_ reach: Reach) -> RegularExpression? {
    let branches: [RegularExpression] = if case .choice(let parts) = self { parts } else { [self] }
    var result: [RegularExpression] = []
    for branch in branches {
      var parts: ArraySlice<RegularExpression> =
        if case .sequence(let parts) = branch { parts[...] } else { [branch] }
      let rest = RegularExpression.repeated(.scalars(.all), min: 0, max: nil)
      var isBegun = reach == .whole
      var isEnded = reach == .whole
      while parts.first == .start {
        parts.removeFirst()
        isBegun = true
      }
      while parts.last == .end {
        parts.removeLast()
        isEnded = true
      }
      guard !parts.contains(where: \.hasAnchor) else { return nil }
      result.append(
        .sequence((isBegun ? [] : [rest]) + parts + (isEnded ? [] : [rest])))
    }
    return result.count == 1 ? result[0] : .choice(result)
  }

  private var hasAnchor: Bool {
    switch self {
    case .scalars: false
    case .start, .end: true
    case .sequence(let parts), .choice(let parts): parts.contains(where: \.hasAnchor)
    case .repeated(let part, _, _): part.hasAnchor
    }
  }

  /// The least and the greatest number of scalars of a match, without anchors.
  var lengths: (min: Int, max: Int?) {
    func product(_ left: Int, _ right: Int) -> Int {
      let (value, overflow) = left.multipliedReportingOverflow(by: right)
      return overflow ? .max / 4 : Swift.min(value, .max / 4)
    }
    func sum(_ left: Int, _ right: Int) -> Int { Swift.min(left + right, .max / 4) }
    switch self {
    case .scalars: return (1, 1)
    case .start, .end: return (0, 0)
    case .sequence(let parts):
      return parts.map(\.lengths).reduce((0, 0 as Int?)) { total, part in
        let max: Int? =
          if let left = total.1, let right = part.max { sum(left, right) } else { nil }
        return (sum(total.0, part.min), max)
      }
    case .choice(let parts):
      let lengths = parts.map(\.lengths)
      let isBounded = lengths.allSatisfy { $0.max != nil }
      return (
        lengths.map(\.min).min() ?? 0, isBounded ? lengths.compactMap(\.max).max() ?? 0 : nil
      )
    case .repeated(let part, let min, let max):
      let lengths = part.lengths
      if lengths.max == 0 { return (0, 0) }
      let most: Int? = if let max, let each = lengths.max { product(each, max) } else { nil }
      return (product(lengths.min, min), most)
    }
  }

  /// The texts of `min` to `max` scalars among those that match, without anchors; nil where that is more
  /// than a matter of how often one part is repeated.
  func limited(_ min: Int, _ max: Int) -> RegularExpression? {
    let own = lengths
    if own.min >= min, own.max.map({ $0 <= max }) ?? false { return self }
    if own.min > max || own.max.map({ $0 < min }) ?? false { return .choice([]) }
    switch self {
    case .scalars, .start, .end: return nil
    case .choice(let parts):
      let limited = parts.compactMap { $0.limited(min, max) }
      return limited.count == parts.count ? .choice(limited) : nil
    case .sequence(var parts):
      let lengths = parts.map(\.lengths)
      let variable = lengths.indices.filter { lengths[$0].min != lengths[$0].max }
      guard variable.count == 1, let index = variable.first else { return nil }
      let others = lengths.reduce(-lengths[index].min) { $0 + $1.min }
      guard let limited = parts[index].limited(min - others, max - others) else { return nil }
      parts[index] = limited
      return .sequence(parts)
    case .repeated(let part, let least, let most):
      let each = part.lengths
      guard each.min > 0, each.min == each.max else { return nil }
      let fewest = Swift.max(least, (Swift.max(0, min) + each.min - 1) / each.min)
      let greatest = Swift.min(most ?? .max, max / each.min)
      return fewest > greatest
        ? .choice([]) : .repeated(part, min: fewest, max: greatest == .max ? nil : greatest)
    }
  }

  /// The texts that match, where `leaf` writes one scalar of a set; without anchors.
  func expression(_ leaf: (ScalarSet) -> GrammarExpression) -> GrammarExpression {
    switch self {
    case .scalars(let set): leaf(set)
    case .sequence(let parts): .sequence(parts.map { $0.expression(leaf) })
    case .choice(let parts): .choice(parts.map { $0.expression(leaf) })
    case .repeated(let part, let min, let max):
      .repeated(part.expression(leaf), min: min, max: max)
    case .start, .end: .empty
    }
  }

  /// The grammar of the texts that match as a whole.
  package static func grammar(_ pattern: String) throws(GuideError) -> Grammar {
    let tree = try RegularExpressionParser.parse(pattern)
    if let plain = tree.unanchored(.whole) { return Grammar(plain.expression { .scalars($0) }) }
    let automaton = try ScalarAutomaton(tree, .whole, name: pattern)
    return Grammar(automaton.expression { .scalars($0) })
  }
}
