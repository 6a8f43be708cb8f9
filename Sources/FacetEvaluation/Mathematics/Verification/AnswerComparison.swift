// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Whether an answer is the right one, by the rules of math_verify's `verify`.
///
/// The two are not alike: the right answer decides whether `x = 5` is asked for or 5.
enum AnswerComparison {
  static func areEqual(_ gold: MathObject, _ given: MathObject) -> Bool {
    areEqual(gold, given, depth: 0)
  }

  private static func areEqual(_ gold: MathObject, _ given: MathObject, depth: Int) -> Bool {
    guard depth < 40 else { return false }
    var (gold, given) = (shortened(gold), shortened(given))
    let (isGoldAssignment, isGoldEquation) = (gold.isAssignment, gold.isEquation)
    if given.isEquation, !isGoldEquation, let last = given.relations?.last {
      given = last.right
    } else if isGoldAssignment, !given.isEquation, let last = gold.relations?.last {
      gold = last.right
    }
    if let chain = gold.relations, given.isSet, let set = MathRange.solutions(of: chain) {
      gold = set
    }
    if gold == .formula(.constant(.undefined)) { return false }
    if gold == given { return true }
    if let first = gold.relations, let second = given.relations {
      return areEqual(first, second, depth: depth + 1)
    }
    if gold.isSet || gold.isTuple || given.isSet || given.isTuple {
      return areEqualSets(gold, given, depth: depth + 1)
    }
    guard let first = gold.formula, let second = given.formula else { return false }
    if first.symbol != nil || second.symbol != nil { return areEqualNames(first, second) }
    return areEqualNumbers(first, second)
  }

  /// `x = y = 5` as `x = 5`.
  private static func shortened(_ object: MathObject) -> MathObject {
    guard object.isAssignment, let chain = object.relations, chain.count > 1,
      let first = chain.first, let last = chain.last
    else { return object }
    return .relations([MathRelation(kind: .equal, left: first.left, right: last.right)])
  }

  // MARK: Formulas

  /// A variable, and another or a product of some that spell its name.
  private static func areEqualNames(_ gold: MathFormula, _ given: MathFormula) -> Bool {
    func name(_ formula: MathFormula) -> String? {
      if case .constant(.e) = formula { return "e" }
      if case .product(let parts) = formula {
        let letters = parts.map { part in part == .constant(.e) ? "e" : part.symbol?.name }
        return letters.contains(nil) ? nil : letters.compactMap { $0 }.joined()
      }
      return formula.symbol?.name
    }
    guard let a = name(gold), let b = name(given) else { return false }
    return PythonText.areEqual(a.lowercased(), b.lowercased())
  }

  /// Two values: as decimals to six places where one is a decimal, else exactly.
  static func areEqualNumbers(_ gold: MathFormula, _ given: MathFormula) -> Bool {
    if case .matrix(let rows) = gold, case .matrix(let others) = given {
      return rows.map(\.count) == others.map(\.count)
        && zip(rows.joined(), others.joined()).allSatisfy { areEqualNumbers($0, $1) }
    }
    let (a, b) = (gold.numberOrPercent, given.numberOrPercent)
    if a != nil || b != nil {
      if a?.isDecimal == true || b?.isDecimal == true {
        if let x = gold.constantValue, let y = given.constantValue,
          isWhole(gold, x) == isWhole(given, y), areEqualRounded(x.real, y.real),
          areEqualRounded(x.imaginary, y.imaginary)
        {
          return true
        }
      } else if let a, let b, a.isWhole, b.isWhole {
        // 9 % and 9 are the same.
        return a.residue == b.residue && a.value == b.value || gold.isEqual(to: given)
      }
    }
    return gold.isEqual(to: given)
  }

  /// Whether sympy computes a whole number of it, which no decimal is rounded to.
  private static func isWhole(_ formula: MathFormula, _ value: ComplexNumber) -> Bool {
    !formula.hasDecimals && value.imaginary == 0 && abs(value.real) < 1e15
      && abs(value.real - value.real.rounded()) < 1e-12 * max(1, abs(value.real))
  }

