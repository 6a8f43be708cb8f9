// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Testing

/// Damaged vocabularies: whatever the bytes, the answer is a tokenizer that works or an error.
struct VocabularyFuzzTests {
  /// Reads bytes as a vocabulary.
  typealias Reader = @Sendable ([UInt8]) throws -> VocabularyDescription

  static let forms: [(name: String, golden: String, reader: Reader)] = [
    ("model", "small/gemma.model", { try VocabularyDescription(sentencePieceModel: $0) }),
    ("unused", "small/unused.model", { try VocabularyDescription(sentencePieceModel: $0) }),
    ("json", "small/llama.json", { try VocabularyDescription(tokenizerJSON: $0) }),
    ("byte-level json", "small/gpt2.json", { try VocabularyDescription(tokenizerJSON: $0) }),
  ]

  private static let text = Array(
    "The  quick\n\nbrown <b>fox</b> 123 日本 é\u{1F600} <start_of_turn>[INST] \t\u{0}".utf8
      + [0xFF, 0xE2, 0x96])

  /// Uses what was read; an error must be a sentence.
  private static func exercise(
    _ bytes: [UInt8], _ reader: ([UInt8]) throws -> VocabularyDescription
  ) {
    do {
      let tokenizer = try Tokenizer(try reader(bytes))
      for parsing in [Tokenizer.SpecialTokenParsing.literal, .recognized] {
        let ids = tokenizer.encode(utf8: text, parsing: parsing, bos: true)
        #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
        _ = tokenizer.decode(ids)
      }
      for format in ChatFormat.allCases {
        _ = try? format.render([ChatMessage(.user, "x")], tokenizer: tokenizer)
      }
    } catch {
      let message = (error as? TokenizerError)?.message ?? ""
      #expect(message.count > 20 && message.hasSuffix("."), "\(error)")
    }
  }

  @Test("a file cut off anywhere is an error or a vocabulary", arguments: 0..<4)
  func truncation(_ form: Int) throws {
    let (_, golden, reader) = Self.forms[form]
    let bytes = try TestFiles.golden(golden)
    for count in stride(from: 0, to: bytes.count, by: form == 0 ? 3 : 17) {
      Self.exercise(Array(bytes[..<count]), reader)
    }
    for count in bytes.count - 60..<bytes.count { Self.exercise(Array(bytes[..<count]), reader) }
    for count in 0..<min(200, bytes.count) { Self.exercise(Array(bytes[..<count]), reader) }
  }

