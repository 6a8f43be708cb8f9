// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

/// The lines that tokenizers are compared on, and what oracles made of them.
enum Corpus {
  /// Eleven thousand texts: scripts of the world, code, white space, control text, damage.
  static let lines: [[UInt8]] = (1...2).flatMap { part in
    let bytes = (try? TestFiles.golden("corpus-\(part).txt")) ?? []
    return bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().map(unescape)
  }

  /// The texts of a vocabulary's goldens: all lines, or the first ones where there are fewer hashes.
  static func hashes(_ name: String) throws -> [UInt64] {
    let bytes = try TestFiles.golden(name + ".hashes")
    return stride(from: 0, to: bytes.count, by: 8).map { start in
      (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
    }
  }

  /// The oracle's ids of the first lines.
  static func ids(_ name: String) throws -> [[TokenID]] {
    let text = String(decoding: try TestFiles.golden(name + ".ids"), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
      $0.split(separator: " ").compactMap { TokenID($0) }
    }
  }

  /// Each hundred lines as one text.
  static func blocks(_ lines: some RandomAccessCollection<[UInt8]>) -> [[UInt8]] {
    let lines = Array(lines)
    return stride(from: 0, to: lines.count, by: 100).map {
      Array(lines[$0..<min($0 + 100, lines.count)].joined(separator: [0x0A]))
    }
  }

  /// FNV-1a over the ids as little-endian 32-bit integers.
  static func hash(_ ids: [TokenID]) -> UInt64 {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    for id in ids {
      var rest = UInt32(bitPattern: id)
      for _ in 0..<4 {
        state = (state ^ UInt64(rest & 0xFF)) &* 0x100_0000_01B3
        rest >>= 8
      }
    }
    return state
  }

  /// Undoes the escapes of a corpus file: `\n`, `\r`, `\t`, `\\` and `\u{HEX}`.
  static func unescape(_ line: some Collection<UInt8>) -> [UInt8] {
    let line = [UInt8](line)
    var text: [UInt8] = []
    var index = 0
    while index < line.count {
      guard line[index] == 0x5C else {
        text.append(line[index])
        index += 1
        continue
      }
      switch line[index + 1] {
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"):
        let end = line[index...].firstIndex(of: 0x7D) ?? line.count
        let hex = String(decoding: line[index + 3..<end], as: UTF8.self)
        let scalar = UInt32(hex, radix: 16).flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
        text += Array(String(scalar).utf8)
        index = end - 1
      default: text.append(line[index + 1])
      }
      index += 2
    }
    return text
  }
}
