// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Testing

/// Decoding against sentencepiece, round trips of random bytes, and text that comes piece by piece.
struct DecodingTests {
  static let files = [
    "gemma.model", "gemma.gguf", "gemma.json", "llama.model", "llama.json", "unused.model",
    "gpt2.json", "smollm.gguf", "whole-words.json",
  ]
  static let lengths = [0, 1, 7, 8, 9, 31, 32, 33, 257]

  @Test(
    "decoded ids equal sentencepiece's",
    arguments: ["gemma", "llama", "unused", "no-bytes", "no-space"])
  func small(_ name: String) throws {
    try compare("small/" + name, Vocabularies.small(name + ".model"))
  }

  @Test("Mistral v1 decodes as sentencepiece does")
  func mistralV1() throws { try compare("mistral-v1", Vocabularies.mistralV1()) }

  @Test(
    "Mistral v3 decodes as sentencepiece does",
    .enabled(if: Vocabularies.mistralV3Path != nil, "needs ../shared/data/tokenizers"))
  func mistralV3() throws {
    try compare("mistral-v3", Vocabularies.file(model: #require(Vocabularies.mistralV3Path)))
  }

  @Test(
    "Gemma 3 decodes as sentencepiece does",
    .enabled(if: Vocabularies.gemma3Path != nil, "\(StoredModels.needsGemma3)"))
  func gemma3() throws {
    try compare("gemma3", Vocabularies.file(gguf: #require(Vocabularies.gemma3Path)))
  }

  private func compare(_ name: String, _ tokenizer: Tokenizer) throws {
    let lines = try TestFiles.golden(name + ".decoded")
      .split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    #expect(lines.count == 250)
    for line in lines {
      let bar = try #require(line.firstIndex(of: UInt8(ascii: "|")))
      let ids = String(decoding: line[..<bar], as: UTF8.self).split(separator: " ")
        .compactMap { TokenID($0) }
      let text = String(decoding: Corpus.unescape(line[(bar + 1)...]), as: UTF8.self)
      // Gemma's GGUF file calls <unk> a control token, and control tokens are left out.
      if name == "gemma3" && ids.contains(3) { continue }
      #expect(Self.folded(tokenizer.decode(ids)) == Self.folded(text), "\(name) \(ids)")
    }
  }

  /// Runs of replacement characters as one: sentencepiece writes one for every byte, Swift one for
  /// every broken character, as Unicode recommends.
  private static func folded(_ text: String) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars
    where scalar != "\u{FFFD}" || result.last != "\u{FFFD}" {
      result.append(scalar)
    }
    return result
  }

  @Test("decoding undoes encoding on random bytes", arguments: files)
  func roundTrip(_ file: String) throws {
    var random = SeededGenerator.announced("round trip of \(file)", salt: 1)
    try roundTrip(Vocabularies.small(file), &random) { _ in true }
  }

  @Test("Mistral and SmolLM2 give back random bytes, but for those that SmolLM2 lacks")
  func roundTripOfModels() throws {
    var random = SeededGenerator.announced("round trip of models", salt: 2)
    try roundTrip(Vocabularies.mistralV1(), &random) { _ in true }
    let smol = try Vocabularies.smolLM2()
    let lacking = (UInt8.min...UInt8.max).filter { smol.encode(utf8: [$0]).isEmpty }
    #expect(lacking.count == 21 && lacking.starts(with: [0x04, 0x06, 0x13, 0x14, 0x16, 0x1D]))
    try roundTrip(smol, &random) { !lacking.contains($0) }
  }

  private func roundTrip(
    _ tokenizer: Tokenizer, _ random: inout SeededGenerator, keeping: (UInt8) -> Bool
  ) throws {
    for length in Self.lengths {
      for _ in 0..<30 {
        let bytes = Self.randomBytes(length, &random).filter(keeping)
        #expect(tokenizer.decodeBytes(tokenizer.encode(utf8: bytes)) == bytes)
        let text = Self.randomText(length, &random)
        guard text.utf8.allSatisfy(keeping) else { continue }
        #expect(Array(tokenizer.decode(tokenizer.encode(text)).utf8) == Array(text.utf8))
      }
    }
    for line in Corpus.lines.prefix(2000) where line.allSatisfy(keeping) {
      let ids = tokenizer.encode(utf8: line)
      #expect(ids.allSatisfy { !tokenizer.isControl($0) })
      let isSentencePiece = tokenizer.token(forPiece: "<0x0A>") != nil
      // SentencePiece's ▁ is a space once it has been encoded.
      #expect(tokenizer.decodeBytes(ids) == (isSentencePiece ? Self.respaced(line) : line))
    }
  }

  /// Random bytes: any, or few different ones so that sequences of UTF-8 occur; ▁ does not.
  static func randomBytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
    let few: [UInt8] = [
      0x20, 0x61, 0x0A, 0xC3, 0xA9, 0xE2, 0x96, 0x80, 0xF0, 0x9F, 0x98, 0xFF, 0x3C,
    ]
    let isAny = Bool.random(using: &random)
    let bytes = (0..<count).map { _ in
      isAny ? UInt8.random(in: 0...255, using: &random) : few.randomElement(using: &random) ?? 0
    }
    return Self.respaced(bytes)
  }

  static func randomText(_ count: Int, _ random: inout SeededGenerator) -> String {
    var text = String.UnicodeScalarView()
    let highest: [UInt32] = [0x7F, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF]
    for _ in 0..<count {
      let limit = highest.randomElement(using: &random) ?? 0x7F
      let scalar = Unicode.Scalar(UInt32.random(in: 0...limit, using: &random)) ?? " "
      text.append(scalar == "▁" ? "_" : scalar)
    }
    return String(text)
  }

  static func respaced(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for byte in bytes {
      result.append(byte)
      if result.suffix(3) == [0xE2, 0x96, 0x81] {
        result.replaceSubrange((result.count - 3)..., with: [0x20])
      }
    }
    return result
  }

  @Test(
    "streamed pieces put together are the text, and none has half a character", arguments: files)
  func streaming(_ file: String) throws {
    let tokenizer = try Vocabularies.small(file)
    var random = SeededGenerator.announced("streaming of \(file)", salt: 3)
    for line in Corpus.lines.prefix(1500) {
      let (text, pieces) = stream(tokenizer.encode(utf8: line), tokenizer, true, .text)
      #expect(pieces.joined().utf8.elementsEqual(text.utf8))
      // The corpus is UTF-8: a replacement character that it does not have would be half of another.
      if !String(decoding: line, as: UTF8.self).unicodeScalars.contains("\u{FFFD}") {
        #expect(!pieces.contains { $0.unicodeScalars.contains("\u{FFFD}") })
      }
    }
    for length in Self.lengths {
      for _ in 0..<20 {
        let ids = (0..<length).map { _ in
          TokenID.random(in: -2...TokenID(tokenizer.vocabularySize + 2), using: &random)
        }
        for start in [Tokenizer.DecodingStart.text, .continuation] {
          for skipping in [true, false] {
            let (text, pieces) = stream(ids, tokenizer, skipping, start)
            #expect(pieces.joined().utf8.elementsEqual(text.utf8), "\(ids)")
          }
        }
      }
    }
  }

  private func stream(
    _ ids: [TokenID], _ tokenizer: Tokenizer, _ skipping: Bool, _ start: Tokenizer.DecodingStart
  ) -> (text: String, pieces: [String]) {
    var stream = StreamingDetokenizer(tokenizer, skippingControl: skipping, from: start)
    let pieces = ids.map { stream.append($0) } + [stream.finish()]
    return (tokenizer.decode(ids, skippingControl: skipping, from: start), pieces)
  }

  @Test("a text decoded in two parts is the text decoded at once, wherever it is cut")
  func splits() throws {
    for file in ["gemma.model", "llama.model", "gpt2.json"] {
      let tokenizer = try Vocabularies.small(file)
      for line in Corpus.lines.prefix(150) {
        let ids = tokenizer.encode(utf8: line)
        let whole = tokenizer.decodeBytes(ids)
        for cut in 1..<max(1, ids.count) {
          let parts =
            tokenizer.decodeBytes(Array(ids[..<cut]))
            + tokenizer.decodeBytes(Array(ids[cut...]), from: .continuation)
          #expect(parts == whole)
        }
      }
    }
  }

  @Test("only the first space of a text is the tokenizer's own")
  func leadingSpace() throws {
    let tokenizer = try Vocabularies.small("llama.model")
    for text in ["", " ", "  ", "a", " a", "  a", "\n", "é", " é", "日"] {
      let ids = tokenizer.encode(text)
      #expect(tokenizer.decode(ids) == text)
      #expect(tokenizer.decode(ids, from: .continuation) == (ids.isEmpty ? "" : " " + text))
    }
    let ids = tokenizer.encode("x", bos: true) + tokenizer.encode("y")
    #expect(tokenizer.decode(ids) == "x y")
  }

  @Test("finish gives a replacement character for what was never finished, and nothing twice")
  func brokenEnd() throws {
    for file in ["gemma.model", "gpt2.json"] {
      let tokenizer = try Vocabularies.small(file)
      let cases: [([UInt8], String)] = [
        ([0xF0], "\u{FFFD}"), ([0xF0, 0x9F, 0x98], "\u{FFFD}"), ([0xE2, 0x96], "\u{FFFD}"),
        ([0xC3], "\u{FFFD}"), ([], ""),
      ]
      for (bytes, left) in cases {
        var stream = StreamingDetokenizer(tokenizer, from: .continuation)
        let pieces = tokenizer.encode(utf8: bytes).map { stream.append($0) }
        let text = pieces.joined()
        #expect(text == "" || text == " ", "\(file) \(bytes)")
        #expect(stream.finish() == left)
        #expect(stream.finish() == "")
      }
    }
  }
}
