// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Decimal numbers between bounds, digit by digit.
enum DigitGrammar {
  /// Digits of a number without bounds, at most: they fit 64 bits.
  static let mostDigits = 18

  private static func digits(_ range: ClosedRange<UInt8>) -> GrammarExpression {
    .scalars(ScalarSet([UInt32(range.lowerBound) + 0x30...UInt32(range.upperBound) + 0x30]))
  }

  private static func any(_ count: Int) -> GrammarExpression {
    .repeated(digits(0...9), min: count, max: count)
  }

  private static func upTo(_ count: Int) -> GrammarExpression {
    .repeated(digits(0...9), min: 0, max: max(0, count))
  }

  private static func digit(_ value: UInt8) -> GrammarExpression { .bytes([value + 0x30]) }

  /// Digits of `value`, the first one first.
  static func split(_ value: UInt64) -> [UInt8] { String(value).utf8.map { $0 - 0x30 } }

  /// Whole numbers of any sign.
  static let integer: GrammarExpression = .sequence([
    .text("-").optional, wholePart,
  ])

  private static let wholePart: GrammarExpression = .choice([
    .text("0"), .sequence([digits(1...9), upTo(mostDigits - 1)]),
  ])

  /// Numbers of any kind; all of them are finite doubles.
  static let number: GrammarExpression = .sequence([
    .text("-").optional, wholePart,
    GrammarExpression.sequence([
      .text("."), .repeated(digits(0...9), min: 1, max: mostDigits),
    ]).optional,
    GrammarExpression.sequence([
      JSONForm.digits("eE"), JSONForm.digits("+\u{2D}").optional,
      .repeated(digits(0...9), min: 1, max: 2),
    ]).optional,
  ])

  /// Whole numbers from `low` to `high`; nil: no bound on that side.
  static func integers(_ low: Int?, _ high: Int?) -> GrammarExpression {
    if let low, let high, low > high { return .nothing }
    var parts: [GrammarExpression] = []
    if (high ?? .max) >= 0 {
      parts.append(magnitudes(UInt64(max(0, low ?? 0)), high.map { UInt64($0) }))
    }
    if (low ?? .min) < 0 {
      let least = high.map { $0 < 0 ? $0.magnitude : 1 } ?? 1
      parts.append(
        .sequence([.text("-"), magnitudes(UInt64(least), low.map { UInt64($0.magnitude) })]))
    }
    return .choice(parts)
  }

  /// Digits from `low` to `high`, without leading zeros.
  static func magnitudes(_ low: UInt64, _ high: UInt64?) -> GrammarExpression {
    let most = max(mostDigits, split(low).count)
    let top = high.map(split) ?? [UInt8](repeating: 9, count: most)
    let bottom = split(low)
    guard (high ?? .max) >= low else { return .nothing }
    var parts: [GrammarExpression] = []
    for count in bottom.count...top.count {
      let first: [UInt8] =
        count == bottom.count ? bottom : [1] + [UInt8](repeating: 0, count: count - 1)
      let last = count == top.count ? top : [UInt8](repeating: 9, count: count)
      parts.append(between(first[...], last[...]))
    }
    return .choice(parts)
  }

  /// Digits from `low` to `high`, which have the same number of them.
  private static func between(
    _ low: ArraySlice<UInt8>, _ high: ArraySlice<UInt8>
  ) -> GrammarExpression {
    guard let first = low.first, let last = high.first else { return .empty }
    let (lowRest, highRest) = (low.dropFirst(), high.dropFirst())
    if lowRest.allSatisfy({ $0 == 0 }), highRest.allSatisfy({ $0 == 9 }) {
      return .sequence([digits(first...last), any(lowRest.count)])
    }
    if first == last { return .sequence([digit(first), between(lowRest, highRest)]) }
    let zeros = [UInt8](repeating: 0, count: lowRest.count)
    let nines = [UInt8](repeating: 9, count: lowRest.count)
    var parts: [GrammarExpression] = [
      .sequence([digit(first), between(lowRest, nines[...])]),
      .sequence([digit(last), between(zeros[...], highRest)]),
    ]
    if first + 1 < last {
      parts.append(.sequence([digits(first + 1...last - 1), any(lowRest.count)]))
    }
    return .choice(parts)
  }
}

