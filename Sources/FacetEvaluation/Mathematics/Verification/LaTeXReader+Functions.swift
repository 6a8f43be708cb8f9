// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Variables, numbers and functions.
extension LaTeXReader {
  mutating func atom() throws(Failure) -> MathFormula {
    let token = tokens[min(index, tokens.count - 1)]
    switch token.kind {
    case .letter, .greek, .other, .accent: return try variable()
    case .number:
      index += 1
      // What is lowered after a number, a base it may be, says nothing.
      if sign == "_" { _ = try? subscriptText() }
      return try Self.number(token.text)
    case .exponentNumber:
      index += 1
      return try Self.number(token.text)
    case .capitalE:
      index += 1
      return symbol("e")
    case .differential:
      index += 1
      let name = PythonText.strip(String(token.text.dropFirst()))
      return symbol("d" + (name.hasPrefix("\\") ? String(name.dropFirst()) : name))
    case .sign("infinity"):
      index += 1
      return .constant(.infinity)
    default: throw Failure()
    }
  }

  private static func number(_ text: String) throws(Failure) -> MathFormula {
    guard let number = MathNumber(text: text) else { throw Failure() }
    return .number(number)
  }

  private func symbol(_ name: String) -> MathFormula {
    .symbol(MathFormula.Symbol(name: name, isReal: isReal))
  }

  /// A letter with what is raised and lowered after it.
  mutating func variable() throws(Failure) -> MathFormula {
    let token = tokens[min(index, tokens.count - 1)]
    guard [.letter, .greek, .other, .accent].contains(token.kind) else { throw Failure() }
    index += 1
    if token.kind == .letter, token.text == "I" { return .constant(.imaginary) }
    var lowered = sign == "_" ? try? subscriptText() : nil
    var raised: MathFormula?
    if sign == "^" {
      raised = attempt { (reader) throws(Failure) in
        try reader.need("^")
        return try reader.exponent()
      }
      if raised != nil, lowered == nil, sign == "_" { lowered = try? subscriptText() }
    }
    let name = token.kind == .accent ? Self.plain(accent: token.text) : token.text
    let base = named(name + (lowered ?? ""))
    return raised.map { .power(base, $0) } ?? base
  }

  /// The name of what has a mark or is set as text.
  private static func plain(accent text: String) -> String {
    let parts = PythonText.split(text, "{")
    var command = String(PythonText.strip(parts[0]).dropFirst())
    var inside = parts.dropFirst().joined(separator: "{")
    inside = PythonText.replace(String(inside.dropLast()), " ", "")
    switch command {
    case "bar", "overline": command = "bar"
    case "vec", "overrightarrow": command = "vec"
    case "tilde", "widetilde": command = "tilde"
    case _ where command.contains("text") || command == "mbox":
      return PythonText.replace(PythonText.replace(inside, "(", ""), ")", "")
    case _ where command.contains("math"): command = "math"
    default: break
    }
    return "\(command){\(inside)}"
  }

  /// A variable without regard to case, or the constant of that name.
  private func named(_ text: String) -> MathFormula {
    var name = PythonText.strip(text)
    name = LaTeXToken.greekNames[name] ?? (name.hasPrefix("\\") ? String(name.dropFirst()) : name)
    switch name {
    case "pi": return .constant(.pi)
    case "gamma", "Gamma": return .constant(.gamma)
    default: break
    }
    name = name.lowercased()
    return name == "pi" ? .constant(.pi) : name == "gamma" ? .constant(.gamma) : symbol(name)
  }

  /// `_1` and `_{n+1}` as they are in a name.
  mutating func subscriptText() throws(Failure) -> String {
    let start = index
    let found = attempt { (reader) throws(Failure) in
      try reader.need("_")
      return try reader.deeper { (inner) throws(Failure) in try inner.subscriptInside() }
    }
    guard let found else {
      index = start
      throw Failure()
    }
    let inside = PythonText.strip(found)
    return PythonText.count(inside) > 1 ? "_{\(inside)}" : "_\(inside)"
  }

  private mutating func subscriptInside() throws(Failure) -> String {
    let start = index
    if attempt({ (reader) throws(Failure) in try reader.atom() }) != nil {
      return written(from: start)
    }
    try need("{")
    let inside = index
    _ = try expression()
    while take(",") { _ = try expression() }
    let text = written(from: inside)
    try need("}")
    return text
  }

  // MARK: Functions

  mutating func function() throws(Failure) -> MathFormula {
    let token = tokens[min(index, tokens.count - 1)]
    switch token.kind {
    case .letter, .greek, .other, .accent: return try application()
    case .e:
      index += 1
      guard sign == "^" else { return .constant(.e) }
      let exponent = attempt { (reader) throws(Failure) in
        try reader.need("^")
        return try reader.exponent()
      }
      guard let exponent else { return .constant(.e) }
      return exponent == .whole(1) ? .constant(.e) : .function("exp", [exponent])
    case .function(let name):
      index += 1
      return try call(name)
    case .functionOfSeveral(let name):
      index += 1
      return try callOfSeveral(name)
    case .sign("operatorname"):
      index += 1
      try need("{")
      let name = tokens[min(index, tokens.count - 1)].text
      guard kind == .word else { throw Failure() }
      index += 1
      try need("}")
      if ["gcd", "lcm"].contains(name) { return try callOfSeveral(name) }
      guard name == "floor" || name == "ceil" || name.hasPrefix("ar") else { throw Failure() }
      return try call(name)
    default: throw Failure()
    }
  }

