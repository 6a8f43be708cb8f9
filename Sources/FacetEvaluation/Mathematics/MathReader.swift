// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads an expression in LaTeX as sympy's `parse_latex` does: the longest beginning that is one, so `0,1`
/// is 0; pairs, intervals, matrices and relations are none.
struct MathReader {
  /// The text is no expression.
  struct Failure: Error {}

  /// A piece of the text.
  private enum Piece: Equatable {
    case number(Double)
    case letter(String)
    case command(String)
    case sign(Character)
    case end
  }

  private var pieces: [Piece] = []
  private var index = 0
  /// Where something stood that cannot be read.
  private var isBroken = false

  private static let skipped: Set<String> = [
    "left", "right", "quad", "qquad", ",", ";", ":", "!", " ", "-", "displaystyle", "thinspace",
  ]
  private static let functions: Set<String> = [
    "exp", "ln", "log", "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan",
    "sinh", "cosh", "tanh",
  ]
  private static let unread: Set<String> = [
    "int", "sum", "prod", "lim", "le", "leq", "ge", "geq", "neq", "lt", "gt", "langle", "rangle",
    "rfloor", "rceil",
  ]

  init(_ text: String) { split(Array(text)) }

  private mutating func split(_ text: [Character]) {
    var at = 0
    var written = ""
    func isLetter(_ character: Character) -> Bool { character.isASCII && character.isLetter }
    func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }
    while at < text.count {
      let character = text[at]
      at += 1
      if character.isWhitespace { continue }
      if character == "\\" {
        let name = text[at...].prefix(while: isLetter)
        let word = name.isEmpty ? String(text[at...].prefix(1)) : String(name)
        at += word.count
        let isKnown = !name.isEmpty || Self.skipped.contains(word) || "{}".contains(word)
        if !isKnown || word.isEmpty { return breakOff() }
        if word == "{" || word == "}" {
          pieces.append(.sign(Character(word)))
        } else if !Self.skipped.contains(word) {
          pieces.append(.command(word))
        }
      } else if isDigit(character) {
        let digits = Self.number(text, from: at - 1)
        let own = digits.filter { $0 != "," }
        at += digits.count - 1
        // Digits with nothing but space between them are one number.
        if case .number = pieces.last { pieces.removeLast() } else { written = "" }
        written += own
        pieces.append(.number(Double(written) ?? .nan))
      } else if isLetter(character) {
        // A `d` before a letter is a differential, and one name.
        if character == "d", at < text.count, isLetter(text[at]) {
          pieces.append(.letter("d\(text[at])"))
          at += 1
        } else {
          pieces.append(.letter(String(character)))
        }
      } else if "+-*/^_(){}[]|!:,=<>'".contains(character) {
        pieces.append(.sign(character))
      } else {
        return breakOff()
      }
    }
    pieces.append(.end)
  }

  /// Digits, groups of three after commas, and a fraction.
  private static func number(_ text: [Character], from start: Int) -> String {
    func digits(_ from: Int) -> Int { text[from...].prefix { $0.isASCII && $0.isNumber }.count }
    var end = start + digits(start)
    while end + 3 < text.count, text[end] == ",", digits(end + 1) >= 3 { end += 4 }
    if end + 1 < text.count, text[end] == ".", digits(end + 1) > 0 { end += 1 + digits(end + 1) }
    return String(text[start..<end])
  }

  private mutating func breakOff() {
    isBroken = true
    pieces.append(.end)
  }

  private var piece: Piece { pieces[min(index, pieces.count - 1)] }

  private mutating func take(_ character: Character) -> Bool {
    guard piece == .sign(character) else { return false }
    index += 1
    return true
  }

  private mutating func need(_ character: Character) throws(Failure) {
    guard take(character) else { throw Failure() }
  }

  /// The expression that the text begins with.
  mutating func read() throws(Failure) -> MathTerm {
    let term = try sum(depth: 0)
    // What stops an expression must at least be a word of the language; and a relation is no value.
    if piece == .end, isBroken { throw Failure() }
    if [.sign("="), .sign("<"), .sign(">")].contains(piece) { throw Failure() }
    if case .command(let word) = piece, Self.unread.contains(word) { throw Failure() }
    return term
  }

  private mutating func sum(depth: Int) throws(Failure) -> MathTerm {
    guard depth < 100 else { throw Failure() }
    var term = try product(depth: depth)
    while true {
      if take("+") {
        term = .sum(term, try product(depth: depth))
      } else if take("-") {
        term = .sum(term, .negative(try product(depth: depth)))
      } else {
        return term
      }
    }
  }

  private mutating func product(depth: Int) throws(Failure) -> MathTerm {
    var term = try unary(depth: depth)
    while true {
      if take("*") || takeCommand(["cdot", "times"]) {
        term = .product(term, try unary(depth: depth))
      } else if take("/") || take(":") || takeCommand(["div"]) {
        term = .quotient(term, try unary(depth: depth))
      } else {
        return term
      }
    }
  }

  private mutating func takeCommand(_ names: [String]) -> Bool {
    guard case .command(let word) = piece, names.contains(word) else { return false }
    index += 1
    return true
  }

  private mutating func unary(depth: Int) throws(Failure) -> MathTerm {
    var isNegative = false
    while true {
      if take("-") { isNegative.toggle() } else if !take("+") { break }
    }
    let term = try factors(depth: depth, functions: true)
    return isNegative ? .negative(term) : term
  }

  /// Factors that stand side by side.
  private mutating func factors(depth: Int, functions: Bool) throws(Failure) -> MathTerm {
    var term = try factor(depth: depth)
    while begins(functions: functions) { term = .product(term, try factor(depth: depth)) }
    return term
  }

  /// Whether a factor begins here.
  private func begins(functions: Bool) -> Bool {
    switch piece {
    case .number, .letter: true
    case .sign(let character): "({[".contains(character)
    case .command(let word):
      !["cdot", "times", "div"].contains(word) && !Self.unread.contains(word)
        && (functions || !Self.functions.contains(word))
    case .end: false
    }
  }

  private mutating func factor(depth: Int) throws(Failure) -> MathTerm {
    var term = try atom(depth: depth)
    while true {
      if take("^") {
        term = .power(term, try script(depth: depth))
      } else if take("!") {
        term = .factorial(term)
      } else {
        return term
      }
    }
  }

  /// What is raised or lowered: one piece, or several in braces.
  private mutating func script(depth: Int) throws(Failure) -> MathTerm {
    if take("{") {
      let term = try sum(depth: depth + 1)
      try need("}")
      return term
    }
    return try atom(depth: depth + 1)
  }

  private mutating func atom(depth: Int) throws(Failure) -> MathTerm {
    guard depth < 100 else { throw Failure() }
    let piece = piece
    index += 1
    switch piece {
    case .number(let number): return .number(number)
    case .letter(let name): return try named(name, depth: depth)
    case .command(let name): return try command(name, depth: depth)
    case .sign(let character):
      let ends: [Character: Character] = ["(": ")", "{": "}", "[": "]", "|": "|"]
      guard let end = ends[character] else { throw Failure() }
      let term = try sum(depth: depth + 1)
      try need(end)
      return character == "|" ? .function("abs", [term]) : term
    case .end: throw Failure()
    }
  }

  /// A variable with its index, or a function of that name where arguments follow.
  private mutating func named(_ name: String, depth: Int) throws(Failure) -> MathTerm {
    var name = name
    if take("_") {
      let start = index
      _ = try script(depth: depth)
      name += "_\(pieces[start..<min(index, pieces.count)])"
    }
    while take("'") { name += "'" }
    guard take("(") else { return .variable(name) }
    var arguments = [try sum(depth: depth + 1)]
    while take(",") { arguments.append(try sum(depth: depth + 1)) }
    try need(")")
    return .function(name, arguments)
  }

  private mutating func command(_ name: String, depth: Int) throws(Failure) -> MathTerm {
    switch name {
    case "pi": return .number(.pi)
    case "infty": return .number(.infinity)
    case "frac", "dfrac", "tfrac":
      let above = try part(depth: depth)
      return .quotient(above, try part(depth: depth))
    case "binom", "dbinom", "tbinom":
      let above = try part(depth: depth)
      return .function("binom", [above, try part(depth: depth)])
    case "sqrt":
      var root = MathTerm.number(2)
      if take("[") {
        root = try sum(depth: depth + 1)
        try need("]")
      }
      return .power(try part(depth: depth), .quotient(.number(1), root))
    case "lfloor": return try between("floor", "rfloor", depth: depth)
    case "lceil": return try between("ceil", "rceil", depth: depth)
    case _ where Self.functions.contains(name): return try function(name, depth: depth)
    case _ where Self.unread.contains(name): throw Failure()
    default: return try named("\\" + name, depth: depth)
    }
  }

  /// An argument in braces, or one digit.
  private mutating func part(depth: Int) throws(Failure) -> MathTerm {
    if case .number(let number) = piece, number < 10 {
      index += 1
      return .number(number)
    }
    guard piece == .sign("{") else { throw Failure() }
    return try script(depth: depth + 1)
  }

  private mutating func between(
    _ function: String, _ end: String, depth: Int
  ) throws(Failure) -> MathTerm {
    let term = try sum(depth: depth + 1)
    guard takeCommand([end]) else { throw Failure() }
    return .function(function, [term])
  }

  /// `\sin x`, `\log_2 8`, `\cos^2(x)`.
  private mutating func function(_ name: String, depth: Int) throws(Failure) -> MathTerm {
    var base: MathTerm?
    var power: MathTerm?
    while true {
      if take("_") {
        base = try script(depth: depth)
      } else if take("^") {
        power = try script(depth: depth)
      } else {
        break
      }
    }
    let argument: MathTerm
    if take("(") {
      argument = try sum(depth: depth + 1)
      try need(")")
    } else {
      argument = try factors(depth: depth + 1, functions: false)
    }
    let isLogarithm = name == "log"
    let term = MathTerm.function(
      name, isLogarithm ? [argument, base ?? .number(10)] : [argument])
    guard let power else { return term }
    return .power(term, power)
  }
}
