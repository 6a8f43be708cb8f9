// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// A key, or what stands for one in the bytes that a terminal sends.
package enum Key: Equatable {
  case text(String)
  /// Text that was pasted, its newlines in it.
  case paste(String)
  case enter, backspace, delete, left, right, up, down, home, end, wordLeft, wordRight
  /// A letter with Ctrl.
  case control(Character)
  case other
}

extension Terminal {
  /// The next key; nil at the end of the input.
  mutating func key() -> Key? {
    guard let byte = byte() else { return nil }
    switch byte {
    case 0x0d, 0x0a: return .enter
    case 0x7f, 0x08: return .backspace
    case 0x1b: return escape()
    case 0..<0x20: return .control(Character(Unicode.Scalar(byte + 0x60)))
    default: return character(byte).map { .text($0) } ?? .other
    }
  }

  /// The character that `first` begins; nil when its bytes are no UTF-8.
  private mutating func character(_ first: UInt8) -> String? {
    let count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    var bytes = [first]
    while bytes.count < count, let next = byte() { bytes.append(next) }
    return String(bytes: bytes, encoding: .utf8)
  }

  /// What follows Escape; alone, it means nothing.
  private mutating func escape() -> Key {
    guard hasByte(within: 50), let kind = byte() else { return .other }
    switch kind {
    case UInt8(ascii: "b"): return .wordLeft
    case UInt8(ascii: "f"): return .wordRight
    case UInt8(ascii: "O"): return Self.named(byte() ?? 0)
    case UInt8(ascii: "["): return sequence()
    default: return .other
    }
  }

  private mutating func sequence() -> Key {
    var parameters: [UInt8] = []
    while let next = byte() {
      guard (0x30...0x3f).contains(next) else {
        return next == UInt8(ascii: "~")
          ? tilde(String(decoding: parameters, as: UTF8.self))
          : parameters.isEmpty ? Self.named(next) : Self.modified(next)
      }
      parameters.append(next)
    }
    return .other
  }

  private static func named(_ letter: UInt8) -> Key {
    switch letter {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): .right
    case UInt8(ascii: "D"): .left
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    default: .other
    }
  }

  /// Arrows with Ctrl or Alt go by words.
  private static func modified(_ letter: UInt8) -> Key {
    switch named(letter) {
    case .left: .wordLeft
    case .right: .wordRight
    case let key: key
    }
  }

  private mutating func tilde(_ number: String) -> Key {
    switch number {
    case "1", "7": .home
    case "4", "8": .end
    case "3": .delete
    case "200": .paste(paste())
    default: .other
    }
  }

  /// What is pasted, up to the mark that ends it.
  private mutating func paste() -> String {
    let mark = Array("\u{1b}[201~".utf8)
    var bytes: [UInt8] = []
    while !bytes.suffix(mark.count).elementsEqual(mark), let next = byte() { bytes.append(next) }
    let text = String(decoding: bytes.dropLast(mark.count), as: UTF8.self)
    return text.split(omittingEmptySubsequences: false) { $0 == "\r" || $0 == "\r\n" }
      .joined(separator: "\n")
  }
}
