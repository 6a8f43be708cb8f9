// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Testing

/// llama2.c's vocabulary file: against sentencepiece's ids, and damaged.
struct Llama2CVocabularyTests {
  /// The small Llama vocabulary in llama2.c's form, written as its export script does.
  static func file(_ description: VocabularyDescription) -> [UInt8] {
    var bytes: [UInt8] = []
    func word(_ value: UInt32) { bytes += (0..<4).map { UInt8(value >> UInt32(8 * $0) & 0xFF) } }
    word(64)
    for id in 0..<description.pieces.count {
      var piece = String(decoding: description.pieces[id], as: UTF8.self)
      if id == 1 { piece = "\n<s>\n" } else if id == 2 { piece = "\n</s>\n" }
      let spaced = DecodingTests.respaced(Array(piece.utf8))
      word(description.scores[id].bitPattern)
      word(UInt32(spaced.count))
      bytes += spaced
    }
    return bytes
  }

  /// A vocabulary in Llama 2's order: `<unk>`, `<s>`, `</s>`, bytes, then pieces.
  private func llama() throws -> (bytes: [UInt8], size: Int) {
    let mistral = try VocabularyDescription(
      sentencePieceModel: TestFiles.golden("mistral-v1.tokenizer.model"))
    return (Self.file(mistral), mistral.pieces.count)
  }

  @Test("a vocabulary in llama2.c's form gives sentencepiece's ids")
  func ids() throws {
    let (bytes, size) = try llama()
    let tokenizer = try Tokenizer(VocabularyDescription(llama2C: bytes, vocabularySize: size))
    let hashes = try Corpus.hashes("mistral-v1")
    for (index, line) in Corpus.lines.prefix(4000).enumerated() {
      #expect(Corpus.hash(tokenizer.encode(utf8: line)) == hashes[index])
    }
    #expect(tokenizer.special.bos == 1 && tokenizer.special.eos == 2)
    #expect(tokenizer.piece(1) == "<s>" && tokenizer.isControl(2))
  }

  @Test("a truncated or foreign file is refused word for word")
  func errors() throws {
    let (bytes, size) = try llama()
    func message(_ bytes: [UInt8], _ size: Int) -> String? {
      do {
        _ = try VocabularyDescription(llama2C: bytes, vocabularySize: size)
        return nil
      } catch { return error.message }
    }
    #expect(message(bytes, size) == nil)
    #expect(
      message([], 32000)
        == "tokenizer.bin has 0 bytes, which cannot be a vocabulary of 32000 pieces; it belongs to "
        + "another model, or is damaged.")
    for size in [Int.min, -1, 0, 258, .max] {
      #expect(
        message(bytes, size)
          == "tokenizer.bin has \(bytes.count) bytes, which cannot be a vocabulary of \(size) pieces; it "
          + "belongs to another model, or is damaged.")
    }
    #expect(
      message(Array(bytes.dropLast()), size)
        == "tokenizer.bin ends inside piece \(size - 1) of \(size); it is truncated or belongs to "
        + "another model. Download it again.")
    var long = bytes
    long.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF])
    #expect(
      message(long, size)
        == "tokenizer.bin ends inside piece 0 of \(size); it is truncated or belongs to another model. "
        + "Download it again.")
  }

  @Test("damaged files are vocabularies that work, or errors")
  func damage() throws {
    let (whole, _) = try llama()
    // The first 400 pieces are enough to break.
    let bytes = Array(whole.prefix(8000))
    var random = SeededGenerator.announced("damage to tokenizer.bin", salt: 40)
    for _ in 0..<1500 {
      var broken = bytes
      for _ in 0..<3 {
        let place = Int.random(in: 0..<broken.count, using: &random)
        broken[place] = UInt8.random(in: 0...255, using: &random)
      }
      let cut = Int.random(in: 0...broken.count, using: &random)
      let size = Int.random(in: 200...500, using: &random)
      guard
        let description = try? VocabularyDescription(
          llama2C: Array(broken[..<cut]), vocabularySize: size),
        let tokenizer = try? Tokenizer(description)
      else { continue }
      let ids = tokenizer.encode(" a\u{1F600}<s>\n")
      #expect(ids.allSatisfy { $0 >= 0 && Int($0) < size })
      _ = tokenizer.decode(ids)
    }
  }
}
