// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetModel
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

@Suite("EmbeddingGemma's architecture")
struct EncoderTests {
  struct Golden: Decodable {
    var text: String?
    var tokens: [Int32]
    var mean: [Float]
    var vector: [Float]
  }

  static let files = ["hf", "gemma-embedding.gguf"]

  static func goldens() throws -> [Golden] {
    let url = URL(fileURLWithPath: Goldens.path("embeddings/gemma/goldens.json"))
    return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: url))
  }

  static func model(
    _ file: String, _ precision: Precision = .exact, _ set: InstructionSet? = nil
  ) throws -> LanguageModel {
    try LanguageModel.load(
      path: Goldens.path("embeddings/gemma/\(file)"),
      options: .init(threads: 2, precision: precision, instructionSet: set))
  }

  @Test("vectors are those of transformers, from both kinds of file", arguments: files)
  func agreeing(_ file: String) throws {
    let model = try Self.model(file)
    let goldens = try Self.goldens()
    #expect(goldens.count == 4)
    let found = try model.embed(tokens: goldens.map(\.tokens))
    for (embedding, golden) in zip(found, goldens) {
      #expect(EmbeddingTests.distance(embedding.vector, golden.vector) < 1e-4)
    }
    let texts = goldens.compactMap(\.text)
    for (embedding, golden) in zip(try model.embed(texts), goldens) {
      #expect(embedding.tokenCount == golden.tokens.count)
      #expect(EmbeddingTests.distance(embedding.vector, golden.vector) < 1e-4)
    }
  }

  @Test("the plain backend and every instruction set agree with transformers")
  func instructionSets() throws {
    let goldens = try Self.goldens()
    for set in InstructionSet.allCases where set.isAvailable {
      let model = try Self.model("hf", .exact, set)
      for (embedding, golden) in zip(
        try model.embed(tokens: goldens.map(\.tokens)), goldens)
      {
        #expect(EmbeddingTests.distance(embedding.vector, golden.vector) < 1e-4, "\(set)")
      }
    }
  }

  @Test("the fast path is near")
  func fast() throws {
    let model = try Self.model("hf", .fast)
    for (embedding, golden) in zip(
      try model.embed(tokens: try Self.goldens().map(\.tokens)), try Self.goldens())
    {
      let exact = Embedding(vector: golden.vector, tokenCount: 0)
      #expect(embedding.similarity(to: exact) > 0.999)
    }
  }

  @Test("it generates nothing, scores nothing and is not converted")
  func refusals() throws {
    let model = try Self.model("hf")
    let sentence =
      "hf encodes texts and generates none. Use it for embeddings, or another model."
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message {
        var session = try Session(model)
        _ = try session.generate(model.prompt("The")) { _ in }
      } == sentence)
    #expect(message { _ = try model.score("The rain on the roof") } == sentence)
    // A prompt of more than two chunks asks for logits only at its end.
    #expect(
      message {
        var session = try Session(model)
        _ = try session.forward([2, 5], logits: .none)
        _ = try session.forward([6], logits: .none)
      } == sentence)
  }

  @Test("purposes are put in the model's words")
  func purposes() {
    #expect(EmbeddingPurpose.searchQuery.text("rain") == "task: search result | query: rain")
    #expect(EmbeddingPurpose.document.text("rain") == "title: none | text: rain")
    #expect(EmbeddingPurpose.document.text("rain", title: "Sky") == "title: Sky | text: rain")
    let all = EmbeddingPurpose.allCases.map { $0.text("x") }
    #expect(Set(all).count == all.count && all.allSatisfy { $0.hasSuffix(": x") })
  }
}
