// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What an answer may be: a formula, a pair, a set, a relation.
indirect enum MathObject: Sendable, Equatable {
  case formula(MathFormula)
  case tuple([MathObject])
  /// In the order in which they were written, one of several equal ones included.
  case finiteSet([MathObject])
  case interval(MathInterval)
  case numbers(NumberSet)
  case empty
  case union(MathObject, MathObject)
  case intersection(MathObject, MathObject)
  case complement(MathObject, MathObject)
  /// One relation, or a chain of them in which each begins where the last ends.
  case relations([MathRelation])

  /// The sets that have names.
  enum NumberSet: Sendable { case naturals, integers, rationals, reals, complexes }

  var formula: MathFormula? { if case .formula(let formula) = self { formula } else { nil } }

  /// Whether it is a set for sympy.
  var isSet: Bool {
    switch self {
    case .formula, .tuple, .relations: false
    default: true
    }
  }

  var isTuple: Bool { if case .tuple = self { true } else { false } }

  var relations: [MathRelation]? { if case .relations(let chain) = self { chain } else { nil } }

  /// Whether only equations are in it.
  var isEquation: Bool { relations?.allSatisfy { $0.kind == .equal } ?? false }

  /// Whether it says what a variable is.
  var isAssignment: Bool { isEquation && (relations?.first?.left.isOnlySymbols ?? false) }

  var isOnlySymbols: Bool {
    switch self {
    case .formula(let formula): formula.isOnlySymbols
    case .tuple(let parts), .finiteSet(let parts):
      !parts.isEmpty && parts.allSatisfy(\.isOnlySymbols)
    case .relations(let chain):
      chain.allSatisfy { $0.left.isOnlySymbols && $0.right.isOnlySymbols }
    default: false
    }
  }

  /// The value of an equation, where it is one.
  var unwrapped: MathObject { isAssignment ? relations?.last?.right ?? self : self }
}

/// Two sides and what stands between them.
struct MathRelation: Sendable, Equatable {
  enum Kind: Sendable {
    case equal, unequal, less, lessOrEqual, greater, greaterOrEqual

    /// The one that says the same with the sides changed; nil for `≠`, of which sympy knows none.
    var flipped: Kind? {
      switch self {
      case .equal: .equal
      case .unequal: nil
      case .less: .greater
      case .lessOrEqual: .greaterOrEqual
      case .greater: .less
      case .greaterOrEqual: .lessOrEqual
      }
    }
  }

  var kind: Kind
  var left: MathObject
  var right: MathObject
}

/// All numbers from one to another.
struct MathInterval: Sendable, Equatable {
  var lower: MathFormula
  var upper: MathFormula
  var isLeftOpen: Bool
  var isRightOpen: Bool

  var isOpen: Bool { isLeftOpen && isRightOpen }

  /// What sympy makes of such a pair of brackets: a pair where the ends are in no order, one number or
  /// nothing where they meet.
  var object: MathObject {
    var ends = self
    if lower == .constant(.negativeInfinity) { ends.isLeftOpen = true }
    if upper == .constant(.infinity) { ends.isRightOpen = true }
    guard let low = lower.realValue, let high = upper.realValue else { return .interval(ends) }
    let areSame = lower.isEqual(to: upper)
    if isOpen, high < low || areSame { return .tuple([.formula(lower), .formula(upper)]) }
    if !isLeftOpen, !isRightOpen, high < low, !areSame {
      return .tuple([.formula(lower), .formula(upper)])
    }
    if areSame { return isLeftOpen || isRightOpen ? .empty : .finiteSet([.formula(lower)]) }
    return high < low ? .empty : .interval(ends)
  }
}
