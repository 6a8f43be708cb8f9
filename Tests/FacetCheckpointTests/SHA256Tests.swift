// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  @Test(
    "digests equal the standard's examples (FIPS 180-4, NIST CSRC example values)",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
          + "lmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
    ])
  func standardExamples(_ message: String, _ digest: String) {
    #expect(SHA256.hex([UInt8](message.utf8)) == digest)
  }

  @Test("a million times 'a' (FIPS 180-4), in pieces of 997 bytes")
  func million() {
    var hash = SHA256()
    let piece = [UInt8](repeating: 0x61, count: 997)
    for _ in 0..<1003 { hash.update(piece.span) }
    hash.update(piece.span.extracting(0..<9))
    #expect(
      hash.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  /// Made by Python's hashlib over the bytes (131 i + 7 ⌊i / 256⌋ + 17) mod 256.
  static let lengths: [(Int, String)] = [
    (1, "4a64a107f0cb32536e5bce6c98c393db21cca7f4ea187ba8c4dca8b51d4ea80a"),
    (55, "59aaae80b8e7958f5757b4ac9274f1fd57ec0dc7aa8349319102316781b92006"),
    (56, "dca902d31487ffab357ce36cc5abc6947fbb69127ec04c468ba5687268c4bf7c"),
    (57, "ca0042f1f8b6a02ba5a30af121a9b69daa34b07bb22b2b320c05abe21df875a0"),
    (63, "b8e655e9e7ad413b96f0a371eb1d6db71dcca27f4eee35892517cbe4bfaa6f9a"),
    (64, "e5146be62accc56709594cb45c651b361df94f622cbb09b91ea3ca7a2060bd53"),
    (65, "4b6c6774f0cbcd776a90e187b9494e04ca880c0afe3ea1c5cad51c8bbcb41f74"),
    (119, "3244509f8746f6fb511ca8a72a292a4d7d12e456cce283c03f169dbbcb0d512e"),
    (120, "c5236e50172da3b69c903dcd3b3bb8ce855182f79364d1b59ed36367aa25e468"),
    (127, "b4f5398bf618d741f2ab0f6e2fcde06f4949c20d476b5f6e1d4bf8618bc8973a"),
    (128, "ed045c7c319e0c9286e1dea21c80bfd4a08eca43e02e13ee8a7a2c8b4b2baec9"),
    (1000, "87b5e06def64357afe3ffe0154caa56b079cbe084dbd24f049e4ab212594f371"),
    (65537, "46761c234f765b182d699b40f4d15c14f7824a9c7e7b6f4b3f2983a94be2ce6e"),
  ]

  @Test(
    "lengths around block boundaries equal hashlib, however the message is cut", arguments: lengths)
  func boundaries(_ count: Int, _ digest: String) {
    let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 131 + ($0 >> 8) * 7 + 17) }
    #expect(SHA256.hex(message) == digest)
    for cut in [1, 3, 63, 64, 65, 1 << 10] {
      var hash = SHA256()
      for start in stride(from: 0, to: count, by: cut) {
        hash.update(message.span.extracting(start..<min(start + cut, count)))
      }
      #expect(hash.finish() == digest, "cut into pieces of \(cut)")
    }
  }

  @Test("a digest is 64 lower-case hexadecimal digits")
  func digests() {
    #expect(SHA256.isDigest(SHA256.hex([])))
    #expect(!SHA256.isDigest(SHA256.hex([]).uppercased()))
    #expect(!SHA256.isDigest("../../etc/passwd"))
  }
}
