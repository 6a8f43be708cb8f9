// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How byte-level BPE cuts a text into words before it merges; no merge crosses a word.
public enum WordSplitter: String, Sendable, CaseIterable {
  /// GPT-2's pattern:
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
  case gpt2
  /// SmolLM's: each numeric character alone, the rest as GPT-2.
  case smolLM

  /// The kinds of character that the pattern tells apart.
  private enum Class { case letter, number, space, other }

  /// The end of the word that begins at `start`; `text[start..<end]` is not empty.
  func wordEnd(_ text: [UInt8], from start: Int, to end: Int) -> Int {
    let (first, afterFirst) = Self.character(text, start, end)
    if self == .smolLM && first == .number { return afterFirst }
    if text[start] == 0x27, let end = Self.contraction(text, start, end) { return end }
    if first != .space { return run(of: first, text, afterFirst, end) }
    if text[start] == 0x20 && afterFirst < end {
      let (second, afterSecond) = Self.character(text, afterFirst, end)
      if second == .number && self == .smolLM { return afterFirst }
      if second != .space { return run(of: second, text, afterSecond, end) }
    }
    return whitespaceEnd(text, start, end)
  }

  private func run(of kind: Class, _ text: [UInt8], _ start: Int, _ end: Int) -> Int {
    var index = start
    while index < end {
      let (next, after) = Self.character(text, index, end)
      guard next == kind else { break }
      index = after
    }
    return index
  }

  /// `\s+(?!\S)|\s+`: white space up to the last character before a word, which may take a space.
  private func whitespaceEnd(_ text: [UInt8], _ start: Int, _ end: Int) -> Int {
    var index = start
    var last = start
    while index < end {
      let (next, after) = Self.character(text, index, end)
      guard next == .space else {
        // SmolLM's digits are cut off before the pattern runs: to it the text ends here.
        if self == .smolLM && next == .number { return index }
        return last > start ? last : index
      }
      last = index
      index = after
    }
    return end
  }

  /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `start`.
  private static func contraction(_ text: [UInt8], _ start: Int, _ end: Int) -> Int? {
    guard start + 1 < end else { return nil }
    let first = text[start + 1]
    if [0x73, 0x74, 0x6D, 0x64].contains(first) { return start + 2 }
    guard start + 2 < end else { return nil }
    switch (first, text[start + 2]) {
    case (0x72, 0x65), (0x76, 0x65), (0x6C, 0x6C): return start + 3
    default: return nil
    }
  }

  private static func character(_ text: [UInt8], _ start: Int, _ end: Int) -> (Class, after: Int) {
    let byte = text[start]
    if byte < 0x80 { return (asciiClass(byte), start + 1) }
    let length = UTF8Scan.characterLength(text, start, end)
    guard length > 1 else { return (.other, start + 1) }
    var value = UInt32(byte & (0xFF >> UInt8(length + 1)))
    for index in start + 1..<start + length { value = value << 6 | UInt32(text[index] & 0x3F) }
    return (Unicode.Scalar(value).map(unicodeClass) ?? .other, start + length)
  }

  private static func asciiClass(_ byte: UInt8) -> Class {
    switch byte {
    case 0x41...0x5A, 0x61...0x7A: .letter
    case 0x30...0x39: .number
    case 0x20, 0x09...0x0D: .space
    default: .other
    }
  }

  private static func unicodeClass(_ scalar: Unicode.Scalar) -> Class {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      .letter
    case .decimalNumber, .letterNumber, .otherNumber: .number
    default: scalar.properties.isWhitespace ? .space : .other
    }
  }
}
