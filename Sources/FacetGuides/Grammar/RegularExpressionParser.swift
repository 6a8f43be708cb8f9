// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads the common part of ECMA-262's regular expressions, as with its `u` flag.
struct RegularExpressionParser {
  private var reader: ScalarReader
  private let pattern: String

  /// Groups in groups at most.
  private static let mostDepth = 128

  /// The tree of `pattern`.
  static func parse(_ pattern: String) throws(GuideError) -> RegularExpression {
    var parser = RegularExpressionParser(pattern)
    let tree = try parser.choice(depth: 0)
    guard parser.reader.next == nil else { throw parser.malformed("a ')' has no '('") }
    return tree
  }

  private init(_ pattern: String) {
    self.pattern = pattern
    reader = ScalarReader(pattern)
  }

  private func malformed(_ what: String) -> GuideError {
    GuideError(
      "The regular expression '\(pattern)' is malformed at character \(reader.offset + 1): \(what)."
    )
  }

  private func unsupported(_ what: String) -> GuideError {
    GuideError(
      "The regular expression '\(pattern)' has \(what) at character \(reader.offset + 1), which guides "
        + "do not support. Write it without.")
  }

  private mutating func choice(depth: Int) throws(GuideError) -> RegularExpression {
    guard depth < Self.mostDepth else { throw malformed("groups are nested too deeply") }
    var parts = [try sequence(depth: depth)]
    while reader.pass("|") { parts.append(try sequence(depth: depth)) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence(depth: Int) throws(GuideError) -> RegularExpression {
    var parts: [RegularExpression] = []
    while let scalar = reader.next, scalar != "|", scalar != ")" {
      parts.append(try quantified(try term(depth: depth)))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func term(depth: Int) throws(GuideError) -> RegularExpression {
    guard let scalar = reader.next else { return .sequence([]) }
    switch scalar {
    case "^": reader.offset += 1; return .start
    case "$": reader.offset += 1; return .end
    case ".":
      reader.offset += 1
      return .scalars(ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]).inverted)
    case "[":
      reader.offset += 1
      return .scalars(try scalarClass())
    case "(": return try group(depth: depth)
    case "\\":
      reader.offset += 1
      return .scalars(try escape(inClass: false))
    case "*", "+", "?": throw malformed("there is nothing before '\(scalar)' to repeat")
    case "{" where isQuantifier: throw malformed("there is nothing before '{' to repeat")
    default:
      reader.offset += 1
      return .scalars(ScalarSet(scalar))
    }
  }

  private mutating func group(depth: Int) throws(GuideError) -> RegularExpression {
    for (mark, name) in [
      ("(?=", "a look-ahead"), ("(?!", "a negative look-ahead"), ("(?<=", "a look-behind"),
      ("(?<!", "a negative look-behind"),
    ] {
      var ahead = reader
      if ahead.pass(mark) { throw unsupported("\(name) '\(mark)…)'") }
    }
    if !reader.pass("(?:") {
      if reader.pass("(?<") {
        while let scalar = reader.next, scalar != ">" {
          guard scalar.properties.isIDContinue || scalar == "$" else {
            throw malformed("the name of a group is malformed")
          }
          reader.offset += 1
        }
        guard reader.pass(">") else { throw malformed("the name of a group does not end") }
      } else if reader.peek(1) == "?" {
        throw unsupported("a group of an unknown kind")
      } else {
        reader.offset += 1
      }
    }
    let tree = try choice(depth: depth + 1)
    guard reader.pass(")") else { throw malformed("')' is missing") }
    // In a group an anchor may be repeated.
    return tree == .start || tree == .end ? .sequence([tree]) : tree
  }
}

// MARK: - Quantifiers

extension RegularExpressionParser {
  /// Whether a '{' begins bounds; elsewhere it stands for itself.
  private var isQuantifier: Bool {
    var ahead = reader
    return ahead.pass("{") && ahead.number() != nil
      && (ahead.pass("}")
        || (ahead.pass(",") && (ahead.pass("}") || (ahead.number() != nil && ahead.pass("}")))))
  }

  private mutating func quantified(
    _ part: RegularExpression
  ) throws(GuideError) -> RegularExpression {
    var bounds: (min: Int, max: Int?)
    if reader.pass("*") {
      bounds = (0, nil)
    } else if reader.pass("+") {
      bounds = (1, nil)
    } else if reader.pass("?") {
      bounds = (0, 1)
    } else if reader.next == "{", isQuantifier {
      reader.offset += 1
      let min = reader.number() ?? 0
      bounds = (min, min)
      if reader.pass(",") { bounds.max = reader.number() }
      _ = reader.pass("}")
      if let max = bounds.max, max < min {
        throw malformed("{\(min),\(max)} has its numbers the wrong way round")
      }
    } else {
      return part
    }
    // Lazy or not, the same texts match.
    _ = reader.pass("?")
    if let scalar = reader.next, scalar == "*" || scalar == "+" || scalar == "?" {
      throw malformed("'\(scalar)' follows another quantifier")
    }
    guard part != .start, part != .end else { throw malformed("an anchor cannot be repeated") }
    return .repeated(part, min: bounds.min, max: bounds.max)
  }
}

// MARK: - Classes and escapes

extension RegularExpressionParser {
  private static let digits = ScalarSet([0x30...0x39])
  private static let wordScalars = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  private static let spaces = ScalarSet([
    0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
    0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ])

  private mutating func scalarClass() throws(GuideError) -> ScalarSet {
    let isNegated = reader.pass("^")
    var set = ScalarSet([])
    while let scalar = reader.next, scalar != "]" {
      let low = try classAtom()
      if reader.next == "-", let after = reader.peek(1), after != "]" {
        reader.offset += 1
        let high = try classAtom()
        guard let from = low.only, let to = high.only else {
          throw malformed("a range needs one character on either side")
        }
        guard from <= to else { throw malformed("a range is the wrong way round") }
        set = set.union(ScalarSet([from...to]))
      } else {
        set = set.union(low)
      }
    }
    guard reader.pass("]") else { throw malformed("']' is missing") }
    return isNegated ? set.inverted : set
  }

  private mutating func classAtom() throws(GuideError) -> ScalarSet {
    guard let scalar = reader.next else { throw malformed("']' is missing") }
    reader.offset += 1
    return scalar == "\\" ? try escape(inClass: true) : ScalarSet(scalar)
  }

  /// What a backslash, which has been passed, introduces.
  private mutating func escape(inClass: Bool) throws(GuideError) -> ScalarSet {
    guard let kind = reader.next else { throw malformed("a backslash has nothing after it") }
    switch kind {
    case "1"..."9": throw unsupported("the back reference '\\\(kind)'")
    case "k": throw unsupported("the named back reference '\\k'")
    case "p", "P": throw unsupported("the Unicode property '\\\(kind)'")
    case "b" where !inClass, "B": throw unsupported("the word boundary '\\\(kind)'")
    default: reader.offset += 1
    }
    switch kind {
    case "d": return Self.digits
    case "D": return Self.digits.inverted
    case "w": return Self.wordScalars
    case "W": return Self.wordScalars.inverted
    case "s": return Self.spaces
    case "S": return Self.spaces.inverted
    case "n": return ScalarSet("\n")
    case "r": return ScalarSet("\r")
    case "t": return ScalarSet("\t")
    case "f": return ScalarSet("\u{0C}")
    case "v": return ScalarSet("\u{0B}")
    case "b": return ScalarSet("\u{08}")
    case "0": return ScalarSet("\u{00}")
    case "c":
      guard let letter = reader.next, letter.isASCII, letter.properties.isAlphabetic else {
        throw malformed("'\\c' needs a letter")
      }
      reader.offset += 1
      return ScalarSet([letter.value % 32...letter.value % 32])
    case "x", "u": return try hexadecimal(kind)
    default:
      guard !kind.properties.isAlphabetic, !kind.properties.isIDContinue || kind == "_" else {
        throw malformed("the escape '\\\(kind)' is unknown")
      }
      return ScalarSet(kind)
    }
  }

  private mutating func hexadecimal(_ kind: Unicode.Scalar) throws(GuideError) -> ScalarSet {
    var value: UInt32?
    if kind == "x" {
      value = reader.hexadecimal(2)
    } else if reader.pass("{") {
      value = 0
      while let digit = reader.hexadecimal(1), let sum = value, sum <= 0x10FFFF {
        value = sum << 4 | digit
      }
      if !reader.pass("}") { value = nil }
    } else {
      value = reader.hexadecimal(4)
      var ahead = reader
      if let high = value, (0xD800..<0xDC00).contains(high), ahead.pass("\\u"),
        let low = ahead.hexadecimal(4), (0xDC00..<0xE000).contains(low)
      {
        reader = ahead
        value = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
      }
    }
    guard let value, let scalar = Unicode.Scalar(value) else {
      throw malformed("'\\\(kind)' needs the number of a character in hexadecimal")
    }
    return ScalarSet(scalar)
  }
}

extension ScalarSet {
  /// The scalar of a set of one.
  fileprivate var only: UInt32? {
    ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil
  }
}
