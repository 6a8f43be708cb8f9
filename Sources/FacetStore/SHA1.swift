// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// SHA-1 (FIPS 180-4), the name that git gives to the small files of a Hub repository.
///
/// It finds damage, no more: what must not be forged has a SHA-256.
package struct SHA1: Sendable {
  private var state: InlineArray<5, UInt32> = [
    0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0,
  ]
  private var block = InlineArray<64, UInt8>(repeating: 0)
  private var blockCount = 0
  private var byteCount: UInt64 = 0

  package init() {}

  /// Takes in the next bytes of the message.
  package mutating func update(_ bytes: Span<UInt8>) {
    byteCount &+= UInt64(bytes.count)
    for i in bytes.indices { append(bytes[i]) }
  }

  /// Pads the message and returns the digest as 40 lower-case hexadecimal digits.
  ///
  /// The value must not be fed afterwards.
  package mutating func finish() -> String {
    let bitCount = byteCount &* 8
    append(0x80)
    while blockCount != 56 { append(0) }
    for shift in stride(from: 56 as UInt64, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: bitCount >> shift))
    }
    var text = ""
    for index in state.indices {
      let digits = String(state[index], radix: 16)
      text += String(repeating: "0", count: 8 - digits.count) + digits
    }
    return text
  }

  /// Whether `text` is a digest: 40 lower-case hexadecimal digits.
  package static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 40
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  private mutating func append(_ byte: UInt8) {
    block[blockCount] = byte
    blockCount += 1
    if blockCount == 64 {
      compress()
      blockCount = 0
    }
  }

  private mutating func compress() {
    var w = InlineArray<80, UInt32>(repeating: 0)
    for t in 0..<16 {
      w[t] =
        UInt32(block[4 * t]) << 24 | UInt32(block[4 * t + 1]) << 16
        | UInt32(block[4 * t + 2]) << 8 | UInt32(block[4 * t + 3])
    }
    for t in 16..<80 { w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1) }
    var a = state[0], b = state[1], c = state[2], d = state[3], e = state[4]
    for t in 0..<80 {
      let (f, k): (UInt32, UInt32) =
        switch t {
        case 0..<20: ((b & c) | (~b & d), 0x5a82_7999)
        case 20..<40: (b ^ c ^ d, 0x6ed9_eba1)
        case 40..<60: ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc)
        default: (b ^ c ^ d, 0xca62_c1d6)
        }
      let next = rotate(a, 5) &+ f &+ e &+ k &+ w[t]
      e = d
      d = c
      c = rotate(b, 30)
      b = a
      a = next
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
  }

  @inline(__always)
  private func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x << n | x >> (32 &- n) }
}
