// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer

/// The tokenizers that tests use.
enum Vocabularies {
  static let gemma3Path =
    TestFiles.optional("FACET_GEMMA3_GGUF", "scratch/models/gemma3-270m.gguf")
    ?? StoredModels.path(sha256: StoredModels.gemma3Hash)
  static let mistralV3Path = TestFiles.optional(
    "FACET_MISTRAL_V3_MODEL", "shared/data/tokenizers/mistral-v3.tokenizer.model")

  /// A vocabulary of Tests/Goldens/tokenizer/small in one of its forms.
  static func small(_ file: String) throws -> Tokenizer { try Tokenizer(description(file)) }

  static func description(_ file: String) throws -> VocabularyDescription {
    let bytes = try TestFiles.golden("small/" + file)
    if file.hasSuffix(".gguf") { return try GGUFVocabularyFile(bytes).description() }
    if file.hasSuffix(".json") { return try VocabularyDescription(tokenizerJSON: bytes) }
    return try VocabularyDescription(sentencePieceModel: bytes)
  }

  static func mistralV1() throws -> Tokenizer {
    let bytes = try TestFiles.golden("mistral-v1.tokenizer.model")
    return try Tokenizer(VocabularyDescription(sentencePieceModel: bytes))
  }

  static func file(model path: String) throws -> Tokenizer {
    try Tokenizer(VocabularyDescription(sentencePieceModel: TestFiles.bytes(path)))
  }

  static func file(gguf path: String) throws -> Tokenizer {
    try Tokenizer(GGUFVocabularyFile(TestFiles.prefix(path)).description())
  }

  /// SmolLM2's vocabulary: the pieces that no merge gives, then for each merge what it gives.
  static func smolLM2() throws -> Tokenizer {
    var pieces = PackedStrings()
    var kinds: [UInt8] = []
    let first = try TestFiles.golden("smollm2.pieces").split(separator: 0x0A)
    for (id, piece) in first.enumerated() {
      pieces.append(piece)
      kinds.append((id < 17 ? PieceKind.control : .normal).rawValue)
    }
    var merges = PackedStrings()
    let pairs = try TestFiles.golden("smollm2.merges")
    for start in stride(from: 0, to: pairs.count, by: 4) {
      let left = pieces[Int(pairs[start]) | Int(pairs[start + 1]) << 8]
      let right = pieces[Int(pairs[start + 2]) | Int(pairs[start + 3]) << 8]
      pieces.append(left + right)
      kinds.append(PieceKind.normal.rawValue)
      merges.append(left + [0x20] + right)
    }
    var description = try VocabularyDescription(
      ggufModel: "gpt2", pre: "smollm", pieces: pieces, scores: [], kinds: kinds, merges: merges,
      addsSpacePrefix: false, addsBOS: false)
    description.bos = 1
    description.eos = 2
    description.unknown = 0
    description.padding = 2
    return try Tokenizer(description)
  }
}
