// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Lists, sets and relations.
extension LaTeXReader {
  // MARK: Lists

  mutating func readElements(relations: Bool) throws(Failure) -> [[MathObject]] {
    var lists: [[MathObject]] = []
    repeat {
      var list: [MathObject] = []
      repeat { list += try element(relations: relations) } while take(",")
      lists.append(list)
    } while take(";")
    return lists
  }

  /// One element of a list; `a \pm b` are two.
  private mutating func element(relations: Bool) throws(Failure) -> [MathObject] {
    let two = attempt { (reader) throws(Failure) in try reader.plusMinus() }
    if let two { return two }
    let set = attempt { (reader) throws(Failure) in
      let set = try reader.setAtom()
      guard reader.endsElement else { throw Failure() }
      return set
    }
    if let set { return [set] }
    return [relations ? try relation() : .formula(try expression())]
  }

  /// Whether an element of a list may end here.
  private var endsElement: Bool {
    kind == .end
      || [",", ";", ")", "]", "}", "\\)", "\\}", "rbrack", "rgroup"].contains(sign ?? "")
  }

  private mutating func plusMinus() throws(Failure) -> [MathObject] {
    if take("pm") {
      let term = try expression()
      guard endsElement else { throw Failure() }
      return [.formula(-term), .formula(term)]
    }
    let left = try expression()
    try need("pm")
    let right = try expression()
    guard endsElement else { throw Failure() }
    return [.formula(left + right), .formula(left + -right)]
  }

  // MARK: Relations

  private static let kinds: [String: MathRelation.Kind] = [
    "=": .equal, "==": .equal, "!=": .unequal, "<": .less, "<=": .lessOrEqual, ">": .greater,
    ">=": .greaterOrEqual,
  ]

  /// `1 < x < 2`, or an expression alone.
  private mutating func relation() throws(Failure) -> MathObject {
    var left = MathObject.formula(try expression())
    while let sign, sign == "approx" || Self.kinds[sign] != nil {
      index += 1
      let right = MathObject.formula(try expression())
      if sign == "approx" {
        // What is only about as large is not looked at, but as what a variable is.
        left = left.isOnlySymbols ? right : left
      } else if let kind = Self.kinds[sign] {
        if case .relations(let chain) = left, let last = chain.last {
          left = .relations(chain + [MathRelation(kind: kind, left: last.right, right: right)])
        } else {
          left = .relations([MathRelation(kind: kind, left: left, right: right)])
        }
      }
    }
    return left
  }

  /// What may stand before `=` and `\in`: `x`, or `(x, y)`.
  mutating func variables() throws(Failure) -> MathObject {
    guard take("(") else { return .formula(try variable()) }
    var list = [MathObject.formula(try variable())]
    while take(",") { list.append(.formula(try variable())) }
    try need(")")
    return list.count == 1 ? list[0] : .tuple(list)
  }

  // MARK: Sets

  /// `x \in A \cup B`, or `A \cup B`.
  mutating func setRelation() throws(Failure) -> MathObject {
    let left = attempt { (reader) throws(Failure) in
      let left = try reader.variables()
      guard reader.take("in") || reader.take("=") else { throw Failure() }
      return left
    }
    guard let left else { return try difference() }
    let right = try deeper { (reader) throws(Failure) in try reader.setRelation() }
    return .relations([MathRelation(kind: .equal, left: left, right: right)])
  }

  private mutating func difference() throws(Failure) -> MathObject {
    var set = try union()
    while take("setminus") { set = .complement(set, try union()) }
    return set
  }

  private mutating func union() throws(Failure) -> MathObject {
    var set = try intersection()
    while take("cup") { set = .union(Self.set(set), Self.set(try intersection())) }
    return set
  }

  private mutating func intersection() throws(Failure) -> MathObject {
    var set = try setGroup()
    while take("cap") { set = .intersection(Self.set(set), Self.set(try setGroup())) }
    return set
  }

  /// A tuple among sets is a set.
  private static func set(_ object: MathObject) -> MathObject {
    if case .tuple(let parts) = object { .finiteSet(parts) } else { object }
  }

  private mutating func setGroup() throws(Failure) -> MathObject {
    let group = attempt { (reader) throws(Failure) in
      try reader.need("(")
      let set = try reader.deeper { (inner) throws(Failure) in try inner.difference() }
      try reader.need(")")
      return set
    }
    return if let group { group } else { try setAtom() }
  }

  mutating func readSetAtom() throws(Failure) -> MathObject {
    if let interval = attempt({ (reader) throws(Failure) in try reader.interval() }) {
      return interval
    }
    if case .numberSet(let set) = kind {
      index += 1
      return .numbers(set)
    }
    if take("empty") { return .empty }
    let braces: Void? = attempt { (reader) throws(Failure) in
      try reader.need("{")
      try reader.need("}")
    }
    if braces != nil { return .empty }
    if let tuple = attempt({ (reader) throws(Failure) in try reader.tuple() }) { return tuple }
    return try finiteSet()
  }

  private mutating func interval() throws(Failure) -> MathObject {
    guard let opening = sign, ["[", "(", "\\(", "lbrack", "lgroup"].contains(opening) else {
      throw Failure()
    }
    index += 1
    let lower = try expression()
    try need(",")
    let upper = try expression()
    guard let closing = sign, ["]", ")", "\\)", "rbrack", "rgroup"].contains(closing) else {
      throw Failure()
    }
    index += 1
    // No interval has ends that are not real.
    for end in [lower, upper] {
      if end.isMatrix || (end.symbols.isEmpty && !end.isNumber && end.realValue == nil) {
        throw Failure()
      }
    }
    return MathInterval(
      lower: lower, upper: upper, isLeftOpen: opening != "[" && opening != "lbrack",
      isRightOpen: closing != "]" && closing != "rbrack"
    ).object
  }

  private mutating func tuple() throws(Failure) -> MathObject {
    guard let closing = ["(": ")", "\\(": "\\)", "[": "]"][sign ?? ""] else { throw Failure() }
    index += 1
    let parts = try elements(relations: true)
    try need(closing)
    let flat = parts.flatMap { $0 }
    return flat.count == 1 ? flat[0] : .tuple(flat)
  }

  private mutating func finiteSet() throws(Failure) -> MathObject {
    if take("boxed") {
      try need("{")
      let parts = try elements(relations: true)
      try need("}")
      return Self.gathered(parts)
    }
    guard let closing = ["{": "}", "\\{": "\\}"][sign ?? ""] else { throw Failure() }
    index += 1
    let parts = try elements(relations: true)
    try need(closing)
    return .finiteSet(parts.flatMap { $0 })
  }
}
