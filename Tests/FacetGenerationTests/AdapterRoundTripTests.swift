// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetModel
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

/// Adapters that PEFT made on the fixtures, and its logits (Tests/Goldens/PROVENANCE.md).
@Suite("Adapters give PEFT's logits, however they reach the model")
struct AdapterRoundTripTests {
  struct Golden: Decodable {
    var tokens: [Int32]
    var base: [Float]
    var logits: [Float]
    var greedy: [Int32]

    init(_ name: String) throws {
      let url = URL(fileURLWithPath: Goldens.path("adapters/\(name)/goldens.json"))
      self = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }
  }

  static let names = [
    "gemma1-lora", "gemma2-rslora", "gemma3-dora", "llama-dora", "llama-head", "mistral-patterns",
  ]

  private func family(_ name: String) -> String { String(name.prefix { $0 != "-" }) }

  private func model(_ path: String) throws -> LanguageModel {
    try LanguageModel.load(
      path: path, options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
  }

  private func logits(_ model: LanguageModel, _ tokens: [Int32]) throws -> [Float] {
    var session = try Session(model, context: 128)
    return try session.prefill(tokens).floats()
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count, a.allSatisfy(\.isFinite) else { return .infinity }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  private func adapter(_ name: String, for model: LanguageModel) throws -> Adapter {
    try Adapter(
      AdapterCheckpoint.open(path: Goldens.path("adapters/\(name)")), for: model.configuration)
  }

  @Test("attached to the GGUF file and to the directory", arguments: names)
  func attached(_ name: String) throws {
    let golden = try Golden(name)
    for path in ["\(family(name)).gguf", "hf"] {
      let model = try model(Goldens.path("fixtures/\(family(name))/\(path)"))
      #expect(try distance(logits(model, golden.tokens), golden.base) < 1e-4)
      let adapted = try model.with(adaptersAt: [Goldens.path("adapters/\(name)")])
      #expect(try distance(logits(adapted, golden.tokens), golden.logits) < 1e-4, "\(path)")
      var session = try Session(adapted, context: 128)
      var answer: [Int32] = []
      var row = try session.prefill(golden.tokens).floats()
      for _ in golden.greedy {
        let best = Int32(row.indices.max { row[$0] < row[$1] } ?? 0)
        answer.append(best)
        row = try session.decode(best).floats()
      }
      #expect(answer == golden.greedy, "\(path)")
    }
  }

  @Test("merged into a GGUF file", arguments: names)
  func merged(_ name: String) throws {
    let golden = try Golden(name)
    try withFolder { folder in
      for (index, path) in ["\(family(name)).gguf", "hf"].enumerated() {
        let source = Goldens.path("fixtures/\(family(name))/\(path)")
        let output = folder + "merged-\(index).gguf"
        _ = try ModelConverter(ModelConverter.Options(preset: .f32)).merge(
          source, adapter(name, for: model(source)), to: output)
        #expect(try distance(logits(model(output), golden.tokens), golden.logits) < 1e-4, "\(path)")
      }
    }
  }

  @Test("merged into a directory, in its types", arguments: names)
  func mergedDirectory(_ name: String) throws {
    let golden = try Golden(name)
    let source = Goldens.path("fixtures/\(family(name))/hf")
    try withFolder { folder in
      let plain = try model(source)
      _ = try Checkpoint.open(source).merge(
        adapter(name, for: plain).scaledModules, toDirectory: folder + "merged")
      let found = try logits(model(folder + "merged"), golden.tokens)
      // F32 holds the sums; F16 and BF16 round them.
      let limit: Float = ["llama": 1e-4, "gemma1": 0.05, "mistral": 0.05][family(name)] ?? 0.5
      #expect(distance(found, golden.logits) < limit)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder + "merged").sorted()
          == FileManager.default.contentsOfDirectory(atPath: source).sorted())
      #expect(throws: CheckpointError.self) {
        try Checkpoint.open(source).merge([:], toDirectory: folder + "merged")
      }
    }
  }

