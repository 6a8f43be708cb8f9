// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// All real numbers from one to another, or one number: what sets of numbers are made of when they are compared.
struct MathRange: Sendable {
  var low: Double
  var high: Double
  var isLowOpen: Bool
  var isHighOpen: Bool

  private static let everything = MathRange(
    low: -.infinity, high: .infinity, isLowOpen: true, isHighOpen: true)

  /// The set as ranges in order that do not touch; nil where it is not made of known real numbers.
  static func ranges(of set: MathObject) -> [MathRange]? {
    switch set {
    case .empty: return []
    case .numbers(.reals): return [everything]
    case .interval(let ends):
      guard let low = ends.lower.realValue, let high = ends.upper.realValue else { return nil }
      return [
        MathRange(low: low, high: high, isLowOpen: ends.isLeftOpen, isHighOpen: ends.isRightOpen)
      ]
    case .finiteSet(let elements):
      var points: [MathRange] = []
      for element in elements {
        guard let value = element.formula?.realValue, value.isFinite else { return nil }
        points.append(MathRange(low: value, high: value, isLowOpen: false, isHighOpen: false))
      }
      return joined(points)
    case .union(let a, let b):
      guard let first = ranges(of: a), let second = ranges(of: b) else { return nil }
      return joined(first + second)
    case .intersection(let a, let b):
      guard let first = ranges(of: a), let second = ranges(of: b) else { return nil }
      return common(first, second)
    case .complement(let a, let b):
      guard let first = ranges(of: a), let second = ranges(of: b) else { return nil }
      return common(first, inverted(second))
    default: return nil
    }
  }

  static func areEqual(_ a: [MathRange], _ b: [MathRange]) -> Bool {
    // As exactly as doubles have it: a rounded decimal is another number.
    func equal(_ x: Double, _ y: Double) -> Bool {
      x == y || abs(x - y) <= 4e-15 * max(abs(x), abs(y))
    }
    return a.count == b.count
      && zip(a, b).allSatisfy { first, second in
        equal(first.low, second.low) && equal(first.high, second.high)
          && first.isLowOpen == second.isLowOpen && first.isHighOpen == second.isHighOpen
      }
  }

  // MARK: Operations

  private static func joined(_ ranges: [MathRange]) -> [MathRange] {
    let ordered = ranges.sorted { a, b in
      a.low != b.low ? a.low < b.low : !a.isLowOpen && b.isLowOpen
    }
    return ordered.reduce(into: []) { result, next in
      guard let last = result.last,
        next.low < last.high || (next.low == last.high && !(next.isLowOpen && last.isHighOpen))
      else { return result.append(next) }
      if next.high > last.high {
        result[result.count - 1].high = next.high
        result[result.count - 1].isHighOpen = next.isHighOpen
      } else if next.high == last.high {
        result[result.count - 1].isHighOpen = last.isHighOpen && next.isHighOpen
      }
    }
  }

  private static func common(_ first: [MathRange], _ second: [MathRange]) -> [MathRange] {
    var result: [MathRange] = []
    for a in first {
      for b in second {
        let (low, high) = (max(a.low, b.low), min(a.high, b.high))
        let isLowOpen = (a.low == low && a.isLowOpen) || (b.low == low && b.isLowOpen)
        let isHighOpen = (a.high == high && a.isHighOpen) || (b.high == high && b.isHighOpen)
        if low < high || (low == high && !isLowOpen && !isHighOpen) {
          result.append(
            MathRange(low: low, high: high, isLowOpen: isLowOpen, isHighOpen: isHighOpen))
        }
      }
    }
    return joined(result)
  }

  private static func inverted(_ ranges: [MathRange]) -> [MathRange] {
    var result: [MathRange] = []
    var rest: MathRange? = everything
    for range in ranges {
      guard let open = rest else { break }
      let before = MathRange(
        low: open.low, high: range.low, isLowOpen: open.isLowOpen, isHighOpen: !range.isLowOpen)
      let isPoint = before.low == before.high && !before.isLowOpen && !before.isHighOpen
      if before.low < before.high || isPoint { result.append(before) }
      rest =
        range.high == .infinity
        ? nil
        : MathRange(
          low: range.high, high: .infinity, isLowOpen: !range.isHighOpen, isHighOpen: true)
    }
    return result + (rest.map { [$0] } ?? [])
  }

  // MARK: Relations

  /// The numbers for which relations of one variable hold, each of them linear in it; nil for others.
  static func solutions(of chain: [MathRelation]) -> MathObject? {
    var symbols: Set<MathFormula.Symbol> = []
    for relation in chain { symbols.formUnion(relation.difference?.symbols ?? []) }
    guard symbols.count == 1, let symbol = symbols.first, symbol.isReal else { return nil }
    var ends = MathInterval(
      lower: .constant(.negativeInfinity), upper: .constant(.infinity), isLeftOpen: true,
      isRightOpen: true)
    for relation in chain {
      guard let (root, isRising) = root(of: relation, symbol) else { return nil }
      let isUpper: Bool
      switch relation.kind {
      case .equal: return chain.count == 1 ? .finiteSet([.formula(root)]) : nil
      case .unequal:
        guard chain.count == 1 else { return nil }
        return .complement(.numbers(.reals), .finiteSet([.formula(root)]))
      case .less, .lessOrEqual: isUpper = isRising
      case .greater, .greaterOrEqual: isUpper = !isRising
      }
      guard let bound = root.realValue, let low = ends.lower.realValue,
        let high = ends.upper.realValue
      else { return nil }
      let isOpen = relation.kind == .less || relation.kind == .greater
      if isUpper, bound < high { (ends.upper, ends.isRightOpen) = (root, isOpen) }
      if !isUpper, bound > low { (ends.lower, ends.isLeftOpen) = (root, isOpen) }
    }
    guard let low = ends.lower.realValue, let high = ends.upper.realValue, low < high else {
      return nil
    }
    return .interval(ends)
  }

  /// Where the sides of a relation are equal, and whether their difference rises there.
  private static func root(
    of relation: MathRelation, _ symbol: MathFormula.Symbol
  ) -> (root: MathFormula, isRising: Bool)? {
    guard let difference = relation.difference else { return nil }
    let constant = difference.replacing(symbol, with: .whole(0))
    let slope = difference.replacing(symbol, with: .whole(1)) - constant
    guard let rise = slope.realValue, let start = constant.realValue, rise != 0,
      let other = difference.replacing(symbol, with: .whole(-3)).realValue,
      abs(other - (start - 3 * rise)) <= 1e-9 * max(1, abs(other))
    else { return nil }
    if relation.left.formula?.symbol == symbol, let right = relation.right.formula {
      return (right, true)
    }
    if relation.right.formula?.symbol == symbol, let left = relation.left.formula {
      return (left, false)
    }
    return (-(constant * .power(slope, .whole(-1))), rise > 0)
  }
}
