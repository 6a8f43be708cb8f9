// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// GPT-2's printable names for the 256 bytes: printable Latin-1 stands for itself, the rest are
/// shifted to U+0100 and up, so that a space is Ġ.
enum ByteAlphabet {
  /// The code point that stands for each byte.
  static let scalars: [UInt32] = {
    var scalars = [UInt32](repeating: 0, count: 256)
    var shifted: UInt32 = 0x100
    for byte in 0..<256 {
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: scalars[byte] = UInt32(byte)
      default:
        scalars[byte] = shifted
        shifted += 1
      }
    }
    return scalars
  }()

  /// The byte that each code point below U+0144 stands for; -1 where it stands for none.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
    return bytes
  }()

  /// The UTF-8 of the code point that stands for `byte`.
  static func name(of byte: UInt8) -> [UInt8] {
    let scalar = scalars[Int(byte)]
    if scalar < 0x80 { return [UInt8(scalar)] }
    return [UInt8(0xC0 | scalar >> 6), UInt8(0x80 | scalar & 0x3F)]
  }

  /// The bytes that a piece stands for; nil when it has a character that stands for no byte.
  static func decode(_ piece: ArraySlice<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(piece.count)
    var index = piece.startIndex
    while index < piece.endIndex {
      var scalar = Int(piece[index])
      index += 1
      if scalar >= 0x80 {
        // All 256 names have one or two bytes of UTF-8.
        guard scalar >= 0xC2, scalar <= 0xDF, index < piece.endIndex else { return nil }
        scalar = (scalar & 0x1F) << 6 | Int(piece[index] & 0x3F)
        index += 1
      }
      guard scalar < bytes.count, bytes[scalar] >= 0 else { return nil }
      decoded.append(UInt8(truncatingIfNeeded: bytes[scalar]))
    }
    return decoded
  }
}
