// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import Foundation
import Testing

@Suite("Which files of a repository make a model")
struct HubChoiceTests {
  private func choose(_ names: [String], _ selector: String? = nil) throws -> [String] {
    let reference = HubReference(owner: "o", repository: "n", selector: selector)
    let files = names.map { HubFile(name: $0, byteCount: 1) }
    return try HubChoice(reference, files).chosen().map(\.name)
  }

  private func refusal(_ names: [String], _ selector: String? = nil) async -> String {
    await message { _ = try choose(names, selector) }
  }

  @Test("of google/gemma-3-1b-it: configuration, tokenizer, weights; not the rest")
  func gemma() throws {
    #expect(
      try choose([
        ".gitattributes", "README.md", "added_tokens.json", "config.json",
        "generation_config.json", "model.safetensors", "special_tokens_map.json",
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "gemma-3-1b-it.gguf",
      ]) == [
        "added_tokens.json", "config.json", "generation_config.json", "model.safetensors",
        "special_tokens_map.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json",
      ])
  }

  @Test("of shards: those of model.safetensors.index.json, not consolidated, original or .bin")
  func shards() throws {
    #expect(
      try choose([
        "config.json", "consolidated.safetensors", "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors", "model.safetensors.index.json",
        "original/consolidated.00.pth", "pytorch_model-00001-of-00001.bin",
        "pytorch_model.bin.index.json", "chat_template.jinja", "onnx/model.safetensors",
      ]) == [
        "chat_template.jinja", "config.json", "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors", "model.safetensors.index.json",
      ])
  }

  @Test("a shard that is not listed")
  func missingShard() async {
    #expect(
      await refusal([
        "config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json",
      ]) == "'hf:o/n' lacks part 2 of 2 of 'model-00001-of-00002.safetensors'.")
  }

  static let quantised = [
    "README.md", "config.json", "m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-Q4_K_S.gguf",
    "m-f16-00001-of-00002.gguf", "m-f16-00002-of-00002.gguf", "mmproj-m-f16.gguf",
    "big/m-BF16.gguf", "m.imatrix.gguf",
  ]

  @Test(
    "a selector is a file, or a word or part of one, whatever the case",
    arguments: [
      ("m-Q4_0.gguf", ["m-Q4_0.gguf"]), ("Q4_0", ["m-Q4_0.gguf"]), ("q4_k_m", ["m-Q4_K_M.gguf"]),
      ("K_S", ["m-Q4_K_S.gguf"]), ("BF16", ["big/m-BF16.gguf"]),
      ("f16", ["m-f16-00001-of-00002.gguf", "m-f16-00002-of-00002.gguf"]),
      ("m-f16-00002-of-00002.gguf", ["m-f16-00001-of-00002.gguf", "m-f16-00002-of-00002.gguf"]),
      ("mmproj-m-f16.gguf", ["mmproj-m-f16.gguf"]),
      ("big/m-BF16", ["big/m-BF16.gguf"]), ("m-Q4_0", ["m-Q4_0.gguf"]),
    ])
  func selectors(_ selector: String, _ files: [String]) throws {
    #expect(try choose(Self.quantised, selector) == files)
  }

  @Test("several GGUF files and none chosen, too many chosen, none found")
  func ambiguous() async {
    #expect(
      await refusal(Self.quantised)
        == "'hf:o/n' holds 5 models. Name one, as in hf:o/n:big/m-BF16.gguf: big/m-BF16.gguf, "
        + "m-Q4_0.gguf, m-Q4_K_M.gguf, m-Q4_K_S.gguf, m-f16-00001-of-00002.gguf.")
    #expect(
      await refusal(Self.quantised, "Q4_K")
        == "':Q4_K' means several files of 'hf:o/n': m-Q4_K_M.gguf, m-Q4_K_S.gguf. Name one.")
    #expect(
      await refusal(["a.gguf", "b.gguf"], "Q9")
        == "'hf:o/n' has no GGUF file 'Q9'. It has a.gguf, b.gguf.")
    #expect(
      await refusal(["config.json", "model.safetensors"], "Q4_0")
        == "'hf:o/n' has no GGUF file from which ':Q4_0' could choose. Leave it out for the whole "
        + "model.")
    #expect(
      await refusal(["m-00001-of-00002.gguf"])
        == "'hf:o/n' lacks part 2 of 2 of 'm-00001-of-00002.gguf'.")
  }

  @Test("the only GGUF file needs no selector")
  func onlyOne() throws {
    #expect(try choose(["README.md", "config.json", "x.gguf"]) == ["x.gguf"])
  }

  @Test("no model, an adapter")
  func noModel() async {
    #expect(
      await refusal(["README.md", "pytorch_model.bin", "config.json"])
        == "'hf:o/n' holds no model that Facet reads: neither model.safetensors with its config.json "
        + "nor a GGUF file.")
    #expect(
      await refusal(["adapter_model.safetensors", "adapter_config.json"])
        == "'hf:o/n' has weights but no config.json: it is not a model by itself, but perhaps an "
        + "adapter for one.")
  }

  @Test(
    "a name that leads out of the library spoils the whole list",
    arguments: [
      "../x.gguf", "/etc/passwd", "a//b.gguf", "a/../../b.gguf", "..", "", "a/./b", "a\\b.gguf",
      "a\0b", "x/",
    ])
  func traversal(_ name: String) async {
    #expect(
      await refusal(["config.json", "model.safetensors", name])
        == "'hf:o/n' lists a file '\(PlainText.line(name))', whose name would lead out of the "
        + "library. Nothing was fetched.")
  }

  @Test("a harmless name that the library cannot keep is refused only when it is the one")
  func oddName() async throws {
    #expect(
      await refusal(["my model.gguf"])
        == "The file 'my model.gguf' of 'hf:o/n' has a name that the library cannot keep. Download "
        + "it by hand and give Facet its path.")
    #expect(try choose(["my model.gguf", "x-Q4_0.gguf"], "Q4_0") == ["x-Q4_0.gguf"])
  }

  @Test("names of parts")
  func parts() {
    #expect(SplitFile("a-b-00002-of-00010.gguf")?.part == 2)
    #expect(SplitFile("a-b-00002-of-00010.gguf")?.stem == "a-b")
    for name in [
      "a.gguf", "a-00000-of-00002.gguf", "a-00003-of-00002.gguf", "a-1-of-2.gguf", "-of-",
      "a-0000x-of-00002.gguf", "a-00001-of-00002", "", "a-00001-of-9999999999999999999.gguf",
    ] {
      #expect(SplitFile(name) == nil, "\(name)")
    }
  }

  @Test("the card's licence, in the forms that cards have")
  func licences() throws {
    func terms(_ card: String, _ tags: String = "[]") throws -> Licence {
      let text = #"{"sha":"abc","siblings":[],"tags":\#(tags),"cardData":\#(card)}"#
      return try #require(HubPage(Data(text.utf8))).terms(page: "PAGE")
    }
    #expect(try terms(#"{"license":"gemma"}"#) == .gemma)
    #expect(try terms(#"{"license":["apache-2.0","mit"]}"#) == .apache)
    #expect(try terms("null", #"["x","license:llama2"]"#) == .llama2)
    #expect(try terms("{}") == .named(nil, page: "PAGE"))
    #expect(try terms(#"{"license":{"odd":1}}"#).name == "not stated")
    #expect(try terms("7").name == "not stated")
    #expect(
      try terms(
        #"{"license":"other","license_name":"my-terms","license_link":"https://x.org/t"}"#)
        == Licence(
          name: "my-terms", notice: "The model's page states its licence as 'my-terms'.",
          url: "https://x.org/t"))
    #expect(
      try terms(#"{"license":"other","license_name":"t","license_link":"LICENSE"}"#).url == "PAGE")
    #expect(try terms("{\"license\":\"a\\u001b[31m\\nb\"}").name == "a [31m b")
  }
}
