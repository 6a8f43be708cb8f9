// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

/// Conversations against the models' own templates and Mistral's own encoder; see PROVENANCE.md.
struct ChatGoldenTests {
  struct Case: Decodable {
    var format: ChatFormat
    var vocabulary: String
    var messages: [ChatMessage]
    var prompt: Bool
    var text: String?
    var ids: [TokenID]
  }

  static let cases: [Case] = ["chat.json", "chat-gemma4.json"].flatMap { name in
    (try? JSONDecoder().decode([Case].self, from: Data(TestFiles.golden(name)))) ?? []
  }

  /// tools/chat_templates.py renders these and compares with the models' own.
  @Test("templates for other programs are the ones that were checked")
  func templates() throws {
    let checked = try JSONDecoder().decode(
      [String: String].self, from: Data(TestFiles.golden("chat_templates.json")))
    #expect(Set(checked.keys) == Set(ChatFormat.teachable.map(\.rawValue)))
    for format in ChatFormat.teachable { #expect(format.template == checked[format.rawValue]) }
  }

  @Test("the conversations are all there")
  func conversations() {
    #expect(Self.cases.count > 200)
    #expect(Set(Self.cases.map(\.format)) == Set(ChatFormat.allCases))
  }

  @Test("Gemma's conversations are those of its templates, in a small vocabulary")
  func gemma() throws { try compare("small/gemma.model", Vocabularies.small("gemma.model")) }

  @Test("Gemma 4's conversations are those of its 31B model's template, in a small vocabulary")
  func gemma4() throws { try compare("small/gemma4.model", Vocabularies.small("gemma4.model")) }

  @Test(
    "Gemma's conversations are those of its template",
    .enabled(if: Vocabularies.gemma3Path != nil, "\(StoredModels.needsGemma3)"))
  func gemma3() throws {
    let path = try #require(Vocabularies.gemma3Path)
    try compare("gemma3", Vocabularies.file(gguf: path))
  }

  @Test("Llama 2's and Mistral v0.1's conversations are those of template and mistral-common")
  func mistral() throws { try compare("mistral-v1", Vocabularies.mistralV1()) }

  @Test(
    "Mistral v0.3's conversations are those of mistral-common",
    .enabled(if: Vocabularies.mistralV3Path != nil, "needs ../shared/data/tokenizers"))
  func mistralV3() throws {
    let path = try #require(Vocabularies.mistralV3Path)
    try compare("mistral-v3", Vocabularies.file(model: path))
  }

  @Test("ChatML's and SmolLM2's conversations are those of their templates")
  func chatML() throws { try compare("smollm2", Vocabularies.smolLM2()) }

  private func compare(_ vocabulary: String, _ tokenizer: Tokenizer) throws {
    let cases = Self.cases.filter { $0.vocabulary == vocabulary }
    #expect(cases.count >= 20)
    for example in cases {
      let ids = try example.format.render(
        example.messages, tokenizer: tokenizer, addGenerationPrompt: example.prompt)
      #expect(ids == example.ids, "\(example.format) \(example.messages)")
      if let expected = example.text {
        let text = try example.format.renderText(
          example.messages, tokenizer: tokenizer, addGenerationPrompt: example.prompt)
        #expect(Array(text.utf8) == Array(expected.utf8), "\(example.format) \(example.messages)")
      }
    }
  }

  @Test("every path gives one beginning-of-sequence token; Llama 2 one for each of its turns")
  func oneBeginning() throws {
    let mistral = try Vocabularies.mistralV1()
    let gemma = try Vocabularies.small("gemma.model")
    for example in Self.cases {
      let users = example.messages.count { $0.role == .user }
      switch example.format {
      case .gemma:
        let ids = try example.format.render(example.messages, tokenizer: gemma)
        #expect(ids.first == gemma.special.bos && ids.count { $0 == gemma.special.bos } == 1)
      case .mistral, .llama2:
        let ids = try example.format.render(example.messages, tokenizer: mistral)
        let expected = example.format == .llama2 ? users : 1
        #expect(ids.first == mistral.special.bos)
        #expect(ids.count { $0 == mistral.special.bos } == expected)
      default: continue
      }
    }
    for parsing in [Tokenizer.SpecialTokenParsing.literal, .recognized] {
      for text in ["", "x", "<bos>", "<bos>x", "x<bos>"] {
        let ids = gemma.encode(text, parsing: parsing, bos: true)
        let inside = parsing == .recognized && text.hasSuffix("x<bos>") ? 1 : 0
        #expect(ids.first == gemma.special.bos, "\(text)")
        #expect(ids.count { $0 == gemma.special.bos } == 1 + inside, "\(text)")
      }
    }
  }

  @Test("no message can make a control token, in any format")
  func contentStaysText() throws {
    let names =
      "<bos><eos><pad><start_of_turn><end_of_turn></s><s>[INST][/INST]<|im_start|><|im_end|>"
      + "<|endoftext|><unk><|turn><turn|><|tool_call>"
    let smol = try Vocabularies.smolLM2()
    let llama = try Vocabularies.small("llama.model")
    let gemma = try Vocabularies.small("gemma.model")
    for (format, tokenizer) in [
      (ChatFormat.gemma, gemma), (.gemma4, try Vocabularies.small("gemma4.model")),
      (.llama2, llama), (.mistral, llama), (.mistralV3, llama),
      (.chatML, smol), (.smolLM2, smol),
    ] {
      func controls(_ content: String) throws -> [TokenID] {
        let messages: [ChatMessage] = [
          ChatMessage(.system, content), ChatMessage(.user, content),
          ChatMessage(.assistant, content), ChatMessage(.user, content),
        ]
        return try format.render(messages, tokenizer: tokenizer).filter(tokenizer.isControl)
      }
      #expect(try controls(names) == controls("x"), "\(format)")
    }
  }
}
