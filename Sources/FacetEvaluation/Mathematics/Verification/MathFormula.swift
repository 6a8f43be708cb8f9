// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// An expression of one value, kept in the form in which it was written.
indirect enum MathFormula: Sendable, Equatable {
  case number(MathNumber)
  case constant(Constant)
  case symbol(Symbol)
  case sum([MathFormula])
  case product([MathFormula])
  case power(MathFormula, MathFormula)
  case function(String, [MathFormula])
  /// A function that has only a name.
  case application(String, [MathFormula])
  /// A hundredth of it, which stays beside it.
  case percent(MathFormula)
  case matrix([[MathFormula]])

  /// What has a value of its own.
  enum Constant: Sendable {
    case pi, e, gamma, imaginary, infinity, negativeInfinity
    /// What a division by zero gives; equal to nothing.
    case undefined
  }

  /// A variable; real ones and others differ, as they do for sympy.
  struct Symbol: Sendable, Equatable, Hashable {
    var name: String
    var isReal: Bool
  }

  static func whole(_ number: Int) -> Self { .number(MathNumber(number)) }

  var isMatrix: Bool { if case .matrix = self { true } else { false } }

  /// A number by itself, infinity among them.
  var isNumber: Bool {
    switch self {
    case .number, .constant(.infinity), .constant(.negativeInfinity): true
    default: false
    }
  }

  var symbol: Symbol? { if case .symbol(let symbol) = self { symbol } else { nil } }

  /// The number that it is, or that it is hundredths of.
  var numberOrPercent: MathNumber? {
    switch self {
    case .number(let number), .percent(.number(let number)): number
    default: nil
    }
  }

  /// What it is made of.
  var parts: [MathFormula] {
    switch self {
    case .number, .constant, .symbol: []
    case .sum(let parts), .product(let parts), .function(_, let parts), .application(_, let parts):
      parts
    case .power(let base, let exponent): [base, exponent]
    case .percent(let part): [part]
    case .matrix(let rows): rows.flatMap { $0 }
    }
  }

  /// Its variables.
  var symbols: Set<Symbol> {
    if let symbol { return [symbol] }
    return parts.reduce(into: []) { $0.formUnion($1.symbols) }
  }

  /// Whether some number in it has a decimal point.
  var hasDecimals: Bool {
    if case .number(let number) = self { return number.isDecimal }
    return parts.contains(where: \.hasDecimals)
  }

  /// Whether nothing but variables stands in it, so that it may be what an equation defines.
  var isOnlySymbols: Bool {
    switch self {
    case .symbol: true
    case .number, .constant: false
    case .power(let base, .number(let exponent)) where exponent.value == -1:
      base.symbol != nil || (!base.parts.isEmpty && base.parts.allSatisfy(\.isOnlySymbols))
    default: !parts.isEmpty && parts.allSatisfy(\.isOnlySymbols)
    }
  }

  /// The same with `value` for a variable.
  func replacing(_ symbol: Symbol, with value: MathFormula) -> MathFormula {
    func replaced(_ parts: [MathFormula]) -> [MathFormula] {
      parts.map { $0.replacing(symbol, with: value) }
    }
    switch self {
    case .number, .constant: return self
    case .symbol(let own): return own == symbol ? value : self
    case .sum(let parts): return .sum(replaced(parts))
    case .product(let parts): return .product(replaced(parts))
    case .function(let name, let parts): return .function(name, replaced(parts))
    case .application(let name, let parts): return .application(name, replaced(parts))
    case .power(let base, let exponent):
      return .power(
        base.replacing(symbol, with: value), exponent.replacing(symbol, with: value))
    case .percent(let part): return .percent(part.replacing(symbol, with: value))
    case .matrix(let rows): return .matrix(rows.map(replaced))
    }
  }
}

// MARK: Putting together

extension MathFormula {
  static prefix func - (term: Self) -> Self {
    switch term {
    case .number(let number): .number(number.negated)
    case .constant(.infinity): .constant(.negativeInfinity)
    case .constant(.negativeInfinity): .constant(.infinity)
    case .matrix(let rows): .matrix(rows.map { $0.map { -$0 } })
    default: .whole(-1) * term
    }
  }

  static func + (a: Self, b: Self) -> Self {
    func terms(_ term: Self) -> [Self] { if case .sum(let parts) = term { parts } else { [term] } }
    return .sum(terms(a) + terms(b))
  }

  static func - (a: Self, b: Self) -> Self { a + -b }

  static func * (a: Self, b: Self) -> Self {
    func factors(_ term: Self) -> [Self] {
      if case .product(let parts) = term { parts } else { [term] }
    }
    return .product(factors(a) + factors(b))
  }

  /// A fraction of whole numbers is a number.
  static func / (a: Self, b: Self) -> Self {
    if case .number(let above) = a, case .number(let below) = b, above.isWhole, below.isWhole {
      return above.divided(by: below).map { .number($0) } ?? .constant(.undefined)
    }
    return a * .power(b, .whole(-1))
  }

  /// Sums and products of matrices are computed; nil where they have none.
  static func sum(_ a: Self, _ b: Self) -> Self? {
    guard case .matrix(let first) = a, case .matrix(let second) = b else {
      return a.isMatrix || b.isMatrix ? nil : a + b
    }
    guard first.count == second.count, first.map(\.count) == second.map(\.count) else { return nil }
    return .matrix(zip(first, second).map { rows in zip(rows.0, rows.1).map { $0 + $1 } })
  }

  static func product(_ a: Self, _ b: Self) -> Self? {
    switch (a, b) {
    case (.matrix(let first), .matrix(let second)):
      guard let width = second.first?.count, first.allSatisfy({ $0.count == second.count }) else {
        return nil
      }
      return .matrix(
        first.map { row in
          (0..<width).map { column in .sum(zip(row, second).map { $0 * $1[column] }) }
        })
    case (.matrix(let rows), let factor), (let factor, .matrix(let rows)):
      return .matrix(rows.map { $0.map { factor * $0 } })
    default: return a * b
    }
  }

  static func quotient(_ a: Self, _ b: Self) -> Self? {
    if b.isMatrix { return nil }
    return a.isMatrix ? product(.power(b, .whole(-1)), a) : a / b
  }

  /// The determinant of a square of up to five rows.
  static func determinant(_ rows: [[Self]]) -> Self? {
    guard !rows.isEmpty, rows.count <= 5, rows.allSatisfy({ $0.count == rows.count }) else {
      return nil
    }
    if rows.count == 1 { return rows[0][0] }
    var terms: [Self] = []
    for (column, factor) in rows[0].enumerated() {
      let minor = rows.dropFirst().map { row in
        row.enumerated().filter { $0.offset != column }.map(\.element)
      }
      guard let part = determinant(minor) else { return nil }
      terms.append(column.isMultiple(of: 2) ? factor * part : -(factor * part))
    }
    return .sum(terms)
  }
}
