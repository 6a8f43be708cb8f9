// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Rules of UTF-8 that merging and streaming need, on raw bytes.
enum UTF8Scan {
  /// The length of the character that begins at `start`; 1 for a byte that begins none.
  static func characterLength(_ text: [UInt8], _ start: Int, _ end: Int) -> Int {
    let (length, isComplete) = prefix(text, start, end)
    return isComplete ? length : 1
  }

  /// How many of the last bytes are the beginning of a character that more bytes could complete.
  static func unfinishedSuffix(_ text: [UInt8]) -> Int {
    for length in 1...3 where length <= text.count {
      let start = text.count - length
      guard text[start] & 0xC0 != 0x80 else { continue }
      let (found, isComplete) = prefix(text, start, text.count)
      return !isComplete && found == length && text[start] >= 0xC2 ? length : 0
    }
    return 0
  }

  /// The longest prefix of a character at `start`, and whether it is the whole character.
  ///
  /// The ranges are those of Unicode's table 3-7, well-formed UTF-8 byte sequences.
  private static func prefix(_ text: [UInt8], _ start: Int, _ end: Int) -> (Int, isComplete: Bool) {
    let lead = text[start]
    let needed: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0x00...0x7F: return (1, true)
    case 0xC2...0xDF: needed = 2
    case 0xE0...0xEF:
      needed = 3
      if lead == 0xE0 { second = 0xA0...0xBF } else if lead == 0xED { second = 0x80...0x9F }
    case 0xF0...0xF4:
      needed = 4
      if lead == 0xF0 { second = 0x90...0xBF } else if lead == 0xF4 { second = 0x80...0x8F }
    default: return (1, false)
    }
    var length = 1
    while length < needed, start + length < end {
      let byte = text[start + length]
      guard length == 1 ? second.contains(byte) : byte & 0xC0 == 0x80 else { break }
      length += 1
    }
    return (length, length == needed)
  }
}
