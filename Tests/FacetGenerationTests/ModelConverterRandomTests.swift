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

@Suite("A model that has learned nothing")
struct ModelConverterRandomTests {
  /// The configuration and the tokenizer of a fixture, with some settings replaced, without its weights.
  private func directory(_ family: String, _ change: [String: Any] = [:]) throws -> String {
    let folder = try Scratch.folder("random")
    let source = Goldens.path("fixtures/\(family)/hf")
    for name in ["tokenizer.model", "tokenizer.json", "tokenizer_config.json"]
    where FileManager.default.fileExists(atPath: source + "/" + name) {
      try FileManager.default.copyItem(atPath: source + "/" + name, toPath: folder + "/" + name)
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: source + "/config.json"))
    var config = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    for (key, value) in change { config[key] = value is NSNull ? nil : value }
    try JSONSerialization.data(withJSONObject: config)
      .write(to: URL(fileURLWithPath: folder + "/config.json"))
    return folder
  }

  private func initialize(_ directory: String, seed: UInt64 = 7) throws -> String {
    let path = directory + "/model-\(seed).gguf"
    var options = ModelConverter.Options(preset: .f32)
    options.overwriting = .allowed
    _ = try ModelConverter(options).initialize(directory, seed: seed, to: path)
    return path
  }

  @Test(
    "has the shapes of its configuration, normal weights, and norms of 1",
    arguments: ["gemma1", "gemma2", "gemma3", "llama", "mistral"])
  func weights(family: String) throws {
    let path = try initialize(directory(family, ["initializer_range": 0.05]))
    let model = try LanguageModel.load(path: path)
    let original = try LanguageModel.load(path: Goldens.path("fixtures/\(family)/hf"))
    #expect(model.configuration.layers == original.configuration.layers)
    #expect(
      model.transformer.weights.named.map(\.name) == original.transformer.weights.named.map(\.name))
    for (name, tensor) in model.transformer.weights.named {
      let values = tensor.floats()
      if name.role.isNorm {
        #expect(values.allSatisfy { $0 == 1 }, "\(name)")
        continue
      }
      let count = Float(values.count)
      let mean = values.reduce(0, +) / count
      let deviation = (values.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
      // Five standard errors.
      #expect(abs(mean) < 5 * 0.05 / count.squareRoot(), "\(name)")
      #expect(abs(deviation - 0.05) < 5 * 0.05 / (2 * count).squareRoot(), "\(name)")
      // Of a normal distribution 4.55 % lie beyond two deviations.
      let beyond = Float(values.count { abs($0) > 0.1 }) / count
      #expect(abs(beyond - 0.0455) < 5 * (0.0455 / count).squareRoot(), "\(name)")
    }
    #expect(model.tokenizer.encode("What is it?") == original.tokenizer.encode("What is it?"))
  }

  @Test("the seed decides the weights")
  func seeds() throws {
    let directory = try directory("gemma3")
    func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
    let first = try bytes(initialize(directory))
    #expect(try bytes(initialize(directory)) == first)
    #expect(try bytes(initialize(directory, seed: 8)) != first)
  }

  @Test("what is missing is said in words")
  func refusals() throws {
    func message(_ directory: String) -> String {
      do {
        _ = try initialize(directory)
        return "nothing"
      } catch {
        return "\(error)"
      }
    }
    let large = try directory("gemma3", ["vocab_size": 9999])
    let pieces = try LanguageModel.load(path: Goldens.path("fixtures/gemma3/hf")).tokenizer
      .vocabularySize
    #expect(
      message(large)
        == "config.json of '\(large)' wants 9999 tokens ('vocab_size'), and the tokenizer has \(pieces) "
        + "pieces. Make vocab_size \(pieces), or bring another tokenizer.")
    let silent = try directory("llama", ["vocab_size": NSNull()])
    #expect(message(silent).hasPrefix("config.json of '\(silent)' does not say 'vocab_size'. "))
    #expect(
      message("/nowhere")
        == "'/nowhere' is no directory with a config.json. It must hold one, and tokenizer.model or "
        + "tokenizer.json.")
  }
}
