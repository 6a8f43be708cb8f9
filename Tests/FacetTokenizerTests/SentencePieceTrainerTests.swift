// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

/// Training of vocabularies: against a naive trainer, against sentencepiece's ids, and refusals.
@Suite("Training a SentencePiece vocabulary")
struct SentencePieceTrainerTests {
  private static func train(
    _ text: String, _ size: Int, bytePieces: Bool = false,
    _ change: (inout SentencePieceOptions) -> Void = { _ in }
  ) throws(TokenizerError) -> SentencePieceVocabulary {
    var options = SentencePieceOptions(vocabularySize: size)
    options.characterCoverage = 1
    options.bytePieces = bytePieces
    change(&options)
    var trainer = try SentencePieceTrainer(options)
    try trainer.add(text.utf8, file: "corpus.txt")
    try trainer.endFile("corpus.txt")
    return try trainer.train()
  }

  private static func pieces(_ vocabulary: SentencePieceVocabulary) -> [String] {
    (0..<vocabulary.pieces.count).map { String(decoding: vocabulary.pieces[$0], as: UTF8.self) }
  }

  private static func message(_ body: () throws(TokenizerError) -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return error.message }
  }

  @Test("the merges of random text are those of a trainer that counts everything anew each time")
  func naive() throws {
    var random = SeededGenerator.announced("naive", salt: 41)
    for round in 0..<60 {
      let alphabet = Array("abcde".prefix(1 + round % 5))
      let maxLength = [16, 3, 5][round % 3]
      let lines = (0..<Int.random(in: 1...12, using: &random)).map { _ in
        (0..<Int.random(in: 1...6, using: &random)).map { _ in
          String(
            (0..<Int.random(in: 1...9, using: &random)).map { _ in
              alphabet.randomElement(using: &random) ?? "a"
            })
        }.joined(separator: " ")
      }
      let words = lines.flatMap { $0.split(separator: " ").map { ["▁"] + $0.map { String($0) } } }
      let learnt = NaiveTrainer.learn(words, atMost: .max, maxLength: maxLength)
      let characters = Set(words.joined()).count
      for count in [learnt.count, learnt.count / 2] {
        let vocabulary = try Self.train(
          lines.joined(separator: "\n"), 3 + count + characters
        ) { $0.maxPieceLength = maxLength }
        #expect(
          Array(Self.pieces(vocabulary).dropFirst(3).prefix(count)) == Array(learnt.prefix(count)),
          "round \(round)")
      }
    }
  }

  @Test("what is written is read back: pieces, scores, kinds and special ids")
  func roundTrip() throws {
    let vocabulary = try Self.train("low lower lowest <x> 12 12", 281, bytePieces: true) {
      $0.useGemmaSpecials()
      $0.userSymbols = ["<x>", "é"]
      $0.addsDummyPrefix = false
    }
    let read = try VocabularyDescription(sentencePieceModel: vocabulary.model())
    #expect(read.pieces == vocabulary.pieces)
    #expect(read.scores == vocabulary.scores)
    #expect(read.kinds == vocabulary.kinds)
    #expect([read.padding, read.eos, read.bos, read.unknown] == [0, 1, 2, 3])
    #expect(read.dummyPrefix == .none)
    #expect(Self.pieces(vocabulary)[4...6] == ["<x>", "é", "<0x00>"])
    let tokenizer = try Tokenizer(read)
    #expect(tokenizer.decode(tokenizer.encode("low <x> 日本 12")) == "low <x> 日本 12")
  }

  @Test("sentencepiece's ids for a vocabulary that Facet trained are Facet's ids")
  func golden() throws {
    let tokenizer = try Tokenizer(
      VocabularyDescription(sentencePieceModel: TestFiles.golden("trained.model")))
    let lines = try String(decoding: TestFiles.golden("trained.lines"), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    let ids = try String(decoding: TestFiles.golden("trained.ids"), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    try #require(lines.count == ids.count && lines.count > 100)
    for (line, expected) in zip(lines, ids) {
      let own = tokenizer.encode(String(line), bos: false).map { "\($0)" }.joined(separator: " ")
      #expect(own == expected, "\(line)")
    }
    let hashes = try Corpus.hashes("trained")
    try #require(hashes.count > 2500)
    for (index, hash) in hashes.enumerated() {
      let line = Corpus.lines[index * 4]
      #expect(
        Corpus.hash(tokenizer.encode(utf8: line, bos: false)) == hash, "line \(index * 4)")
    }
  }

  @Test("the committed vocabulary is what training on the committed text gives, however it is cut")
  func deterministic() throws {
    let text = try TestFiles.bytes(Goldens.path("texts/emma.txt"))
    let golden = try TestFiles.golden("trained.model")
    for size in [1, 7, 100_000] {
      var options = SentencePieceOptions(vocabularySize: 600)
      options.useGemmaSpecials()
      options.userSymbols = ["[note]", ":-)"]
      var trainer = try SentencePieceTrainer(options)
      for start in stride(from: 0, to: text.count, by: size) {
        try trainer.add(text[start..<min(start + size, text.count)], file: "emma.txt")
      }
      try trainer.endFile("emma.txt")
      #expect(try trainer.train().model() == golden)
    }
  }

  @Test("a size that the text does not allow is refused with the size that it does")
  func sizes() {
    #expect(
      Self.message { () throws(TokenizerError) in _ = try Self.train("ab ab", 5) }
        == "A vocabulary of 5 pieces is too small: 3 special pieces and 3 characters need 6. Ask for "
        + "at least 6, or for a lower character coverage.")
    #expect(
      Self.message { () throws(TokenizerError) in _ = try Self.train("ab ab", 9) }
        == "The text supports a vocabulary of at most 8 pieces, not 9. Ask for 8, or train on more "
        + "text.")
    #expect(Self.message { () throws(TokenizerError) in _ = try Self.train("ab ab", 8) } == nil)
    #expect(
      Self.message { () throws(TokenizerError) in _ = try Self.train("\n\n\r\n", 8) }
        == "The text to train on is empty. Name files with lines of text.")
    #expect(
      Self.message { () throws(TokenizerError) in
        var trainer = try SentencePieceTrainer(SentencePieceOptions(vocabularySize: 300))
        try trainer.add([0x61, 0x0A, 0xC3, 0x28, 0x0A], file: "a.txt")
      } == "Line 2 of 'a.txt' is not UTF-8. Convert the file, or leave the line out.")
  }

  @Test("options that fit no vocabulary are refused word for word")
  func options() {
    func message(_ size: Int, _ change: (inout SentencePieceOptions) -> Void) -> String? {
      var options = SentencePieceOptions(vocabularySize: size)
      change(&options)
      return Self.message { () throws(TokenizerError) in try options.validate() }
    }
    #expect(message(300) { _ in } == nil)
    #expect(message(0) { _ in } == "A vocabulary has from 1 to 16777216 pieces, not 0.")
    #expect(
      message(300) { $0.characterCoverage = .nan }
        == "The character coverage is nan; it is a share above 0 and at most 1, such as 0.9995.")
    #expect(
      message(300) { $0.maxPieceLength = 0 }
        == "A piece has at most from 1 to 512 characters, not 0.")
    #expect(
      message(300) { $0.unknown.id = -1 }
        == "A vocabulary needs a piece for what it does not know; give it an id of 0 or more.")
    #expect(
      message(300) { $0.eos.id = 300 }
        == "The id of '</s>' is 300, but a vocabulary of 300 pieces ends at 299. Choose a smaller id."
    )
    #expect(
      message(300) { $0.eos.id = 1 } == "'<s>' and '</s>' both have the id 1. Give each its own.")
    #expect(
      message(300) { $0.userSymbols = ["a b"] }
        == "The piece \"a b\" holds white space, which a special piece or symbol cannot have.")
    #expect(
      message(300) { $0.userSymbols = ["<s>"] }
        == "The piece '<s>' is asked for twice. Name it once."
    )
    #expect(
      message(300) { $0.userSymbols = [""] } == "A special piece or symbol is empty. Name it.")
  }

  @Test("pieces keep to one script, single digits where asked, and a symbol of the user's")
  func rules() throws {
    let text = String(repeating: "abя1 日本ab 2024 a<x>b\n", count: 3)
    let least = try #require(
      Self.message { () throws(TokenizerError) in
        _ = try Self.train(text, 1000) {
          $0.splitsDigits = true
          $0.userSymbols = ["<x>"]
        }
      })
    let most = try #require(least.split(separator: " ").compactMap { Int($0) }.first)
    let vocabulary = try Self.train(text, most) {
      $0.splitsDigits = true
      $0.userSymbols = ["<x>"]
    }
    let learnt = Self.pieces(vocabulary).dropFirst(4).filter { $0.count > 1 }
    #expect(Set(learnt).isSubset(of: ["ab", "▁ab", "日本", "▁日本", "▁日", "▁a"]), "\(learnt)")
    #expect(learnt.contains("▁ab") && learnt.contains("▁日本"))
  }

  @Test("random bytes are refused or trained on, and never crash")
  func fuzz() throws {
    var random = SeededGenerator.announced("fuzz", salt: 43)
    let alphabet: [UInt8] = Array("a▁é\t 0あ<x>\u{2585}😀\u{301}".utf8) + [0, 0x0A, 0x0D, 0xFF]
    var trained = 0
    for _ in 0..<400 {
      let isText = Bool.random(using: &random)
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
        isText
          ? UInt8.random(in: 0...0x7F, using: &random) : alphabet.randomElement(using: &random) ?? 0
      }
      var options = SentencePieceOptions(vocabularySize: .random(in: 1...400, using: &random))
      options.userSymbols = ["<x>"]
      options.bytePieces = Bool.random(using: &random)
      options.removesExtraSpaces = Bool.random(using: &random)
      do throws(TokenizerError) {
        var trainer = try SentencePieceTrainer(options)
        try trainer.add(bytes, file: "noise")
        try trainer.endFile("noise")
        let vocabulary = try trainer.train()
        trained += 1
        _ = try Tokenizer(VocabularyDescription(sentencePieceModel: vocabulary.model()))
      } catch {
        #expect(error.code == .training)
      }
    }
    #expect(trained > 0)
  }

  @Test("a line of one character, a million times, takes no quadratic time")
  func longLine() throws {
    let vocabulary = try Self.train(String(repeating: "a", count: 1_000_000), 9) { _ in }
    #expect(Self.pieces(vocabulary).dropFirst(3).prefix(4).contains("aaaaaaaa"))
  }
}
