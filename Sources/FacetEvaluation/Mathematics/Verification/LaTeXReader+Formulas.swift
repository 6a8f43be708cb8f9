// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Sums, products and powers.
extension LaTeXReader {
  mutating func readSum() throws(Failure) -> MathFormula {
    var sum = try product(functions: true)
    while true {
      if take("+") {
        sum = try Self.some(.sum(sum, try product(functions: true)))
      } else if take("-") {
        sum = try Self.some(.sum(sum, -(try product(functions: true))))
      } else {
        return sum
      }
    }
  }

  static func some(_ formula: MathFormula?) throws(Failure) -> MathFormula {
    guard let formula else { throw Failure() }
    return formula
  }

  /// Factors with signs between them; what follows a function without parentheses has no second function.
  mutating func product(functions: Bool) throws(Failure) -> MathFormula {
    var product = try unary(functions: functions)
    while true {
      if take("*") {
        product = try Self.some(.product(product, try unary(functions: functions)))
      } else if take("/") || take(":") {
        product = try Self.some(.quotient(product, try unary(functions: functions)))
      } else if take("mod") {
        product = .function("mod", [product, try unary(functions: functions)])
      } else {
        return product
      }
    }
  }

  private mutating func unary(functions: Bool) throws(Failure) -> MathFormula {
    var isNegative = false
    while true {
      if take("-") { isNegative.toggle() } else if !take("+") { break }
    }
    let term = try factors(functions: functions)
    return isNegative ? -term : term
  }

  /// Factors side by side; a fraction after a whole number is added to it: `3\frac12`.
  private mutating func factors(functions: Bool) throws(Failure) -> MathFormula {
    var list = [try postfix(functions: true)]
    while kind != .end,
      let next = attempt({ (reader) throws(Failure) in try reader.postfix(functions: functions) })
    {
      list.append(next)
    }
    var product = list.removeLast()
    while let factor = list.popLast() {
      if case .number(let whole) = factor, case .number(let part) = product, whole.isWhole,
        !part.isDecimal, part.value > 0
      {
        let sum = whole.value < 0 ? whole.negated.adding(part).negated : whole.adding(part)
        product = .number(sum)
      } else {
        product = try Self.some(.product(factor, product))
      }
    }
    return product
  }

  /// With what follows it: factorials, degrees, transposition.
  private mutating func postfix(functions: Bool) throws(Failure) -> MathFormula {
    var term = try power(functions: functions)
    var count = 0
    while count < 40 {
      if take("!") {
        term = .function("factorial", [term])
      } else if take("transpose") {
        if case .matrix(let rows) = term { term = .matrix(Self.transposed(rows)) }
      } else if !take("degree") {
        break
      }
      count += 1
    }
    return term
  }

  private static func transposed(_ rows: [[MathFormula]]) -> [[MathFormula]] {
    guard let width = rows.first?.count, rows.allSatisfy({ $0.count == width }) else { return rows }
    return (0..<width).map { column in rows.map { $0[column] } }
  }

  private mutating func power(functions: Bool) throws(Failure) -> MathFormula {
    var base = try component(functions: functions)
    var count = 0
    while sign == "^", count < 40 {
      let exponent = attempt { (reader) throws(Failure) in
        try reader.need("^")
        return try reader.exponent()
      }
      guard let exponent else { break }
      // A power of a matrix is not computed.
      guard !base.isMatrix else { throw Failure() }
      if sign == "_" { _ = try? subscriptText() }
      base = .power(base, exponent)
      count += 1
    }
    return base
  }

  /// What is raised: one piece, or several in braces.
  mutating func exponent() throws(Failure) -> MathFormula {
    let piece = try deeper { (reader) throws(Failure) in
      let atom = reader.attempt { (inner) throws(Failure) in try inner.atom() }
      return if let atom { atom } else { try reader.inBraces() }
    }
    guard !piece.isMatrix else { throw Failure() }
    return piece
  }

