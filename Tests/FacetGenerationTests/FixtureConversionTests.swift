// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetModel
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

/// The fixtures are the same model as a Hugging Face directory, saved by transformers, and as a GGUF
/// file, written by the gguf package: what we convert from the first must be the second.
@Suite("Hugging Face directories become GGUF")
struct FixtureConversionTests {
  static let families = ["gemma1", "gemma2", "gemma3", "llama", "mistral"]

  private func converted(
    _ family: String, _ preset: QuantizationPreset = .f32, in folder: String
  ) throws -> String {
    var options = ModelConverter.Options(preset: preset)
    options.threads = 2
    _ = try ModelConverter(options).convert(
      Goldens.path("fixtures/\(family)/hf"), to: folder + "\(family).gguf")
    return folder + "\(family).gguf"
  }

  @Test("with the tensors of the gguf package's file", arguments: families)
  func tensors(_ family: String) throws {
    try withFolder { folder in
      let ours = try Checkpoint.open(converted(family, in: folder))
      let theirs = try Checkpoint.open(Goldens.path("fixtures/\(family)/\(family).gguf"))
      #expect(Set(ours.tensors.keys) == Set(theirs.tensors.keys))
      for (name, tensor) in theirs.tensors {
        let mine = try #require(ours.tensors[name])
        #expect(mine.rows == tensor.rows && mine.columns == tensor.columns)
        #expect(
          ReferenceBackend.dequantized(mine) == ReferenceBackend.dequantized(tensor), "\(name)")
      }
    }
  }

  @Test("with the hyper-parameters of the gguf package's file", arguments: families)
  func configuration(_ family: String) throws {
    try withFolder { folder in
      let theirs = try Checkpoint.open(Goldens.path("fixtures/\(family)/\(family).gguf"))
      var ours = try ModelConfiguration(Checkpoint.open(converted(family, in: folder)).architecture)
      var expected = try ModelConfiguration(theirs.architecture)
      ours.name = ""
      expected.name = ""
      #expect(ours == expected)
    }
  }

  @Test("with the tokenizer of the gguf package's file", arguments: families)
  func tokenizer(_ family: String) throws {
    func read(_ path: String) throws -> (GGUFTokenizer, GGUFVocabulary) {
      guard case .gguf(let tokenizer) = try Checkpoint.open(path).tokenizer else {
        throw CheckpointError(.unsupported, "no GGUF tokenizer in \(path)")
      }
      return (tokenizer, try tokenizer.vocabulary())
    }
    try withFolder { folder in
      let (ours, pieces) = try read(converted(family, in: folder))
      let (theirs, expected) = try read(Goldens.path("fixtures/\(family)/\(family).gguf"))
      #expect(pieces.pieces == expected.pieces && pieces.offsets == expected.offsets)
      #expect(ours.model == theirs.model && ours.addsBOS == theirs.addsBOS)
      #expect(ours.bos == theirs.bos && ours.eos == theirs.eos && ours.unknown == theirs.unknown)
      #expect((ours.addsSpacePrefix ?? true) == (theirs.addsSpacePrefix ?? true))
    }
  }

  @Test("and the model continues as transformers does", arguments: families)
  func greedy(_ family: String) throws {
    try withFolder { folder in
      let path = try converted(family, in: folder)
      let model = try LanguageModel.load(
        path: path, options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
      for name in ["one", "short", "long"] {
        let golden = try Fixture.golden(name, family: family)
        var session = try Session(model)
        var tokens = golden.tokens
        var answer: [Int32] = []
        for _ in golden.greedy {
          let logits = try session.prefill(tokens).floats()
          let best = Int32(logits.indices.max { logits[$0] < logits[$1] } ?? 0)
          tokens.append(best)
          answer.append(best)
        }
        #expect(answer == golden.greedy, "\(name)")
      }
    }
  }

  @Test("texts become the same tokens before and after", arguments: families)
  func sameTokens(_ family: String) throws {
    try withFolder { folder in
      let before = try LanguageModel.load(path: Goldens.path("fixtures/\(family)/hf"))
      let after = try LanguageModel.load(path: try converted(family, in: folder))
      for text in [
        "The rain on the roof", "  let total = 7 + 30\nDer Regen — 雨.", "", "aa  bb", "ooo",
      ] {
        #expect(after.tokenizer.encode(text) == before.tokenizer.encode(text), "\(text)")
      }
    }
  }

  @Test("importance is what transformers' hooks see")
  func importance() throws {
    struct File: Decodable {
      var tokens: [Int32]
      var chunkLength: Int
      var sums: [String: [Float]]
    }
    let url = URL(fileURLWithPath: Goldens.path("quantize/importance.json"))
    let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
    let model = try Fixture("gemma3").model
    var calls: [Int] = []
    let matrix = try model.importance(of: file.tokens, chunkLength: file.chunkLength) { done, all in
      #expect(all == 3)
      calls.append(done)
    }
    #expect(calls == [1, 2, 3])
    #expect(Set(matrix.entries.keys) == Set(file.sums.keys))
    for (name, sums) in file.sums {
      let entry = try #require(matrix.entries[name])
      #expect(entry.count == Float(file.tokens.count))
      let largest = sums.max() ?? 0
      #expect(
        zip(entry.sums, sums).allSatisfy { abs($0 - $1) < 1e-4 * abs($1) + 1e-5 * largest },
        "\(name)")
    }
  }

  @Test("texts too short for a chunk are refused in a sentence")
  func shortText() throws {
    let model = try Fixture("gemma3").model
    let error = #expect(throws: GenerationError.self) {
      try model.importance(of: [2, 5, 6], chunkLength: 40)
    }
    #expect(
      error?.message
        == "The text has 3 tokens, and one chunk takes 40. Use a longer text or smaller chunks.")
  }
}
