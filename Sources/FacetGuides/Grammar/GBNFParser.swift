// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads GBNF, llama.cpp's form of grammars.
struct GBNFParser {
  private var reader: ScalarReader
  private var grammar = Grammar(rules: [], root: 0)
  private var numbers: [String: Int] = [:]
  private var isDefined: [Bool] = []
  /// Where each rule was first named.
  private var places: [String] = []

  /// Groups in groups at most.
  private static let mostDepth = 128

  /// The grammar of `text`, whose whole texts follow the rule `root`.
  static func parse(_ text: String) throws(GuideError) -> Grammar {
    var parser = GBNFParser(reader: ScalarReader(text))
    return try parser.parse()
  }

  private init(reader: ScalarReader) { self.reader = reader }

  private mutating func parse() throws(GuideError) -> Grammar {
    skipSpace(newlines: true)
    while reader.next != nil {
      try parseRule()
      skipSpace(newlines: true)
    }
    if let missing = isDefined.firstIndex(of: false) {
      throw GuideError(
        "The grammar names the rule '\(grammar.rules[missing].name)' at \(places[missing]), but has no "
          + "such rule. Add it, or correct the name.")
    }
    guard let root = numbers["root"] else {
      throw GuideError(
        "The grammar has no rule 'root', which says what a whole answer is. Add one."
      )
    }
    grammar.root = root
    return grammar
  }

  private func malformed(_ what: String) -> GuideError {
    GuideError("The grammar is malformed at \(reader.place): \(what).")
  }

  private mutating func skipSpace(newlines: Bool) {
    while let scalar = reader.next {
      if scalar == "#" {
        while let rest = reader.next, rest != "\n", rest != "\r" { reader.offset += 1 }
      } else if scalar == " " || scalar == "\t" || (newlines && (scalar == "\n" || scalar == "\r"))
      {
        reader.offset += 1
      } else {
        return
      }
    }
  }

  private static func isName(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
    default: false
    }
  }

  private mutating func name() throws(GuideError) -> String {
    var name = ""
    while let scalar = reader.next, Self.isName(scalar) {
      name.unicodeScalars.append(scalar)
      reader.offset += 1
    }
    guard !name.isEmpty else { throw malformed("the name of a rule is missing") }
    return name
  }

  private mutating func number(of name: String, at place: String) -> Int {
    if let number = numbers[name] { return number }
    let number = grammar.add(name, .nothing)
    numbers[name] = number
    isDefined.append(false)
    places.append(place)
    return number
  }

  private mutating func parseRule() throws(GuideError) {
    let place = reader.place
    let name = try name()
    skipSpace(newlines: false)
    guard reader.pass("::=") else { throw malformed("'::=' is missing after '\(name)'") }
    skipSpace(newlines: true)
    let rule = number(of: name, at: place)
    guard !isDefined[rule] else { throw malformed("the rule '\(name)' comes twice") }
    isDefined[rule] = true
    grammar.rules[rule].expression = try choice(depth: 0)
    guard reader.next == nil || reader.next == "\n" || reader.next == "\r" else {
      throw malformed("a rule must end with its line; put what goes on in brackets")
    }
  }

  private mutating func choice(depth: Int) throws(GuideError) -> GrammarExpression {
    guard depth < Self.mostDepth else { throw malformed("brackets are nested too deeply") }
    var parts = [try sequence(depth: depth)]
    while reader.pass("|") {
      skipSpace(newlines: true)
      parts.append(try sequence(depth: depth))
    }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence(depth: Int) throws(GuideError) -> GrammarExpression {
    var parts: [GrammarExpression] = []
    while let scalar = reader.next {
      let part: GrammarExpression
      switch scalar {
      case "\"": part = .bytes(try literal())
      case "[": part = .scalars(try scalarClass())
      case ".":
        reader.offset += 1
        part = .scalars(.all)
      case "(":
        reader.offset += 1
        skipSpace(newlines: true)
        part = try choice(depth: depth + 1)
        guard reader.pass(")") else { throw malformed("')' is missing") }
      case let scalar where Self.isName(scalar):
        let place = reader.place
        part = .rule(number(of: try name(), at: place))
      default: return .sequence(parts)
      }
      parts.append(try repeated(part))
      skipSpace(newlines: depth > 0)
    }
    return .sequence(parts)
  }
}

// MARK: - Parts

extension GBNFParser {
  private mutating func repeated(
    _ part: GrammarExpression
  ) throws(GuideError) -> GrammarExpression {
    var part = part
    while true {
      skipSpace(newlines: false)
      if reader.pass("*") {
        part = .repeated(part, min: 0, max: nil)
      } else if reader.pass("+") {
        part = .repeated(part, min: 1, max: nil)
      } else if reader.pass("?") {
        part = part.optional
      } else if reader.pass("{") {
        part = try bounded(part)
      } else {
        return part
      }
    }
  }

  private mutating func bounded(
    _ part: GrammarExpression
  ) throws(GuideError) -> GrammarExpression {
    skipSpace(newlines: false)
    guard let min = reader.number() else { throw malformed("a number is missing after '{'") }
    var max: Int? = min
    skipSpace(newlines: false)
    if reader.pass(",") {
      skipSpace(newlines: false)
      max = reader.number()
      skipSpace(newlines: false)
    }
    guard reader.pass("}") else { throw malformed("'}' is missing after the numbers") }
    if let max, max < min { throw malformed("{\(min),\(max)} has its numbers the wrong way round") }
    return .repeated(part, min: min, max: max)
  }

  private mutating func literal() throws(GuideError) -> [UInt8] {
    reader.offset += 1
    var text = String.UnicodeScalarView()
    while let scalar = reader.next, scalar != "\"" {
      guard scalar != "\n" else { break }
      text.append(try self.scalar())
    }
    guard reader.pass("\"") else { throw malformed("a text in quotation marks does not end") }
    return [UInt8](String(text).utf8)
  }

  private mutating func scalarClass() throws(GuideError) -> ScalarSet {
    reader.offset += 1
    let isNegated = reader.pass("^")
    var ranges: [ClosedRange<UInt32>] = []
    while let scalar = reader.next, scalar != "]" {
      guard scalar != "\n" else { break }
      let low = try self.scalar()
      var high = low
      if reader.next == "-", let after = reader.peek(1), after != "]" {
        reader.offset += 1
        high = try self.scalar()
      }
      guard low <= high else { throw malformed("the range \(low)-\(high) is the wrong way round") }
      ranges.append(low.value...high.value)
    }
    guard reader.pass("]") else { throw malformed("']' is missing") }
    let set = ScalarSet(ranges)
    return isNegated ? set.inverted : set
  }

  /// The next scalar of a text or a class, where an escape stands for one.
  private mutating func scalar() throws(GuideError) -> Unicode.Scalar {
    guard let scalar = reader.next else { throw malformed("a character is missing") }
    reader.offset += 1
    guard scalar == "\\" else { return scalar }
    guard let kind = reader.next else { throw malformed("a backslash has nothing after it") }
    reader.offset += 1
    switch kind {
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "\\", "\"", "[", "]": return kind
    case "x": return try escaped(2)
    case "u": return try escaped(4)
    case "U": return try escaped(8)
    default: throw malformed("the escape '\\\(kind)' is unknown")
    }
  }

  private mutating func escaped(_ digits: Int) throws(GuideError) -> Unicode.Scalar {
    guard let value = reader.hexadecimal(digits) else {
      throw malformed("an escape needs \(digits) hexadecimal digits")
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw malformed("U+\(String(value, radix: 16, uppercase: true)) is no character")
    }
    return scalar
  }
}
