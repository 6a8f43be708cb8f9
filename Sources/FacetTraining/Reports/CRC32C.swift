// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// CRC-32C (Castagnoli), the checksum of RFC 3720 and of TensorFlow's record files.
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { (byte: UInt32) in
    (0..<8).reduce(byte) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0x82F6_3B78 : rest >> 1 }
  }

  /// The checksum of `bytes`.
  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { rest, byte in
      table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)] ^ rest >> 8
    }
  }

  /// The checksum as record files store it: turned and shifted, since a checksum of data that holds
  /// checksums would tell little.
  package static func masked(_ bytes: [UInt8]) -> UInt32 {
    let checksum = checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