  /// What is raised and lowered between a function and its argument.
  private mutating func scripts() throws(Failure) -> (lowered: MathFormula?, raised: MathFormula?) {
    var (lowered, raised): (MathFormula?, MathFormula?)
    for _ in 0..<2 {
      if sign == "_", lowered == nil {
        index += 1
        lowered = try exponent()
      } else if sign == "^", raised == nil {
        index += 1
        raised = try exponent()
      }
    }
    return (lowered, raised)
  }

  /// `\sin x`, `\log_2 8`, `\cos^2(x)`.
  private mutating func call(_ name: String) throws(Failure) -> MathFormula {
    var (base, power) = try scripts()
    let inside = attempt { (reader) throws(Failure) in
      try reader.need("(")
      let inside = try reader.expression()
      try reader.need(")")
      return inside
    }
    let argument: MathFormula
    if let inside {
      argument = inside
    } else {
      argument = try deeper { (reader) throws(Failure) in try reader.product(functions: false) }
    }
    guard !argument.isMatrix else { throw Failure() }
    var own = name
    if name.hasPrefix("arc") { own = "a" + name.dropFirst(3) }
    if name.hasPrefix("ars") || name.hasPrefix("arcosh") || name.hasPrefix("art") {
      own = "a" + name.dropFirst(2)
    }
    let plain = ["sin", "cos", "tan", "csc", "sec", "cot", "sinh", "cosh", "tanh"]
    if plain.contains(name), power == .whole(-1) { (own, power) = ("a" + name, nil) }
    var term = MathFormula.function(own, [argument])
    if name == "log" || name == "ln" {
      if name == "log", base == nil { base = .whole(10) }
      term = base.map { .function("log", [argument, $0]) } ?? .function("ln", [argument])
    }
    if name == "gamma", case .number(let number) = argument, let whole = number.fraction,
      whole.below == 1, (1...20).contains(whole.above)
    {
      term = .whole((1..<whole.above).reduce(1, *))
    }
    return power.map { .power(term, $0) } ?? term
  }

  /// `\gcd(4, 6)` and `\max(1, 2)`.
  private mutating func callOfSeveral(_ name: String) throws(Failure) -> MathFormula {
    let (_, power) = try scripts()
    try need("(")
    var arguments = [try expression()]
    while take(",") { arguments.append(try expression()) }
    try need(")")
    guard !arguments.contains(where: \.isMatrix) else { throw Failure() }
    var term = MathFormula.function(name, arguments)
    if name == "gcd" || name == "lcm" {
      let numbers = arguments.compactMap { argument -> Int? in
        guard case .number(let number) = argument, let whole = number.fraction, whole.below == 1
        else { return nil }
        return whole.above
      }
      guard numbers.count == arguments.count, let found = Self.common(numbers, name) else {
        throw Failure()
      }
      // sympy keeps it as what it computed, which is no number by itself.
      term = .sum([.whole(found)])
    }
    return power.map { .power(term, $0) } ?? term
  }

  /// The greatest common divisor or the least common multiple.
  private static func common(_ numbers: [Int], _ name: String) -> Int? {
    var result = name == "gcd" ? 0 : 1
    for number in numbers {
      guard number != .min else { return nil }
      var (a, b) = (result, abs(number))
      if name == "lcm", a == 0 || b == 0 { return 0 }
      let (first, second) = (a, b)
      while b != 0 { (a, b) = (b, a % b) }
      if name == "gcd" {
        result = a
      } else {
        let (product, overflow) = (first / max(a, 1)).multipliedReportingOverflow(by: second)
        if overflow { return nil }
        result = product
      }
    }
    return result
  }

  /// `f(x)` and `f(1, 2)`; `f(x + 1)` is a product.
  private mutating func application() throws(Failure) -> MathFormula {
    let start = index
    index += 1
    if sign == "_" { _ = try? subscriptText() }
    let name = written(from: start)
    var power: MathFormula?
    if sign == "^" {
      index += 1
      power = try exponent()
    }
    let isWrapped = take("{")
    guard let closing = ["(": ")", "[": "]"][sign ?? ""] else { throw Failure() }
    index += 1
    let alone = attempt { (reader) throws(Failure) in
      let atom = try reader.atom()
      guard reader.sign == closing else { throw Failure() }
      return atom
    }
    var arguments: [MathFormula]
    if let alone {
      arguments = [alone]
    } else {
      arguments = [try expression()]
      try need(",")
      while sign != closing {
        arguments.append(try expression())
        if !take(",") { break }
      }
    }
    try need(closing)
    if isWrapped { try need("}") }
    let term = MathFormula.application(name, arguments)
    return power.map { .power(term, $0) } ?? term
  }

  /// `\sqrt[3]{x}`.
  mutating func root() throws(Failure) -> MathFormula {
    index += 1
    var order = MathFormula.whole(2)
    if take("[") {
      order = try expression()
      try need("]")
    }
    let inside = try inBraces()
    guard !inside.isMatrix, !order.isMatrix else { throw Failure() }
    return .power(inside, .whole(1) / order)
  }
}
