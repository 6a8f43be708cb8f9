// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Testing

/// Ids on eleven thousand lines against sentencepiece and tokenizers; see PROVENANCE.md.
struct CorpusTests {
  @Test("the corpus is whole")
  func corpus() {
    #expect(Corpus.lines.count > 11_000)
    #expect(Corpus.lines.contains(Array("\r\n\r\n".utf8)) || Corpus.lines.contains([]))
  }

  @Test(
    "Gemma 3's ids equal sentencepiece's on every line",
    .enabled(if: Vocabularies.gemma3Path != nil, "\(StoredModels.needsGemma3)"))
  func gemma3() throws {
    let path = try #require(Vocabularies.gemma3Path)
    try compare("gemma3", try Vocabularies.file(gguf: path))
  }

  @Test("Mistral v1's ids equal sentencepiece's on every line")
  func mistralV1() throws { try compare("mistral-v1", try Vocabularies.mistralV1()) }

  @Test(
    "Mistral v3's ids equal sentencepiece's on every line",
    .enabled(if: Vocabularies.mistralV3Path != nil, "needs ../shared/data/tokenizers"))
  func mistralV3() throws {
    let path = try #require(Vocabularies.mistralV3Path)
    try compare("mistral-v3", try Vocabularies.file(model: path))
  }

  @Test("SmolLM2's ids equal tokenizers' on every line")
  func smolLM2() throws { try compare("smollm2", try Vocabularies.smolLM2()) }

  @Test("ids equal tokenizers' where control tokens are recognised")
  func recognized() throws {
    for (name, tokenizer) in [
      ("smollm2-special", try Vocabularies.smolLM2()),
      ("small/llama-special", try Vocabularies.small("llama.json")),
      ("small/llama-special", try Vocabularies.small("llama.gguf")),
      ("small/gemma-special", try Vocabularies.small("gemma.json")),
      ("small/gemma-special", try Vocabularies.small("gemma.model")),
    ] {
      let numbers = String(decoding: try TestFiles.golden(name + ".lines"), as: UTF8.self)
        .split(separator: "\n").compactMap { Int($0) }
      try compare(
        name, tokenizer, lines: numbers.map { Corpus.lines[$0] }, parsing: .recognized)
    }
  }

  @Test(
    "SmolLM2's own file gives the ids of its committed vocabulary",
    .enabled(
      if: StoredModels.path(sha256: StoredModels.smolLM2Hash) != nil,
      "needs smollm2:135m in the store"))
  func smolLM2File() throws {
    let path = try #require(StoredModels.path(sha256: StoredModels.smolLM2Hash))
    try compare("smollm2", try Vocabularies.file(gguf: path))
  }

  @Test(
    "a small vocabulary gives the oracle's ids in every form",
    arguments: [
      "gemma.model", "gemma.gguf", "gemma.json", "llama.model", "llama.gguf", "llama.json",
      "llama-metaspace.json", "unused.model", "no-bytes.model", "no-space.model", "gpt2.json",
      "gpt2.gguf", "smollm.json", "smollm.gguf", "whole-words.json",
    ])
  func small(_ file: String) throws {
    let name = try #require(file.split(separator: ".").first)
    try compare("small/\(name)", try Vocabularies.small(file))
  }

  @Test("Llama 3's word pattern is refused, not taken for another")
  func otherSplit() {
    #expect {
      try Vocabularies.small("llama3-split.json")
    } throws: { error in
      (error as? TokenizerError)?.message
        == "tokenizer.json cuts text in an unknown way with the pre-tokenizer 'Split'; Facet "
        + "reads BPE as Gemma, Llama, Mistral, GPT-2 and SmolLM have it."
    }
  }

  private func compare(
    _ name: String, _ tokenizer: Tokenizer, lines: [[UInt8]] = Corpus.lines,
    parsing: Tokenizer.SpecialTokenParsing = .literal
  ) throws {
    let hashes = try Corpus.hashes(name)
    let ids = try Corpus.ids(name)
    // So many lines, then each hundred of them as one text.
    let count = hashes.count * 100 / 101
    let lines = lines.prefix(count) + Corpus.blocks(lines.prefix(count))
    #expect(lines.count == hashes.count && count > 100 && ids.count >= 100)
    var wrong = 0
    for (index, hash) in hashes.enumerated() {
      let ours = tokenizer.encode(utf8: lines[index], parsing: parsing)
      if index < ids.count { #expect(ours == ids[index], "line \(index)") }
      guard Corpus.hash(ours) != hash else { continue }
      wrong += 1
      if wrong < 20 {
        let text = String(decoding: lines[index], as: UTF8.self).debugDescription
        Issue.record("\(name), line \(index): \(text) became \(ours)")
      }
    }
    #expect(wrong == 0)
  }
}
