// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Whether two equations have the same solutions, each given as the difference of its sides that is zero.
///
/// Of several variables sympy solves for one; here it is asked whether one difference is a multiple of the
/// other, or whether both give the same value for a variable in which they are linear.
enum EquationComparison {
  static func areEqual(_ gold: MathFormula, _ given: MathFormula) -> Bool {
    // What holds always, or says nothing of any variable, has no solutions in sympy's lists.
    if saysNothing(gold), saysNothing(given) { return true }
    let symbols = gold.symbols
    guard symbols.count > 1, symbols == given.symbols else { return false }
    if areProportional(gold, given) { return true }
    return symbols.contains { symbol in
      guard vanishing(gold, symbols) == vanishing(given, symbols),
        let a = Linear(gold, in: symbol), let b = Linear(given, in: symbol)
      else { return false }
      return (0..<4).allSatisfy { place in
        let (x, y) = (a.root(at: place), b.root(at: place))
        return x.magnitude > 1e-9 && isClose(x, y)
      }
    }
  }

  private static func saysNothing(_ difference: MathFormula) -> Bool {
    difference.symbols.isEmpty || difference.isEqual(to: .whole(0))
  }

  private static func isClose(_ x: ComplexNumber, _ y: ComplexNumber) -> Bool {
    let gap = (x - y).magnitude
    return gap.isFinite && gap <= 1e-9 * max(x.magnitude, y.magnitude)
  }

  private static func areProportional(_ a: MathFormula, _ b: MathFormula) -> Bool {
    let (x, y) = (a.value(at: 0), b.value(at: 0))
    guard x.magnitude > 1e-9, y.magnitude > 1e-9 else { return false }
    let factor = y / x
    return (1..<5).allSatisfy { isClose(a.value(at: $0) * factor, b.value(at: $0)) }
  }

  /// The variables that solve the equation wherever they are zero: it has them as a factor.
  private static func vanishing(
    _ difference: MathFormula, _ symbols: Set<MathFormula.Symbol>
  ) -> Set<MathFormula.Symbol> {
    symbols.filter { difference.replacing($0, with: .whole(0)).isEqual(to: .whole(0)) }
  }

  /// An equation of the form a·v + b = 0 for one of its variables.
  private struct Linear {
    var constant: MathFormula
    var slope: MathFormula

    /// Nil where it is of another form.
    init?(_ difference: MathFormula, in symbol: MathFormula.Symbol) {
      func at(_ number: Int) -> MathFormula {
        difference.replacing(symbol, with: .whole(number))
      }
      constant = at(0)
      slope = at(1) - constant
      guard at(-2).isEqual(to: constant - slope - slope), !slope.isEqual(to: .whole(0)) else {
        return nil
      }
    }

    func root(at place: Int) -> ComplexNumber {
      -(constant.value(at: place) / slope.value(at: place))
    }
  }
}
