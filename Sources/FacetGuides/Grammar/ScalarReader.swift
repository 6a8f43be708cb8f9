// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Reads a pattern or a grammar scalar by scalar.
struct ScalarReader {
  let scalars: [Unicode.Scalar]
  var offset = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  var next: Unicode.Scalar? { peek(0) }

  func peek(_ distance: Int) -> Unicode.Scalar? {
    offset + distance < scalars.count ? scalars[offset + distance] : nil
  }

  /// Passes the next scalar when it is that one.
  mutating func pass(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    offset += 1
    return true
  }

  /// Passes `text` when it comes next.
  mutating func pass(_ text: String) -> Bool {
    for (index, scalar) in text.unicodeScalars.enumerated() where peek(index) != scalar {
      return false
    }
    offset += text.unicodeScalars.count
    return true
  }

  /// Passes digits and returns the number; nil where there is none, or a huge one.
  mutating func number() -> Int? {
    let start = offset
    var value = 0
    while let scalar = next, scalar.isASCII,
      let digit = scalar.properties.numericType.flatMap({ _ in Int(String(scalar)) })
    {
      guard value < 1_000_000_000_000 else { return nil }
      value = value * 10 + digit
      offset += 1
    }
    return offset > start ? value : nil
  }

  /// Passes exactly `count` hexadecimal digits; nil where there are not as many.
  mutating func hexadecimal(_ count: Int) -> UInt32? {
    var value: UInt32 = 0
    for index in 0..<count {
      guard let scalar = peek(index), scalar.isASCII,
        let digit = Character(scalar).hexDigitValue
      else { return nil }
      value = value << 4 | UInt32(digit)
    }
    offset += count
    return value
  }

  /// Line and column, counted from 1.
  var place: String {
    let before = scalars[..<min(offset, scalars.count)]
    let line = before.count { $0 == "\n" } + 1
    let start = before.lastIndex(of: "\n").map { $0 + 1 } ?? 0
    return "line \(line), column \(before.count - start + 1)"
  }
}
