// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

// MARK: - Strings

extension SchemaCompiler {
  /// Strings of a shape, quotation marks included.
  func string(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    if let most = shape.maxLength, most < shape.minLength { return .nothing }
    return .sequence([.bytes(form.quote), try content(shape), .bytes(form.quote)])
  }

  private func content(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    guard let first = shape.patterns.first else {
      return .repeated(form.anyScalar, min: shape.minLength, max: shape.maxLength)
    }
    if shape.patterns.count == 1, let tree = first.unanchored(.part) {
      if shape.minLength == 0, shape.maxLength == nil { return tree.expression(form.scalar) }
      if let limited = tree.limited(shape.minLength, shape.maxLength ?? .max / 8) {
        return limited.expression(form.scalar)
      }
    }
    let name = shape.patternNames.first ?? ""
    do throws(GuideError) {
      var automaton = try ScalarAutomaton(
        min: shape.minLength, max: shape.maxLength, name: name)
      for tree in shape.patterns {
        automaton = try automaton.intersection(
          try ScalarAutomaton(tree, .part, name: name), name: name)
      }
      return automaton.expression(form.scalar)
    } catch {
      throw GuideError("At '\(shape.pointer)': \(error.message)")
    }
  }
}

// MARK: - Numbers

extension SchemaCompiler {
  /// Numbers of a shape.
  func number(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    let isWhole = !shape.types.contains(.fraction)
    if !shape.multiples.isEmpty { return try multiples(shape) }
    guard shape.low != nil || shape.high != nil else {
      return isWhole ? DigitGrammar.integer : DigitGrammar.number
    }
    if isWhole {
      let (low, high) = try wholeBounds(shape)
      return DigitGrammar.integers(low, high)
    }
    return try decimals(shape)
  }

  private func wholeBounds(_ shape: SchemaShape) throws(GuideError) -> (low: Int?, high: Int?) {
    (
      try shape.low.flatMap { bound throws(GuideError) in try whole(bound, isLow: true) },
      try shape.high.flatMap { bound throws(GuideError) in try whole(bound, isLow: false) }
    )
  }

  /// The whole number nearest to a bound on its allowed side; nil where the bound is out of reach.
  private func whole(
    _ bound: SchemaShape.Bound, isLow: Bool
  ) throws(GuideError) -> Int? {
    let step = bound.isIncluded ? 0 : isLow ? 1 : -1
    if case .integer(let value) = bound.value {
      let (sum, overflow) = value.addingReportingOverflow(step)
      if !overflow { return sum }
    }
    let value = bound.number
    let rounded = isLow ? value.rounded(.up) : value.rounded(.down)
    guard abs(rounded) < 9e18 else {
      // Beyond what is ever written: no bound on this side, or nothing left on it.
      if isLow == (value < 0) { return nil }
      throw Self.refusal(bound.pointer, "is beyond 18 digits, which guides do not write.")
    }
    return Int(rounded) + (rounded == value ? step : 0)
  }

  private func multiples(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    let product = shape.multiples.reduce(1) { $0.leastCommonMultiple(with: $1) }
    let (low, high) = try wholeBounds(shape)
    if product == 1 {
      return low == nil && high == nil ? DigitGrammar.integer : DigitGrammar.integers(low, high)
    }
    if let low, let high, low <= high, product > 0 {
      let first = low / product + (low % product > 0 ? 1 : 0)
      let last = high / product - (high % product < 0 ? 1 : 0)
      if last < first { return .nothing }
      if last - first < 4096 {
        return .oneOf((first...last).map { Array("\($0 * product)".utf8) })
      }
    }
    guard low == nil, high == nil, product > 0, product <= 512 else {
      throw Self.refusal(
        shape.pointer,
        "has 'multipleOf' with bounds that hold more than 4096 multiples, or with a number above 512 "
          + "and no bounds, which guides do not support. Leave one of them out.")
    }
    return DigitGrammar.multiples(of: product)
  }