// MARK: - Fractions

/// A decimal bound: digits before and after the point.
struct DecimalBound: Hashable {
  var whole: UInt64
  /// Without zeros at the end.
  var fraction: [UInt8] = []
  /// Whether the bound itself is allowed.
  var isIncluded: Bool
}

extension DigitGrammar {
  /// Numbers from `low` to `high`, none negative, with at most `places` digits after the point.
  static func decimals(
    _ low: DecimalBound, _ high: DecimalBound, places: Int
  ) -> GrammarExpression {
    guard low.whole <= high.whole else { return .nothing }
    func number(_ whole: UInt64, _ fraction: GrammarExpression) -> GrammarExpression {
      .sequence([.bytes(split(whole).map { $0 + 0x30 }), fraction])
    }
    let zero = DecimalBound(whole: 0, isIncluded: true)
    if low.whole == high.whole {
      return number(low.whole, fraction(low, high, places))
    }
    var parts = [
      number(low.whole, fraction(low, nil, places)),
      number(high.whole, fraction(zero, high, places)),
    ]
    if high.whole - low.whole > 1 {
      parts.append(
        .sequence([
          magnitudes(low.whole + 1, high.whole - 1), fraction(zero, nil, places),
        ]))
    }
    return .choice(parts)
  }

  /// A fraction with its point, or none.
  private static func fraction(
    _ low: DecimalBound, _ high: DecimalBound?, _ places: Int
  ) -> GrammarExpression {
    let isZeroAllowed =
      low.fraction.isEmpty && low.isIncluded
      && (high.map { !$0.fraction.isEmpty || $0.isIncluded } ?? true)
    let digits = tail(
      low.fraction[...], low.isIncluded, high.map { ($0.fraction[...], $0.isIncluded) }, places,
      mayEnd: false)
    let written = GrammarExpression.sequence([.text("."), digits])
    return isZeroAllowed ? written.optional : written
  }

  /// Digits after the point from `low` to `high` (nil: no bound), at most `places` of them.
  private static func tail(
    _ low: ArraySlice<UInt8>, _ lowIsIncluded: Bool, _ high: (ArraySlice<UInt8>, Bool)?,
    _ places: Int, mayEnd: Bool
  ) -> GrammarExpression {
    // Ending here, the number is as if zeros followed.
    let isLowMet = low.isEmpty && lowIsIncluded
    let isHighMet = high.map { !$0.0.isEmpty || $0.1 } ?? true
    var parts: [GrammarExpression] = mayEnd && isLowMet && isHighMet ? [.empty] : []
    guard places > 0 else { return .choice(parts) }
    if isLowMet, high == nil {
      return .repeated(digits(0...9), min: mayEnd ? 0 : 1, max: places)
    }
    let (first, last) = (low.first ?? 0, high?.0.first ?? (high == nil ? 9 : 0))
    let lowRest = low.dropFirst()
    let highRest = high.map { ($0.0.dropFirst(), $0.1) }
    if first == last {
      let isBounded = high != nil
      parts.append(
        .sequence([
          digit(first),
          tail(lowRest, lowIsIncluded, isBounded ? highRest : nil, places - 1, mayEnd: true),
        ]))
      return .choice(parts)
    }
    guard first < last else { return .choice(parts) }
    parts.append(
      .sequence([digit(first), tail(lowRest, lowIsIncluded, nil, places - 1, mayEnd: true)]))
    let top = high == nil ? 10 : last
    if first + 1 < top { parts.append(.sequence([digits(first + 1...top - 1), upTo(places - 1)])) }
    if high != nil {
      parts.append(
        .sequence([digit(last), tail([], true, highRest, places - 1, mayEnd: true)]))
    }
    return .choice(parts)
  }
}