  @Test("exported to PEFT's form and to GGUF, and read again", arguments: names)
  func exported(_ name: String) throws {
    let golden = try Golden(name)
    let model = try model(Goldens.path("fixtures/\(family(name))/\(family(name)).gguf"))
    let original = try AdapterCheckpoint.open(path: Goldens.path("adapters/\(name)"))
    let adapter = try Adapter(original, for: model.configuration)
    try withFolder { folder in
      let kept = ProcessInfo.processInfo.environment["FACET_ADAPTERS_OUT"]
      let folder = kept.map { $0 + "/" } ?? folder
      try adapter.checkpoint(original.configuration, for: model.configuration)
        .writePEFT(to: folder + name)
      let again = try AdapterCheckpoint.open(path: folder + name)
      #expect(again.configuration == original.configuration)
      for (module, matrices) in original.modules {
        #expect(again.modules[module]?.scale == matrices.scale, "\(module)")
      }
      let adapted = try model.with(adaptersAt: [folder + name])
      #expect(try distance(logits(adapted, golden.tokens), golden.logits) < 1e-4)
      let form = try adapter.checkpoint(
        original.configuration, for: model.configuration,
        layout: model.configuration.rotaryLayout)
      guard !original.configuration.usesDoRA else {
        #expect(throws: CheckpointError.self) { try form.writeGGUF(to: folder + "\(name).gguf") }
        return
      }
      try form.writeGGUF(to: folder + "\(name).gguf")
      let third = try model.with(adaptersAt: [folder + "\(name).gguf"])
      #expect(try distance(logits(third, golden.tokens), golden.logits) < 1e-4)
    }
  }

  @Test("a strength scales an adapter, and two halves are one whole")
  func strength() throws {
    let golden = try Golden("gemma1-lora")
    let model = try model(Goldens.path("fixtures/gemma1/gemma1.gguf"))
    var half = try adapter("gemma1-lora", for: model)
    half.strength = 0
    #expect(try distance(logits(model.with([half]), golden.tokens), golden.base) < 1e-4)
    half.strength = 0.5
    #expect(try distance(logits(model.with([half]), golden.tokens), golden.logits) > 0.01)
    #expect(try distance(logits(model.with([half, half]), golden.tokens), golden.logits) < 1e-4)
  }

  @Test("a session that changes adapters forgets what it read with the others")
  func hotSwap() throws {
    let golden = try Golden("gemma1-lora")
    let model = try model(Goldens.path("fixtures/gemma1/gemma1.gguf"))
    let adapter = try adapter("gemma1-lora", for: model)
    var session = try Session(model, context: 64)
    #expect(try distance(session.prefill(golden.tokens).floats(), golden.base) < 1e-4)
    try session.attach([adapter])
    #expect(session.tokens.isEmpty)
    #expect(try distance(session.prefill(golden.tokens).floats(), golden.logits) < 1e-4)
    try session.attach([adapter])
    #expect(session.tokens == golden.tokens)
    var fork = try session.fork()
    #expect(try distance(fork.prefill(golden.tokens).floats(), golden.logits) < 1e-4)
    try session.attach([])
    #expect(try distance(session.prefill(golden.tokens).floats(), golden.base) < 1e-4)
    let other = try self.adapter(
      "llama-dora", for: self.model(Goldens.path("fixtures/llama/llama.gguf")))
    #expect(throws: ModelError.self) { try session.attach([other]) }
  }

  @Test("a snapshot made with an adapter is refused without it, and the other way round")
  func snapshots() throws {
    let golden = try Golden("gemma1-lora")
    let model = try model(Goldens.path("fixtures/gemma1/gemma1.gguf"))
    let adapted = try model.with(adaptersAt: [Goldens.path("adapters/gemma1-lora")])
    try withFolder { folder in
      var session = try Session(adapted, context: 64)
      _ = try session.prefill(golden.tokens)
      try session.save(to: folder + "adapted")
      var plain = try Session(model, context: 64)
      #expect(throws: GenerationError.self) { try plain.restore(from: folder + "adapted") }
      var again = try Session(adapted, context: 64)
      try again.restore(from: folder + "adapted")
      #expect(again.tokens == golden.tokens)
      _ = try plain.prefill(golden.tokens)
      try plain.save(to: folder + "plain")
      let error = #expect(throws: GenerationError.self) {
        try again.restore(from: folder + "plain")
      }
      #expect(
        error?.message
          == "The snapshot '\(folder)plain' was made with another model than Fixture gemma1, or with "
          + "other adapters. Use that one, or another file.")
    }
  }
}
