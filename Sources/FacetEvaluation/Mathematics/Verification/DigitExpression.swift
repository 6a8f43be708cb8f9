// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A sum or product of numbers in digits, as Python reads it: `3*(4+1)`, `2^3`, `1/2`.
struct DigitExpression {
  private struct Failure: Error {}

  private enum Piece: Equatable {
    case number(MathNumber)
    case sign(String)
  }

  private var pieces: [Piece] = []
  private var index = 0

  /// The value of `text`; nil where it is no such expression.
  static func read(_ text: String) -> MathFormula? {
    var reader = DigitExpression()
    guard !text.isEmpty, reader.split(text), let formula = try? reader.sum(depth: 0),
      reader.index == reader.pieces.count
    else { return nil }
    return formula
  }

  private mutating func split(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || byte == 0x2e }
    while let byte = rest.first {
      guard pieces.count < 1000 else { return false }
      if isDigit(byte) {
        let digits = rest.prefix(while: isDigit)
        rest = rest[digits.endIndex...]
        let written = String(decoding: digits, as: UTF8.self)
        // Python takes no zeros before a whole number.
        let isOctal = written.count > 1 && written.hasPrefix("0") && !written.contains(".")
        guard !isOctal || written.allSatisfy({ $0 == "0" }),
          let number = MathNumber(text: written.hasSuffix(".") ? written + "0" : written)
        else { return false }
        pieces.append(.number(number))
      } else if " \t\n\r".utf8.contains(byte) {
        rest = rest.dropFirst()
      } else if rest.starts(with: "**".utf8) {
        pieces.append(.sign("^"))
        rest = rest.dropFirst(2)
      } else if "+-*/^()".utf8.contains(byte) {
        pieces.append(.sign(String(decoding: [byte], as: UTF8.self)))
        rest = rest.dropFirst()
      } else {
        return false
      }
    }
    return true
  }

  private mutating func take(_ sign: String) -> Bool {
    guard index < pieces.count, pieces[index] == .sign(sign) else { return false }
    index += 1
    return true
  }

  private mutating func sum(depth: Int) throws(Failure) -> MathFormula {
    guard depth < 40 else { throw Failure() }
    var sum = try product(depth: depth)
    while true {
      if take("+") {
        sum = sum + (try product(depth: depth))
      } else if take("-") {
        sum = sum - (try product(depth: depth))
      } else {
        return sum
      }
    }
  }

  private mutating func product(depth: Int) throws(Failure) -> MathFormula {
    var product = try signed(depth: depth)
    while true {
      if take("*") {
        product = product * (try signed(depth: depth))
      } else if take("/") {
        // Kept as it stands, a fraction is no number for sympy before it is compared.
        product = product * .power(try signed(depth: depth), .whole(-1))
      } else {
        return product
      }
    }
  }

  private mutating func signed(depth: Int) throws(Failure) -> MathFormula {
    var isNegative = false
    while true {
      if take("-") { isNegative.toggle() } else if !take("+") { break }
    }
    let base = try atom(depth: depth)
    guard take("^") else { return isNegative ? -base : base }
    guard depth < 40 else { throw Failure() }
    let power = MathFormula.power(base, try signed(depth: depth + 1))
    return isNegative ? -power : power
  }

  private mutating func atom(depth: Int) throws(Failure) -> MathFormula {
    guard index < pieces.count else { throw Failure() }
    if take("(") {
      let inside = try sum(depth: depth + 1)
      guard take(")") else { throw Failure() }
      return inside
    }
    guard case .number(let number) = pieces[index] else { throw Failure() }
    index += 1
    return .number(number)
  }
}
