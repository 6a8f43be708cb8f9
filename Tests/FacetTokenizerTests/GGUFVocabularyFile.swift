// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

/// Just enough of GGUF to read a vocabulary in tests, so that they need no other module.
struct GGUFVocabularyFile {
  private var bytes: [UInt8]
  private var position = 4
  private var numbers: [String: UInt64] = [:]
  private var texts: [String: String] = [:]
  private var strings: [String: PackedStrings] = [:]
  private var words: [String: [UInt32]] = [:]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    _ = number(4)
    _ = number(8)
    for _ in 0..<number(8) {
      let key = text()
      read(key, type: number(4))
    }
    self.bytes = []
  }

  /// The vocabulary as a description.
  func description() throws(TokenizerError) -> VocabularyDescription {
    let prefix = "tokenizer.ggml."
    var description = try VocabularyDescription(
      ggufModel: texts[prefix + "model"] ?? "", pre: texts[prefix + "pre"],
      pieces: strings[prefix + "tokens"] ?? PackedStrings(),
      scores: (words[prefix + "scores"] ?? []).map { Float(bitPattern: $0) },
      kinds: (words[prefix + "token_type"] ?? []).map { UInt8($0) },
      merges: strings[prefix + "merges"] ?? PackedStrings(),
      addsSpacePrefix: numbers[prefix + "add_space_prefix"].map { $0 != 0 },
      addsBOS: numbers[prefix + "add_bos_token"].map { $0 != 0 })
    description.bos = numbers[prefix + "bos_token_id"].map { TokenID($0) }
    description.eos = numbers[prefix + "eos_token_id"].map { TokenID($0) }
    description.unknown = numbers[prefix + "unknown_token_id"].map { TokenID($0) }
    description.padding = numbers[prefix + "padding_token_id"].map { TokenID($0) }
    return description
  }

  /// The chat template, where there is one.
  var chatTemplate: String? { texts["tokenizer.chat_template"] }

  private mutating func number(_ size: Int) -> UInt64 {
    defer { position += size }
    return (0..<size).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
  }

  private mutating func text() -> String {
    let length = Int(number(8))
    defer { position += length }
    return String(decoding: bytes[position..<position + length], as: UTF8.self)
  }

  private static let sizes: [UInt64: Int] = [
    0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8,
  ]

  private mutating func read(_ key: String, type: UInt64) {
    if type == 8 {
      texts[key] = text()
    } else if type == 9 {
      readArray(key, type: number(4), count: Int(number(8)))
    } else {
      numbers[key] = number(Self.sizes[type] ?? 0)
    }
  }

  private mutating func readArray(_ key: String, type: UInt64, count: Int) {
    if type == 8 {
      var packed = PackedStrings()
      for _ in 0..<count {
        let length = Int(number(8))
        packed.append(bytes[position..<position + length])
        position += length
      }
      strings[key] = packed
    } else {
      let size = Self.sizes[type] ?? 0
      words[key] = (0..<count).map { _ in UInt32(truncatingIfNeeded: number(size)) }
    }
  }
}