  @Test("flipped bits and overwritten bytes do no harm", arguments: 0..<4)
  func damage(_ form: Int) throws {
    let (name, golden, reader) = Self.forms[form]
    var random = SeededGenerator.announced("damage to \(name)", salt: UInt64(10 + form))
    let bytes = try TestFiles.golden(golden)
    for _ in 0..<1500 {
      var broken = bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0..<broken.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: broken[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: broken[place] = UInt8.random(in: 0...255, using: &random)
        case 2:
          broken.replaceSubrange(
            place..<min(place + 10, broken.count), with: repeatElement(0xFF, count: 10))
        case 3:
          broken.removeSubrange(
            place..<min(place + Int.random(in: 1...30, using: &random), broken.count))
        default:
          let length = min(Int.random(in: 1...60, using: &random), broken.count - place)
          let from = Int.random(in: 0...broken.count - length, using: &random)
          broken.insert(contentsOf: Array(broken[from..<from + length]), at: place)
        }
      }
      Self.exercise(broken, reader)
    }
  }

  @Test("random bytes are no vocabulary")
  func noise() {
    var random = SeededGenerator.announced("noise", salt: 20)
    for _ in 0..<2000 {
      let bytes = DecodingTests.randomBytes(Int.random(in: 0...200, using: &random), &random)
      for form in Self.forms { Self.exercise(bytes, form.reader) }
      Self.exercise(bytes) { try VocabularyDescription(llama2C: $0, vocabularySize: 259) }
    }
  }

  private func message(_ reader: () throws -> Void) -> String {
    do { try reader() } catch { return (error as? TokenizerError)?.message ?? "\(error)" }
    return "no error"
  }

  private func protobuf(_ bytes: [UInt8]) -> String {
    message { _ = try Tokenizer(VocabularyDescription(sentencePieceModel: bytes)) }
  }

  @Test("broken protobufs are refused word for word")
  func brokenProtobufs() {
    let tail = "; it is damaged or is no SentencePiece model. Download it again."
    #expect(protobuf([]) == "tokenizer.model has no pieces; it is no SentencePiece model.")
    #expect(protobuf([0x0A]) == "tokenizer.model ends inside a number at byte 1" + tail)
    #expect(
      protobuf([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01])
        == "tokenizer.model says that 18446744073709551615 bytes follow where 0 are left at byte 11"
        + tail)
    #expect(
      protobuf([0x0A] + [UInt8](repeating: 0x80, count: 11))
        == "tokenizer.model has a number of more than ten bytes at byte 11" + tail)
    #expect(
      protobuf([0x0B]) == "tokenizer.model has a field of unknown wire type 3 at byte 1" + tail)
    #expect(protobuf([0x02]) == "tokenizer.model has an impossible field number at byte 1" + tail)
    #expect(protobuf([0x0D, 0, 0]) == "tokenizer.model ends inside a number at byte 1" + tail)
    // A piece whose kind is 9, and one whose kind is 2^63.
    let wrongKind = "Piece 0 of tokenizer.model is of a kind that SentencePiece does not have."
    #expect(protobuf([0x0A, 0x05, 0x0A, 0x01, 0x61, 0x18, 0x09]) == wrongKind)
    #expect(
      protobuf([0x0A, 14, 0x0A, 0x01, 0x61, 0x18] + [UInt8](repeating: 0x80, count: 9) + [0x01])
        == wrongKind)
    // The type of model where a string is expected, and a string where a number is: both are ignored,
    // and the model is then of SentencePiece's default type.
    #expect(
      protobuf([0x0A, 0x03, 0x0A, 0x01, 0x61, 0x12, 0x03, 0x1A, 0x01, 0x02])
        == "tokenizer.model is of SentencePiece's model type 1; Facet reads BPE models that keep text "
        + "as it is, like those of Gemma, Llama 2 and Mistral.")
  }

  private func json(_ text: String) -> String {
    message { _ = try Tokenizer(VocabularyDescription(tokenizerJSON: Array(text.utf8))) }
  }

  @Test("broken JSON is refused word for word")
  func brokenJSON() {
    let tail = "; it is damaged or is no tokenizer. Download it again."
    #expect(json("") == "tokenizer.json ends too early at byte 0" + tail)
    #expect(json("[]") == "tokenizer.json lacks '{' at byte 0" + tail)
    #expect(
      json("{\"a\": \"\\u12G4\"}") == "tokenizer.json has a broken \\u escape at byte 11" + tail)
    #expect(
      json("{\"a\": \"\\x\"}") == "tokenizer.json has an unknown escape in a string at byte 9"
        + tail)
    #expect(
      json("{\"a\": nul}") == "tokenizer.json has something that is no value at byte 6" + tail)
    let deep = String(repeating: "[", count: 1_000_000)
    for key in ["x", "normalizer", "post_processor", "added_tokens"] {
      let error = json("{\"\(key)\": \(deep)")
      #expect(error.contains("nests deeper than 64 levels at byte"), "\(key)")
    }
    let objects = String(repeating: "{\"a\":", count: 200_000)
    #expect(json("{\"normalizer\": \(objects)").contains("nests deeper than 64 levels"))
  }

  private func bpe(_ vocabulary: String, _ merges: String, added: String = "") -> String {
    json(
      """
      {"added_tokens": [\(added)], "normalizer": {"type": "Replace", "pattern": {"String": " "}, \
      "content": "▁"}, "model": {"type": "BPE", "vocab": {\(vocabulary)}, "merges": [\(merges)]}}
      """)
  }

  @Test("vocabularies that contradict themselves are refused word for word")
  func contradictions() {
    let three = "\"a\": 0, \"b\": 1, \"ab\": 2"
    #expect(bpe(three, "\"a b\"") == "no error")
    #expect(bpe(three, "[\"a\", \"b\"]") == "no error")
    let unknown =
      "names or gives a piece that the vocabulary does not have; the file is damaged. Download it again."
    #expect(bpe(three, "\"a c\"") == "Merge 0 of the vocabulary, 'a c', " + unknown)
    #expect(bpe(three, "\"a b\", \"b a\"") == "Merge 1 of the vocabulary, 'b a', " + unknown)
    #expect(bpe(three, "\"\"") == "Merge 0 of the vocabulary, ' ', " + unknown)
    #expect(bpe(three, "\"ab\"") == "Merge 0 of the vocabulary, 'ab ', " + unknown)
    #expect(
      bpe("\"a\": 0, \"b\": 0", "\"a b\"")
        == "tokenizer.json gives the id 0 to two pieces; it is damaged. Download it again.")
    #expect(
      bpe("\"a\": 2147483647, \"b\": 1", "\"a b\"")
        == "tokenizer.json has 2 pieces but the id 2147483647; it is damaged or is no tokenizer. "
        + "Download it again.")
    for id in ["2147483648", "99999999999999999999", "-1", "1.5", "1e3", "\"1\"", "null"] {
      #expect(
        bpe("\"a\": \(id)", "").contains("has something that is no token id at byte"), "\(id)")
    }
    #expect(
      bpe(three, "\"a b\"", added: "{\"id\": -5, \"content\": \"x\"}")
        == "An added token of tokenizer.json has no id or no content; the file is damaged.")
    #expect(
      bpe(three, "\"a b\"", added: "{\"id\": 1}")
        == "An added token of tokenizer.json has no id or no content; the file is damaged.")
    #expect(
      bpe(three, "")
        == "The SentencePiece vocabulary has neither scores nor merges, so nothing says how text is "
        + "merged; the file is incomplete.")
    #expect(
      json("{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", 0]]}}")
        == "tokenizer.json has a vocabulary that is no table from piece to id; Facet reads BPE as Gemma, "
        + "Llama, Mistral, GPT-2 and SmolLM have it.")
  }

  @Test("GGUF arrays of different lengths, and ids outside, are refused word for word")
  func arrays() throws {
    let whole = try Vocabularies.description("gemma.gguf")
    func message(_ change: (inout VocabularyDescription) throws -> Void) -> String {
      self.message {
        var description = whole
        try change(&description)
        _ = try Tokenizer(description)
      }
    }
    let count = whole.pieces.count
    #expect(
      message { $0.scores.removeLast() }
        == "The vocabulary has \(count) pieces but \(count - 1) scores; one file, one count.")
    #expect(
      message { $0.kinds.append(1) }
        == "The vocabulary has \(count) pieces but \(count + 1) kinds; one file, one count.")
    for id in [TokenID(count), .max, -1, .min] {
      #expect(
        message { $0.bos = id }
          == "The bos token is \(id), but the vocabulary has only \(count) pieces.")
      #expect(
        message { $0.unknown = id }
          == "The unknown token is \(id), but the vocabulary has only \(count) pieces.")
    }
    #expect(
      message { $0.pieces = PackedStrings() }
        == "The vocabulary has 0 pieces; it needs between 1 and 2^30.")
    #expect(
      message { $0.pieces = try PackedStrings(bytes: [1, 2], offsets: [0, 2, 1]) }
        == "The offsets of the vocabulary's strings do not cover their 2 bytes in order; the file is "
        + "damaged. Download it again.")
    #expect(
      self.message {
        _ = try VocabularyDescription(
          ggufModel: "bert", pre: nil, pieces: whole.pieces, scores: [], kinds: [],
          merges: PackedStrings(),
          addsSpacePrefix: nil, addsBOS: nil)
      }
        == "The file's tokenizer is of type 'bert'; Facet reads 'llama' (SentencePiece) and 'gpt2' "
        + "(byte-level BPE).")
    #expect(
      self.message {
        _ = try VocabularyDescription(
          ggufModel: "gpt2", pre: "llama-bpe", pieces: whole.pieces, scores: [], kinds: [],
          merges: PackedStrings(), addsSpacePrefix: nil, addsBOS: nil)
      }
        == "The file's byte-level BPE cuts words by the rule 'llama-bpe'; Facet knows 'gpt-2' and "
        + "'smollm'.")
  }

  @Test("any kinds and scores, duplicate pieces and cyclic merges give a tokenizer that works")
  func strangeArrays() throws {
    var random = SeededGenerator.announced("strange arrays", salt: 30)
    let alphabet: [[UInt8]] = [
      [0x61], [0x62], [0xE2, 0x96, 0x81], [0x20], [0x0A], [0xC3, 0xA9], [0xFF], [0xC4, 0xA0],
      Array("<b>".utf8),
      Array("<bos>".utf8), Array("<0x61>".utf8), Array("<0xZZ>".utf8), Array("<unused7>".utf8), [],
    ]
    for round in 0..<1500 {
      var pieces = PackedStrings()
      var merges = PackedStrings()
      let count = Int.random(in: 1...40, using: &random)
      for _ in 0..<count {
        let parts = (0..<Int.random(in: 0...3, using: &random)).map { _ in
          alphabet.randomElement(using: &random) ?? []
        }
        pieces.append(parts.joined())
      }
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        let left = pieces[Int.random(in: 0..<count, using: &random)]
        merges.append(left + [0x20] + pieces[Int.random(in: 0..<count, using: &random)])
      }
      let scores = (0..<count).map { _ in
        Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
      }
      let kinds = (0..<count).map { _ in UInt8.random(in: 0...7, using: &random) }
      for (isByteLevel, hasMerges) in [(false, false), (false, true), (true, true)] {
        Self.exercise([]) { _ in
          var description = VocabularyDescription(
            model: isByteLevel ? .byteLevel(round % 2 == 0 ? .gpt2 : .smolLM) : .sentencePiece,
            pieces: pieces,
            scores: isByteLevel ? [] : scores, kinds: kinds,
            mergeTexts: hasMerges ? merges : PackedStrings(),
            dummyPrefix: round % 3 == 0 ? .everyFragment : .none, addsBOS: true)
          description.bos = 0
          description.unknown = round % 2 == 0 ? 0 : nil
          description.ignoresMergesForWholeWords = round % 5 == 0
          return description
        }
      }
    }
  }
}
