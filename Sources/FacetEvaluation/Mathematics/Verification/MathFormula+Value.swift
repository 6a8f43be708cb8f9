// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Whether two formulas have the same value: exactly by residues where they are made of the four operations
/// and whole powers, else by their values at places drawn at random (Schwartz 1980, Zippel 1979).
extension MathFormula {
  func isEqual(to other: MathFormula) -> Bool {
    if case .matrix(let rows) = self, case .matrix(let others) = other {
      return rows.count == others.count && rows.map(\.count) == others.map(\.count)
        && zip(rows.joined(), others.joined()).allSatisfy { $0.isEqual(to: $1) }
    }
    if isMatrix || other.isMatrix { return false }
    var isExact = true
    for place in 0..<2 {
      guard let a = residue(at: place), let b = other.residue(at: place) else {
        isExact = false
        break
      }
      if a != b { return false }
    }
    if isExact { return true }
    var (places, agreed) = (0, 0)
    while places < 8, agreed < 4 {
      let (x, y) = (value(at: places), other.value(at: places))
      places += 1
      let (gap, size) = ((x - y).magnitude, max(x.magnitude, y.magnitude))
      guard gap.isFinite, size < 1e200 else { continue }
      if gap > 1e-11 + 1e-9 * size { return false }
      agreed += 1
    }
    return agreed > 0
  }

  /// The real number that it is; nil with variables or an imaginary part.
  var realValue: Double? {
    switch self {
    case .constant(.infinity): return .infinity
    case .constant(.negativeInfinity): return -.infinity
    default:
      guard !isMatrix, symbols.isEmpty, !hasApplications else { return nil }
      let value = value(at: 0)
      let isReal = abs(value.imaginary) <= 1e-12 * max(1, abs(value.real))
      return isReal && !value.real.isNaN ? value.real : nil
    }
  }

  /// The complex number that it is; nil with variables.
  var constantValue: ComplexNumber? {
    guard !isMatrix, symbols.isEmpty, !hasApplications else { return nil }
    let value = value(at: 0)
    return value.real.isFinite && value.imaginary.isFinite ? value : nil
  }

  private var hasApplications: Bool {
    if case .application = self { return true }
    return parts.contains(where: \.hasApplications)
  }

  // MARK: Exactly

  /// The value by the prime, where variables have numbers that their names and the place decide.
  private func residue(at place: Int) -> UInt64? {
    switch self {
    case .number(let number): return number.residue
    case .symbol(let symbol): return Self.seed(symbol, place) % MathNumber.prime
    case .sum(let parts):
      return parts.reduce(0) { sum, part in
        sum.flatMap { a in part.residue(at: place).map { MathNumber.add(a, $0) } }
      }
    case .product(let parts):
      return parts.reduce(1) { product, part in
        product.flatMap { a in part.residue(at: place).map { MathNumber.multiply(a, $0) } }
      }
    case .power(let base, let exponent):
      guard let power = exponent.wholeValue, let root = base.residue(at: place) else { return nil }
      let result = MathNumber.power(root, UInt64(power.magnitude))
      return power < 0 ? MathNumber.quotient(1, result) : result
    case .percent(let part):
      return part.residue(at: place).flatMap { MathNumber.quotient($0, 100) }
    case .constant, .function, .application, .matrix: return nil
    }
  }

  /// The whole number that an exponent of whole numbers is.
  private var wholeValue: Int? {
    guard !hasDecimals, symbols.isEmpty, residue(at: 0) != nil else { return nil }
    let value = value(at: 0).real
    return abs(value) < 1e9 && value == value.rounded() ? Int(value) : nil
  }

  // MARK: As numbers

  /// The value where variables have numbers that their names and the place decide.
  func value(at place: Int) -> ComplexNumber {
    switch self {
    case .number(let number): return ComplexNumber(real: number.value)
    case .constant(let constant): return constant.value
    case .symbol(let symbol): return Self.number(symbol, place)
    case .sum(let parts): return parts.reduce(ComplexNumber(real: 0)) { $0 + $1.value(at: place) }
    case .product(let parts):
      return parts.reduce(ComplexNumber(real: 1)) { $0 * $1.value(at: place) }
    case .power(let base, let exponent):
      let (a, b) = (base.value(at: place), exponent.value(at: place))
      if a.magnitude == 0, b.imaginary == 0 {
        return ComplexNumber(real: b.real == 0 ? 1 : b.real > 0 ? 0 : .nan)
      }
      return a.power(b)
    case .percent(let part): return part.value(at: place) / ComplexNumber(real: 100)
    case .function(let name, let parts):
      return Self.apply(name, parts.map { $0.value(at: place) })
    case .application(let name, let parts):
      // Some value that depends on the name and the arguments alone.
      let seed = Self.number(Symbol(name: name, isReal: true), 0)
      return parts.reduce(seed) { ($0 * $1.value(at: place)).sine + seed * $1.value(at: place) }
    case .matrix: return ComplexNumber(real: .nan)
    }
  }

