// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import Testing

@Suite("SHA-1")
struct SHA1Tests {
  private func hex(_ message: [UInt8], cut: Int = .max) -> String {
    var hash = SHA1()
    for start in stride(from: 0, to: message.count, by: min(cut, max(message.count, 1))) {
      hash.update(message.span.extracting(start..<min(start + cut.clamped, message.count)))
    }
    return hash.finish()
  }

  @Test(
    "digests equal the standard's examples (FIPS 180-4, NIST CSRC example values)",
    arguments: [
      ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
      ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
          + "lmnopqrsmnopqrstnopqrstu",
        "a49b2446a02c645bf419f995b67091253a04a259"
      ),
    ])
  func standardExamples(_ message: String, _ digest: String) {
    #expect(hex([UInt8](message.utf8)) == digest)
    #expect(hex([UInt8](message.utf8), cut: 7) == digest)
  }

  @Test("a million times 'a' (FIPS 180-4)")
  func million() {
    #expect(
      hex([UInt8](repeating: 0x61, count: 1_000_000), cut: 997)
        == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
  }

  @Test("a digest is 40 lower-case hexadecimal digits")
  func digests() {
    #expect(SHA1.isDigest(hex([])))
    #expect(!SHA1.isDigest(hex([]).uppercased()))
    #expect(!SHA1.isDigest("../../etc/passwd"))
  }
}

extension Int {
  /// Small enough to be added to an offset.
  fileprivate var clamped: Int { Swift.min(self, 1 << 30) }
}