  private func decimals(_ shape: SchemaShape) throws(GuideError) -> GrammarExpression {
    let low = try shape.low.map { bound throws(GuideError) in try decimal(bound) }
    let high = try shape.high.map { bound throws(GuideError) in try decimal(bound) }
    let bounds = [low, high].compactMap { $0?.bound }
    let known = bounds.map { DigitGrammar.split($0.whole).count }.max() ?? 1
    let digits = low == nil || high == nil ? max(9, known + 1) : known
    // Decimals of 15 digits are told apart by doubles, so that rounding crosses no bound.
    let places = min(9, 15 - digits)
    guard places >= (bounds.map(\.fraction.count).max() ?? 0), places >= 0 else {
      throw Self.refusal(
        shape.low?.pointer ?? shape.high?.pointer ?? shape.pointer,
        "has more digits than a bound of numbers may have in guides, which is 15 in all.")
    }
    let top = DecimalBound(
      whole: (0..<digits).reduce(0) { sum, _ in sum * 10 + 9 }, isIncluded: true)
    let zero = DecimalBound(whole: 0, isIncluded: true)
    func isNegative(_ value: (isNegative: Bool, bound: DecimalBound)?) -> Bool {
      value?.isNegative ?? false
    }
    var parts: [GrammarExpression] = []
    if !isNegative(high) {
      parts.append(
        DigitGrammar.decimals(
          low.map { $0.isNegative ? zero : $0.bound } ?? zero, high?.bound ?? top, places: places))
    }
    if low == nil || isNegative(low) {
      var least = zero
      least.isIncluded = false
      if let high, high.isNegative { least = high.bound }
      parts.append(
        .sequence([
          .text("-"), DigitGrammar.decimals(least, low?.bound ?? top, places: places),
        ]))
    }
    return .choice(parts)
  }

  /// The digits of a bound.
  private func decimal(
    _ bound: SchemaShape.Bound
  ) throws(GuideError) -> (isNegative: Bool, bound: DecimalBound) {
    guard let (isNegative, whole, fraction) = Self.digits(bound.value) else {
      throw Self.refusal(
        bound.pointer,
        "is too large or too fine a bound for guides: 15 digits in all are the limit.")
    }
    return (
      isNegative,
      DecimalBound(whole: whole, fraction: fraction, isIncluded: bound.isIncluded)
    )
  }

  private static func digits(_ value: JSON) -> (Bool, UInt64, [UInt8])? {
    if case .integer(let number) = value {
      return number.magnitude < 1_000_000_000_000_000
        ? (number < 0, UInt64(number.magnitude), []) : nil
    }
    guard let number = value.number, abs(number) < 1e15 else { return nil }
    let whole = abs(number).rounded(.down)
    if whole == abs(number) { return (number < 0, UInt64(whole), []) }
    // The shortest decimal that is this double.
    let parts = "\(abs(number))".split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let exponent = parts.count > 1 ? Int(parts[1]) ?? -99 : 0
    guard exponent <= 0, exponent > -16 else { return nil }
    // Of 1e-05 there is nothing behind a point.
    var digits = mantissa.joined().utf8.map { $0 &- 0x30 }
    guard digits.allSatisfy({ $0 < 10 }) else { return nil }
    if exponent < 0 { digits = [UInt8](repeating: 0, count: -exponent) + digits }
    let point = mantissa[0].count
    var fraction = Array(digits[point...])
    while fraction.last == 0 { fraction.removeLast() }
    return (number < 0, digits[..<point].reduce(0) { $0 * 10 + UInt64($1) }, fraction)
  }
}

extension DigitGrammar {
  /// Whole multiples of `divisor`: an automaton over remainders.
  static func multiples(of divisor: Int) -> GrammarExpression {
    var graph = GrammarGraph()
    let end = graph.addState()
    let sign = graph.addState()
    var states: [Int] = []
    for _ in 0..<divisor { states.append(graph.addState()) }
    graph.add(.text("-"), from: 0, to: sign)
    graph.add(.text("0"), from: 0, to: end)
    for digit in 0..<10 {
      let label = GrammarExpression.text("\(digit)")
      if digit > 0 {
        graph.add(label, from: 0, to: states[digit % divisor])
        graph.add(label, from: sign, to: states[digit % divisor])
      }
      for state in 0..<divisor {
        graph.add(label, from: states[state], to: states[(state * 10 + digit) % divisor])
      }
    }
    graph.accepting = [end, states[0]]
    return .graph(graph)
  }
}

extension Int {
  /// The least common multiple; 0 when it is too large.
  fileprivate func leastCommonMultiple(with other: Int) -> Int {
    guard self > 0, other > 0 else { return 0 }
    var (left, right) = (self, other)
    while right != 0 { (left, right) = (right, left % right) }
    let (product, overflow) = (self / left).multipliedReportingOverflow(by: other)
    return overflow ? 0 : product
  }
}