  private static func seed(_ symbol: Symbol, _ place: Int) -> UInt64 {
    var state = UInt64(truncatingIfNeeded: place) &+ 0x9e37_79b9_7f4a_7c15
    for byte in (symbol.isReal ? "r" : "c").utf8 + Array(symbol.name.utf8) {
      state = (state ^ UInt64(byte)) &* 0xbf58_476d_1ce4_e5b9
      state ^= state >> 31
    }
    return state
  }

  /// A number between 0.3 and 2.3 or its negative; not a real one for a variable that is none.
  private static func number(_ symbol: Symbol, _ place: Int) -> ComplexNumber {
    let seed = seed(symbol, place)
    let size = 0.3 + 2 * Double(seed >> 11) / Double(1 << 53)
    let real = seed & 1 == 0 ? size : -size
    return ComplexNumber(
      real: real, imaginary: symbol.isReal ? 0 : 0.2 + Double(seed & 0xffff) / 65536)
  }

  private static func apply(_ name: String, _ values: [ComplexNumber]) -> ComplexNumber {
    let none = ComplexNumber(real: .nan)
    let x = values.first ?? none
    let one = ComplexNumber(real: 1)
    let i = ComplexNumber(real: 0, imaginary: 1)
    func root(_ z: ComplexNumber) -> ComplexNumber { z.power(ComplexNumber(real: 0.5)) }
    if let value = x.applying(name) { return value }
    switch name {
    case "log": return x.logarithm / (values.last ?? x).logarithm
    case "sinh": return (x.exponential - (-x).exponential) / ComplexNumber(real: 2)
    case "cosh": return (x.exponential + (-x).exponential) / ComplexNumber(real: 2)
    case "tanh": return apply("sinh", values) / apply("cosh", values)
    case "asin": return -i * (i * x + root(one - x * x)).logarithm
    case "acos": return ComplexNumber(real: .pi / 2) - apply("asin", values)
    case "atan":
      if x.imaginary == 0 { return ComplexNumber(real: atan(x.real)) }
      return i / ComplexNumber(real: 2) * ((one - i * x).logarithm - (one + i * x).logarithm)
    case "acot": return apply("atan", [one / x])
    case "asec": return apply("acos", [one / x])
    case "acsc": return apply("asin", [one / x])
    case "asinh": return (x + root(x * x + one)).logarithm
    case "acosh": return (x + root(x + one) * root(x - one)).logarithm
    case "atanh": return ((one + x).logarithm - (one - x).logarithm) / ComplexNumber(real: 2)
    case "factorial": return x.factorial
    case "gamma": return (x - one).factorial
    case "binom": return x.choosing(values.last ?? x)
    case "mod":
      guard let y = values.last, x.imaginary == 0, y.imaginary == 0, y.real != 0 else {
        return none
      }
      return ComplexNumber(real: x.real - y.real * (x.real / y.real).rounded(.down))
    case "max": return ComplexNumber(real: values.map(\.real).max() ?? .nan)
    case "min": return ComplexNumber(real: values.map(\.real).min() ?? .nan)
    default: return none
    }
  }
}

extension MathFormula.Constant {
  fileprivate var value: ComplexNumber {
    switch self {
    case .pi: ComplexNumber(real: .pi)
    case .e: ComplexNumber(real: M_E)
    case .gamma: ComplexNumber(real: 0.577_215_664_901_532_9)
    case .imaginary: ComplexNumber(real: 0, imaginary: 1)
    case .infinity: ComplexNumber(real: .infinity)
    case .negativeInfinity: ComplexNumber(real: -.infinity)
    case .undefined: ComplexNumber(real: .nan)
    }
  }
}
