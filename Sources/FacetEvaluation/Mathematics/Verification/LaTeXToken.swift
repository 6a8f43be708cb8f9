// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A piece of an expression in LaTeX, as the grammar of latex2sympy2_extended cuts it.
struct LaTeXToken: Sendable, Equatable {
  var kind: Kind
  /// As it is written, without spaces before and after.
  var text: String

  enum Kind: Sendable, Equatable {
    /// What stands between things or around them, by one name for all ways to write it.
    case sign(String)
    case number, exponentNumber, percentNumber
    case letter, greek, other, accent, differential
    case e, capitalE
    /// A function of one argument, and one of several.
    case function(String), functionOfSeveral(String)
    /// A name within `\operatorname{…}`; anywhere else it spells no variables.
    case word
    case numberSet(MathObject.NumberSet)
    case end
  }
}

extension LaTeXToken {
  /// The pieces of `text`; nil where something is none, or there are more than anybody writes.
  static func split(_ text: String, most: Int = 2000) -> [LaTeXToken]? {
    let scalars = Array(text.unicodeScalars)
    var tokens: [LaTeXToken] = []
    var index = 0
    while index < scalars.count {
      if " \t\r\n".unicodeScalars.contains(scalars[index]) {
        index += 1
        continue
      }
      guard let (kind, length) = longest(scalars[index...]), length > 0, tokens.count < most else {
        return nil
      }
      if let kind {
        let written = String(String.UnicodeScalarView(scalars[index..<index + length]))
        tokens.append(LaTeXToken(kind: kind, text: PythonText.strip(written)))
      }
      index += length
    }
    return tokens + [LaTeXToken(kind: .end, text: "")]
  }

  /// The longest piece that `rest` begins with, and what it is; no kind where it says nothing.
  private static func longest(_ rest: ArraySlice<Unicode.Scalar>) -> (kind: Kind?, length: Int)? {
    var best: (kind: Kind?, length: Int)?
    func take(_ kind: Kind?, _ length: Int?) {
      if let length, length > best?.length ?? 0 { best = (kind, length) }
    }
    for length in stride(from: min(longestLiteral, rest.count), to: 0, by: -1) {
      let written = String(String.UnicodeScalarView(rest.prefix(length)))
      if let kind = literals[written] {
        take(kind, length)
        break
      }
      if skipped.contains(written) {
        take(nil, length)
        break
      }
    }
    let number = numberLength(rest)
    take(.number, number)
    if let number {
      let after = rest.dropFirst(number)
      take(.exponentNumber, exponentLength(after).map { number + $0 })
      take(.percentNumber, percentLength(after).map { number + $0 })
    }
    take(.differential, differentialLength(rest))
    take(.accent, accentLength(rest))
    take(.sign("array"), arrayLength(rest))
    guard let first = rest.first else { return best }
    if isLetter(first) { take(first == "e" ? .e : first == "E" ? .capitalE : .letter, 1) }
    // A Greek letter takes a space with it, and thereby wins over the function of that name.
    if let (kind, length) = best, length == 6, rest.dropFirst(6).first == " ",
      kind == .function("gamma")
    {
      best = (.greek, 7)
    }
    return best
  }

  // MARK: Pieces with a form of their own

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && scalar.properties.isAlphabetic
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    " \t\r\n".unicodeScalars.contains(scalar)
  }

  private static func numberLength(_ rest: ArraySlice<Unicode.Scalar>) -> Int? {
    let whole = rest.prefix(while: isDigit).count
    let after = rest.dropFirst(whole)
    if after.first == "." {
      let places = after.dropFirst().prefix(while: isDigit).count
      if places > 0 { return whole + 1 + places }
    }
    return whole > 0 ? whole : nil
  }

  private static func exponentLength(_ rest: ArraySlice<Unicode.Scalar>) -> Int? {
    guard rest.first == "E" else { return nil }
    let signs = rest.dropFirst().prefix(1).filter { $0 == "+" || $0 == "-" }.count
    let digits = rest.dropFirst(1 + signs).prefix(while: isDigit).count
    return digits > 0 ? 1 + signs + digits : nil
  }

  private static func percentLength(_ rest: ArraySlice<Unicode.Scalar>) -> Int? {
    let spaces = rest.first.map(isSpace) == true ? 1 : 0
    let after = rest.dropFirst(spaces)
    if after.first == "%" { return spaces + 1 }
    return after.starts(with: ["\\", "%"]) ? spaces + 2 : nil
  }

  /// `dx`, `d x` and `d\theta`.
  private static func differentialLength(_ rest: ArraySlice<Unicode.Scalar>) -> Int? {
    guard rest.first == "d" else { return nil }
    let spaces = rest.dropFirst().prefix(while: isSpace).count
    let after = rest.dropFirst(1 + spaces)
    guard let next = after.first else { return nil }
    if isLetter(next) { return 2 + spaces }
    let letters = next == "\\" ? after.dropFirst().prefix(while: isLetter).count : 0
    return letters > 0 ? 2 + spaces + letters : nil
  }

  /// `\text{…}`, `\overline{…}` and their like, to the first brace that closes.
  private static func accentLength(_ rest: ArraySlice<Unicode.Scalar>) -> Int? {
    guard rest.first == "\\" else { return nil }
    let letters = rest.dropFirst().prefix(while: isLetter)
    guard accents.contains(String(String.UnicodeScalarView(letters))) else { return nil }
    var after = rest[letters.endIndex...]
    if let space = after.first, isSpace(space) { after = after.dropFirst() }
    guard after.first == "{", let end = after.firstIndex(of: "}") else { return nil }
    return end + 1 - rest.startIndex
  }

  /// `\begin{array}{cc}`.
  private static func arrayLength(_ rest: ArraySlice<Unicode.Scalar>) -> Int? {
    let start = Array("\\begin{array}{".unicodeScalars)
    guard rest.starts(with: start) else { return nil }
    let columns = rest.dropFirst(start.count).prefix { "clr".unicodeScalars.contains($0) }.count
    let length = start.count + columns
    return rest.dropFirst(length).first == "}" ? length + 1 : nil
  }
}