  private static func areEqualRounded(_ a: Double, _ b: Double) -> Bool {
    func rounded(_ value: Double) -> Double {
      abs(value) < 1e9 ? (value * 1e6).rounded(.toNearestOrEven) / 1e6 : value
    }
    return rounded(a) == rounded(b)
  }

  // MARK: Relations

  private static func areEqual(
    _ gold: [MathRelation], _ given: [MathRelation], depth: Int
  ) -> Bool {
    if gold.count > 1 || given.count > 1 {
      return gold.count == given.count
        && zip(gold, given).allSatisfy { areEqual([$0], [$1], depth: depth + 1) }
    }
    guard let gold = gold.first, let given = given.first, let a = gold.difference,
      let b = given.difference
    else { return false }
    func equal(_ a: MathFormula, _ b: MathFormula) -> Bool {
      areEqual(.formula(a), .formula(b), depth: depth + 1)
    }
    if gold.kind == given.kind, equal(a, b) { return true }
    if gold.kind.flipped == given.kind, equal(a, -b) { return true }
    return gold.kind == .equal && given.kind == .equal && EquationComparison.areEqual(a, b)
  }

  // MARK: Sets

  private static func areEqualSets(
    _ gold: MathObject, _ given: MathObject, depth: Int
  ) -> Bool {
    let first = gold.isSet || gold.isTuple ? gold : .finiteSet([gold])
    let second = given.isSet || given.isTuple ? given : .finiteSet([given])
    if case .interval(let a) = first, case .interval(let b) = second {
      return a.isLeftOpen == b.isLeftOpen && a.isRightOpen == b.isRightOpen
        && areEqual(.formula(a.lower), .formula(b.lower), depth: depth + 1)
        && areEqual(.formula(a.upper), .formula(b.upper), depth: depth + 1)
    }
    if areSame(first, second) { return true }
    if first.isSet, second.isSet, let a = MathRange.ranges(of: first),
      let b = MathRange.ranges(of: second), MathRange.areEqual(a, b)
    {
      return true
    }
    switch (first, second) {
    case (.interval(let ends), .finiteSet), (.interval(let ends), .tuple):
      guard ends.isOpen else { return false }
      return areEqualLists(ends.pair, second, depth: depth)
    case (.finiteSet, .interval(let ends)), (.tuple, .interval(let ends)):
      guard ends.isOpen else { return false }
      return areEqualLists(first, ends.pair, depth: depth)
    default: return areEqualLists(first, second, depth: depth)
    }
  }

  /// Two finite sets of which each has what the other has, in the same form.
  private static func areSame(_ a: MathObject, _ b: MathObject) -> Bool {
    guard case .finiteSet(let first) = a, case .finiteSet(let second) = b else { return a == b }
    return first.allSatisfy(second.contains) && second.allSatisfy(first.contains)
  }

  /// Sets and tuples element by element: in any order where the right answer is a set.
  private static func areEqualLists(
    _ gold: MathObject, _ given: MathObject, depth: Int
  ) -> Bool {
    guard let first = gold.elements, let second = given.elements, first.count == second.count else {
      return false
    }
    if case .finiteSet = gold {
      var rest = second
      return first.allSatisfy { element in
        guard let place = rest.firstIndex(where: { areEqual(element, $0, depth: depth + 1) }) else {
          return false
        }
        rest.remove(at: place)
        return true
      }
    }
    if case .finiteSet(let written) = given, written.count != first.count { return false }
    return zip(first, second).allSatisfy { areEqual($0, $1, depth: depth + 1) }
  }
}

extension MathObject {
  /// The elements of a finite set, each once, or of a tuple.
  fileprivate var elements: [MathObject]? {
    switch self {
    case .tuple(let parts): parts
    case .finiteSet(let parts):
      parts.reduce(into: []) { kept, part in if !kept.contains(part) { kept.append(part) } }
    default: nil
    }
  }
}

extension MathInterval {
  /// The pair that two numbers in parentheses may as well be.
  fileprivate var pair: MathObject { .tuple([.formula(lower), .formula(upper)]) }
}

extension MathRelation {
  /// Its sides' difference, where both have one value.
  var difference: MathFormula? {
    guard let left = left.formula, let right = right.formula, !left.isMatrix, !right.isMatrix else {
      return nil
    }
    return left - right
  }
}
