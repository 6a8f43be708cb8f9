// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Whether two expressions in LaTeX have the same value: read as sympy's `parse_latex` reads them, and
/// compared at some places instead of simplified.
///
/// An expression without variables has one value; one with variables is a function of them, and two that
/// agree at places drawn at random are the same (Schwartz 1980, Zippel 1979). Letters are variables, `i` and
/// `e` too, since they are for `parse_latex`.
enum MathExpression {
  /// Whether both can be read and have the same value.
  static func areEqual(_ a: String, _ b: String) -> Bool {
    guard let first = read(a), let second = read(b) else { return false }
    if let isEqual = first.isDecimal(equalTo: second) ?? second.isDecimal(equalTo: first) {
      return isEqual
    }
    // A decimal fraction is a float for sympy, and equal to nothing that it was rounded from. Of exact
    // numbers doubles hold sixteen digits, and sums of some terms lose three or four.
    let tolerance = PythonText.contains(".", in: a + b) ? 0 : 1e-11
    return (0..<4).allSatisfy { place in
      let (x, y) = (first.value(at: place), second.value(at: place))
      let most = tolerance * max(x.magnitude, y.magnitude)
      return (x - y).magnitude <= most && (x - y).magnitude.isFinite
    }
  }

  private static func read(_ text: String) -> MathTerm? {
    var reader = MathReader(text)
    return try? reader.read()
  }
}

extension MathTerm {
  /// Whether a decimal fraction standing alone is what `other` is as a float: a fraction is, a root or π is
  /// not; nil where this is no such number, or the other has variables or decimals too.
  fileprivate func isDecimal(equalTo other: MathTerm) -> Bool? {
    let own: Double
    switch self {
    case .number(let number): own = number
    case .negative(.number(let number)): own = -number
    default: return nil
    }
    guard own != own.rounded(), abs(own) != .pi else { return nil }
    if let (above, below) = other.fraction { return Double(above) / Double(below) == own }
    return other.isIrrational ? false : nil
  }

  /// Numerator and denominator of whole numbers put together; nil for anything else.
  private var fraction: (Int, Int)? {
    switch self {
    case .number(let number): return Int(exactly: number).map { ($0, 1) }
    case .negative(let term):
      return term.fraction.flatMap { above, below in
        Self.reduced(0.subtractingReportingOverflow(above), (below, false))
      }
    case .quotient(let first, let second):
      guard let (a, b) = first.fraction, let (c, d) = second.fraction, c != 0 else { return nil }
      return Self.reduced(
        a.multipliedReportingOverflow(by: d), b.multipliedReportingOverflow(by: c))
    case .product(let first, let second):
      guard let (a, b) = first.fraction, let (c, d) = second.fraction else { return nil }
      return Self.reduced(
        a.multipliedReportingOverflow(by: c), b.multipliedReportingOverflow(by: d))
    default: return nil
    }
  }

  private static func reduced(
    _ above: (partialValue: Int, overflow: Bool), _ below: (partialValue: Int, overflow: Bool)
  ) -> (Int, Int)? {
    above.overflow || below.overflow ? nil : (above.partialValue, below.partialValue)
  }

  /// Whether it is a root, π, or has one in it, and no variable.
  private var isIrrational: Bool {
    switch self {
    case .number(let number): number == .pi
    case .power(_, .quotient): true
    case .negative(let a): a.isIrrational
    case .sum(let a, let b): a.isIrrational || b.isIrrational
    case .product(let a, let b), .quotient(let a, let b):
      (a.isIrrational || b.isIrrational) && !a.isVariable && !b.isVariable
    default: false
    }
  }

  private var isVariable: Bool { if case .variable = self { true } else { false } }
}

/// A part of an expression.
indirect enum MathTerm: Sendable {
  case number(Double)
  case variable(String)
  case sum(MathTerm, MathTerm)
  case negative(MathTerm)
  case product(MathTerm, MathTerm)
  case quotient(MathTerm, MathTerm)
  case power(MathTerm, MathTerm)
  case factorial(MathTerm)
  case function(String, [MathTerm])

  /// The value where variables have the numbers of `place`.
  func value(at place: Int) -> ComplexNumber {
    switch self {
    case .number(let number): ComplexNumber(real: number)
    case .variable(let name): ComplexNumber(real: Self.number(of: name, at: place))
    case .sum(let a, let b): a.value(at: place) + b.value(at: place)
    case .negative(let a): -a.value(at: place)
    case .product(let a, let b): a.value(at: place) * b.value(at: place)
    case .quotient(let a, let b): a.value(at: place) / b.value(at: place)
    case .power(let a, let b): a.value(at: place).power(b.value(at: place))
    case .factorial(let a): a.value(at: place).factorial
    case .function(let name, let arguments):
      Self.apply(name, arguments.map { $0.value(at: place) })
    }
  }

  /// A number between 0.5 and 1.5 that only the name and the place decide.
  private static func number(of name: String, at place: Int) -> Double {
    var state = UInt64(truncatingIfNeeded: place) &+ 0x9e37_79b9_7f4a_7c15
    for byte in name.utf8 {
      state = (state ^ UInt64(byte)) &* 0xbf58_476d_1ce4_e5b9
      state ^= state >> 31
    }
    return 0.5 + Double(state >> 11) / Double(1 << 53)
  }

  private static func apply(_ name: String, _ values: [ComplexNumber]) -> ComplexNumber {
    let x = values.first ?? ComplexNumber(real: .nan)
    if let value = x.applying(name) { return value }
    switch name {
    case "log": return x.logarithm / (values.last ?? x).logarithm
    case "binom": return x.choosing(values.last ?? x)
    default:
      // A function that only has a name: some value that depends on name and arguments.
      let seed = ComplexNumber(real: number(of: name, at: 0))
      return values.reduce(seed) { ($0 * $1).sine + seed * $1 }
    }
  }
}
