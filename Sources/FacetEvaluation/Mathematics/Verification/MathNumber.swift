// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A number as it is written: its value as a float, and exactly as a residue.
struct MathNumber: Sendable, Equatable {
  /// A prime, 2^61 − 1, by which numbers of any length have a residue.
  ///
  /// Two that differ have the same one only by a chance of 1 in 10^18: no number needs to be held whole.
  static let prime: UInt64 = (1 << 61) - 1

  var value: Double
  /// Nil where a denominator is a multiple of the prime.
  var residue: UInt64?
  /// In lowest terms, where both fit.
  var fraction: Fraction?
  /// Whether it is a whole number, and not one with a decimal point.
  var isWhole: Bool
  /// Whether it has a decimal point or an exponent, which makes it a float for sympy.
  var isDecimal = false

  /// A numerator and a positive denominator.
  struct Fraction: Sendable, Equatable {
    var above: Int
    var below: Int

    /// In lowest terms; nil where something overflows or the denominator is zero.
    init?(_ above: Int, _ below: Int) {
      guard below != 0, above != .min, below != .min else { return nil }
      var (a, b) = (abs(above), abs(below))
      while b != 0 { (a, b) = (b, a % b) }
      self.above = (below < 0 ? -above : above) / a
      self.below = abs(below) / a
    }
  }

  init(_ whole: Int) {
    value = Double(whole)
    residue = Self.residue(of: whole)
    fraction = Fraction(whole, 1)
    isWhole = true
  }

  /// Digits, perhaps with a sign, a point and an exponent; nil for anything else.
  init?(text: String) {
    var digits = Array(text.utf8)[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    var (residue, places, hasPoint, count) = (UInt64(0), 0, false, 0)
    var exponent = 0
    while let byte = digits.popFirst() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        residue = Self.add(Self.multiply(residue, 10), UInt64(byte - UInt8(ascii: "0")))
        count += 1
        if hasPoint { places += 1 }
      case UInt8(ascii: ".") where !hasPoint: hasPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        guard let power = Int(String(decoding: digits, as: UTF8.self)),
          (-399...399).contains(power)
        else { return nil }
        (exponent, digits, isDecimal) = (power, [], true)
      default: return nil
      }
    }
    guard count > 0, let value = Double(text) else { return nil }
    let scale = Self.power(10, UInt64(abs(exponent - places)))
    let exact = exponent < places ? Self.quotient(residue, scale) : Self.multiply(residue, scale)
    self.residue = exact.map { isNegative ? Self.negative($0) : $0 }
    self.value = value
    isDecimal = isDecimal || hasPoint
    isWhole = !isDecimal
    fraction = isWhole ? Int(text).flatMap { Fraction($0, 1) } : nil
  }

  private init(_ value: Double, _ residue: UInt64?, _ fraction: Fraction?, _ isDecimal: Bool) {
    self.value = value
    self.residue = residue
    self.fraction = fraction
    self.isDecimal = isDecimal
    isWhole = !isDecimal && fraction?.below == 1
  }

  var isZero: Bool { value == 0 }

  var negated: Self {
    var result = self
    result.value = -value
    result.residue = residue.map(Self.negative)
    result.fraction = fraction.flatMap { Fraction(-$0.above, $0.below) }
    return result
  }

  /// This whole number by that one; nil by zero.
  func divided(by other: Self) -> Self? {
    guard !other.isZero else { return nil }
    var ratio: Fraction?
    if let a = fraction, let b = other.fraction, a.below == 1, b.below == 1 {
      ratio = Fraction(a.above, b.above)
    }
    let residue = residue.flatMap { top in other.residue.flatMap { Self.quotient(top, $0) } }
    return Self(value / other.value, residue, ratio, false)
  }

  /// The sum of a whole number and a fraction.
  func adding(_ other: Self) -> Self {
    var sum: Fraction?
    if let a = fraction, let b = other.fraction, a.below == 1 {
      let (product, tooLarge) = a.above.multipliedReportingOverflow(by: b.below)
      let (above, overflow) = product.addingReportingOverflow(b.above)
      if !tooLarge, !overflow { sum = Fraction(above, b.below) }
    }
    let residue = residue.flatMap { a in other.residue.map { Self.add(a, $0) } }
    return Self(value + other.value, residue, sum, false)
  }

  // MARK: Arithmetic by the prime

  static func residue(of whole: Int) -> UInt64 {
    let size = whole.magnitude % UInt(prime)
    return whole < 0 ? negative(UInt64(size)) : UInt64(size)
  }

  static func add(_ a: UInt64, _ b: UInt64) -> UInt64 { (a + b) % prime }

  static func negative(_ a: UInt64) -> UInt64 { a == 0 ? 0 : prime - a }

  static func multiply(_ a: UInt64, _ b: UInt64) -> UInt64 {
    prime.dividingFullWidth((a % prime).multipliedFullWidth(by: b % prime)).remainder
  }

  static func power(_ base: UInt64, _ exponent: UInt64) -> UInt64 {
    var (result, square, rest) = (UInt64(1), base % prime, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = multiply(result, square) }
      square = multiply(square, square)
      rest >>= 1
    }
    return result
  }

  /// Nil by a multiple of the prime.
  static func quotient(_ a: UInt64, _ b: UInt64) -> UInt64? {
    b % prime == 0 ? nil : multiply(a, power(b, prime - 2))
  }
}
