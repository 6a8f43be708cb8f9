// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Testing

/// llama.cpp's own test vectors: `.inp` holds texts between separator lines, `.out` their ids.
///
/// The vocabularies are large, so these tests run where the files are: the directory of llama.cpp's
/// `ggml-vocab-*.gguf` in FACET_LLAMA_CPP_MODELS, Gemma's in the store or in FACET_GEMMA3_GGUF.
struct LlamaCppVectorTests {
  static let models = TestFiles.optional("FACET_LLAMA_CPP_MODELS", "scratch/llama.cpp/models")

  @Test(
    "ids equal llama.cpp's vectors", .enabled(if: models != nil, "no llama.cpp vocabularies here"),
    arguments: ["llama-spm", "gpt-2"])
  func vocabularies(_ name: String) throws {
    let path = try #require(Self.models) + "/ggml-vocab-\(name).gguf"
    try check(name, Tokenizer(GGUFVocabularyFile(TestFiles.bytes(path)).description()))
  }

  // Gemma 3 and 4 number their ordinary pieces alike.
  @Test(
    "Gemma 3's ids equal llama.cpp's Gemma 4 vectors",
    .enabled(if: Vocabularies.gemma3Path != nil, "\(StoredModels.needsGemma3)"))
  func gemma3() throws {
    let path = try #require(Vocabularies.gemma3Path)
    try check("gemma-4", Vocabularies.file(gguf: path))
  }

  private func check(_ name: String, _ tokenizer: Tokenizer) throws {
    let cases = try Self.vectors(name)
    #expect(cases.count > 40)
    for (text, ids) in cases {
      #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
      #expect(tokenizer.decode(ids) == text)
    }
  }

  static func vectors(_ name: String) throws -> [(text: String, ids: [TokenID])] {
    let input = String(decoding: try TestFiles.golden("llama.cpp/\(name).inp"), as: UTF8.self)
    let output = String(decoding: try TestFiles.golden("llama.cpp/\(name).out"), as: UTF8.self)
    let ids = output.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.split(separator: " ").compactMap { TokenID($0) }
    }
    let texts = input.split(separator: "\n__ggml_vocab_test__\n", omittingEmptySubsequences: false)
    return zip(texts, ids).map { (String($0), $1) }
  }
}