  mutating func inBraces() throws(Failure) -> MathFormula {
    try need("{")
    let formula = try expression()
    try need("}")
    return formula
  }

  // MARK: What stands alone

  private static let groups = [
    "(": ")", "lgroup": "rgroup", "{": "}", "[": "]", "\\{": "\\}", "lbrace": "rbrace",
    "lbrack": "rbrack",
  ]
  private static let wrappings = [
    "|": ("|", "abs"), "lvert": ("rvert", "abs"), "vert": ("vert", "abs"),
    "lfloor": ("rfloor", "floor"), "llcorner": ("lrcorner", "floor"), "lceil": ("rceil", "ceil"),
    "ulcorner": ("urcorner", "ceil"),
  ]

  private mutating func component(functions: Bool) throws(Failure) -> MathFormula {
    guard let sign else {
      if functions, let call = attempt({ (reader) throws(Failure) in try reader.function() }) {
        return call
      }
      return try atom()
    }
    if let closing = Self.groups[sign] { return try group(sign, closing) }
    if let (closing, name) = Self.wrappings[sign] {
      index += 1
      let inside = try expression()
      try need(closing)
      guard !inside.isMatrix else { throw Failure() }
      return .function(name, [inside])
    }
    switch sign {
    case "phantom", "boxed":
      index += 1
      return try inBraces()
    case "frac":
      index += 1
      return try fraction()
    case "binom":
      index += 1
      let above = try inBraces()
      return Self.binomial(above, try inBraces())
    case "matrix": return .matrix(try matrix(to: "endmatrix"))
    case "array": return .matrix(try matrix(to: "endarray"))
    case "det": return try Self.some(.determinant(try matrix(to: "enddet")))
    case "sqrt" where functions: return try root()
    case "operatorname" where functions: return try function()
    default: return try atom()
    }
  }

  private mutating func group(_ opening: String, _ closing: String) throws(Failure) -> MathFormula {
    let start = index
    index += 1
    let inside = try expression()
    if take(closing) { return inside }
    // `{n \choose k}`.
    guard opening == "{", take("choose") else {
      index = start
      throw Failure()
    }
    let below = try expression()
    try need("}")
    return Self.binomial(inside, below)
  }

  private mutating func fraction() throws(Failure) -> MathFormula {
    let above = try inBraces()
    let start = index
    let below = try inBraces()
    // `\frac{dy}{dx}` is a derivative, of which nothing is known here.
    if index - start == 3, tokens[start + 1].kind == .differential,
      start >= 2, tokens[start - 2].kind == .differential || tokens[start - 2].text == "d"
    {
      throw Failure()
    }
    return try Self.some(.quotient(above, below))
  }

  /// A number where both are whole, as sympy computes it at once.
  private static func binomial(_ above: MathFormula, _ below: MathFormula) -> MathFormula {
    let formula = MathFormula.function("binom", [above, below])
    guard case .number(let n) = above, case .number(let k) = below, n.isWhole, k.isWhole,
      n.value >= 0, k.value >= 0, n.value <= 60, n.value == n.value.rounded(),
      k.value == k.value.rounded()
    else { return formula }
    if k.value > n.value { return .whole(0) }
    var result = 1
    for step in 0..<Int(k.value) {
      let (product, overflow) = result.multipliedReportingOverflow(by: Int(n.value) - step)
      if overflow { return formula }
      result = product / (step + 1)
    }
    return .whole(result)
  }

  private mutating func matrix(to end: String) throws(Failure) -> [[MathFormula]] {
    index += 1
    var rows: [[MathFormula]] = []
    repeat {
      if sign == end, !rows.isEmpty { break }
      var row = [try expression()]
      while take("&") { row.append(try expression()) }
      rows.append(row)
    } while take("\\\\")
    try need(end)
    guard rows.allSatisfy({ $0.count == rows[0].count && !$0.contains(where: \.isMatrix) }) else {
      throw Failure()
    }
    return rows
  }
}
