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

@Suite("Models are converted")
struct ModelConverterTests {
  static let prompt: [Int32] = [2, 261, 265, 270, 260, 275, 264, 284, 262, 262, 271]

  private func options(
    _ preset: QuantizationPreset, threads: Int = 2
  ) -> ModelConverter.Options {
    var options = ModelConverter.Options(preset: preset)
    options.threads = threads
    return options
  }

  private func logits(_ path: String) throws -> [Float] {
    let model = try LanguageModel.load(
      path: path, options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
    var session = try Session(model, context: 64)
    return try session.forward(Self.prompt, logits: .all).floats()
  }

  /// The length of a − b in terms of that of b.
  private func distance(_ a: [Float], _ b: [Float]) -> Double {
    let error = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    return (error / b.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
  }

  /// How far the logits may stray: about 1.35 times what was measured.
  ///
  /// A random model has no structure that would forgive errors.
  static let limits: [(QuantizationPreset, Double)] = [
    (.f32, 0), (.bf16, 0.006), (.f16, 0.0008), (.q8_0, 0.018), (.q6_K, 0.06), (.q5_K_M, 0.09),
    (.q5_K_S, 0.095), (.q5_0, 0.11), (.q5_1, 0.1), (.q4_K_M, 0.165), (.q4_K_S, 0.165),
    (.q4_0, 0.21), (.q4_1, 0.19), (.q3_K, 0.28), (.q2_K, 0.48),
  ]

  @Test("every preset gives a model that runs and says nearly the same", arguments: limits)
  func everyPreset(_ preset: QuantizationPreset, _ limit: Double) throws {
    try withFolder { folder in
      try RandomModel().write(to: folder + "in.gguf")
      let summary = try ModelConverter(options(preset)).convert(
        folder + "in.gguf", to: folder + "out.gguf")
      let strayed = distance(try logits(folder + "out.gguf"), try logits(folder + "in.gguf"))
      #expect(strayed <= limit)
      let base = Double(preset.base.blockByteCount * 8) / Double(preset.base.blockSize)
      #expect(summary.bitsPerWeight > base - 0.01 && summary.bitsPerWeight < base + 1.7)
      let model = try LanguageModel.load(path: folder + "out.gguf")
      var session = try Session(model, context: 32)
      let answer = try session.transcript(
        Prompt(tokens: Self.prompt), GenerationOptions(sampling: .greedy, maxTokens: 8))
      #expect(!answer.tokens.isEmpty)
    }
  }

  @Test("the bytes do not depend on threads, and F32 to F32 copies")
  func deterministic() throws {
    try withFolder { folder in
      try RandomModel().write(to: folder + "in.gguf")
      func bytes(_ preset: QuantizationPreset, _ threads: Int, _ source: String) throws -> Data {
        let path = folder + "\(preset)-\(threads).gguf"
        _ = try ModelConverter(options(preset, threads: threads)).convert(source, to: path)
        return try Data(contentsOf: URL(fileURLWithPath: path))
      }
      let input = folder + "in.gguf"
      #expect(try bytes(.q4_K_M, 1, input) == bytes(.q4_K_M, 3, input))
      let copied = try bytes(.f32, 1, input)
      #expect(try bytes(.f32, 2, folder + "f32-1.gguf") == copied)
      let (a, b) = (try Checkpoint.open(input), try Checkpoint.open(folder + "f32-1.gguf"))
      #expect(a.architecture == b.architecture)
      #expect(a.tensors.count == b.tensors.count)
      for (name, tensor) in a.tensors {
        #expect(b.tensors[name]?.floats() == tensor.floats(), "\(name)")
      }
    }
  }

  @Test("events tell of every tensor, and throwing stops without a trace")
  func events() throws {
    struct Stop: Error {}
    try withFolder { folder in
      try RandomModel(layers: 1).write(to: folder + "in.gguf")
      var tensors: [ConvertedTensor] = []
      var started: (Int, Int)?
      let converter = ModelConverter(options(.q8_0))
      let summary = try converter.convert(folder + "in.gguf", to: folder + "out.gguf") { event in
        switch event {
        case .started(let count, _, let bytes): started = (count, bytes)
        case .tensor(let tensor): tensors.append(tensor)
        case .finished(let summary): #expect(summary.preset == "Q8_0")
        }
      }
      #expect(started?.0 == tensors.count && summary.tensors == tensors.count)
      #expect(tensors.map(\.index) == Array(0..<15))
      #expect(tensors.reduce(0) { $0 + $1.byteCount } == started?.1)
      #expect(tensors.first?.name == "token_embd.weight" && tensors.first?.to == "Q8_0")
      #expect(tensors.last?.name == "output_norm.weight" && tensors.last?.to == "F32")
      #expect(throws: Stop.self) {
        try converter.convert(folder + "in.gguf", to: folder + "other.gguf") { event in
          if case .tensor(let tensor) = event, tensor.index == 3 { throw Stop() }
        }
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(left) == ["in.gguf", "out.gguf"])
    }
  }

  @Test("a cancelled task leaves nothing behind")
  func cancellation() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/cancel-\(UUID().uuidString)/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try RandomModel(layers: 1).write(to: folder + "in.gguf")
    let converter = ModelConverter(options(.q8_0))
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try converter.convert(folder + "in.gguf", to: folder + "out.gguf")
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["in.gguf"])
  }

  @Test("what cannot be done is refused in a sentence")
  func refusals() throws {
    try withFolder { folder in
      let (input, output) = (folder + "in.gguf", folder + "out.gguf")
      func message(_ options: ModelConverter.Options, _ from: String, _ to: String) -> String? {
        #expect(throws: CheckpointError.self) {
          try ModelConverter(options).convert(from, to: to)
        }?.message
      }
      try RandomModel(layers: 1).write(to: input)
      _ = try ModelConverter(options(.q8_0)).convert(input, to: output)
      #expect(
        message(options(.q4_0), input, output)
          == "'\(output)' is there already. Choose another name or allow overwriting (--force).")
      #expect(
        message(options(.q4_0), input, folder)
          == "'\(folder)' is a directory; name a file to write.")
      #expect(
        message(options(.q4_0), output, folder + "again.gguf")
          == "'\(output)' is quantised already: 'token_embd.weight' is Q8_0. To round it to Q6_K loses "
          + "more than rounding the original once. Convert the original, or allow requantising "
          + "(--requantize).")
      #expect(
        message(options(.q4_0, threads: 0), input, folder + "again.gguf")
          == "The number of threads is 0; it must lie between 1 and 1024.")
      #expect(
        message(options(.q4_0), input, folder + "none/out.gguf")
          == "Cannot write '\(folder)none/out.gguf': No such file or directory.")
      for (value, ending) in [
        (Float.nan, "holds an infinity or a NaN. The file is damaged or its training failed."),
        (1e38, "holds numbers too large for Q4_0. Choose another type."),
      ] {
        try RandomModel(layers: 1, spoiled: [256 * 5 + 9: value]).write(to: folder + "spoiled.gguf")
        #expect(
          message(options(.q4_0), folder + "spoiled.gguf", folder + "never.gguf")
            == "Row 5 of tensor 'blk.0.attn_v.weight' of '\(folder)spoiled.gguf' \(ending)")
        #expect(!FileManager.default.fileExists(atPath: folder + "never.gguf"))
      }
      var allowed = options(.q4_0)
      allowed.requantization = .allowed
      allowed.overwriting = .allowed
      _ = try ModelConverter(allowed).convert(output, to: output)
      #expect(try Checkpoint.open(output).tensors[TensorName(.up, layer: 0)]?.dtype == .q4_0)
    }
  }

  @Test("expanding a quantised model to F32 loses nothing and needs no leave")
  func expansion() throws {
    try withFolder { folder in
      try RandomModel(layers: 1).write(to: folder + "in.gguf")
      _ = try ModelConverter(options(.q5_K_S)).convert(folder + "in.gguf", to: folder + "q.gguf")
      _ = try ModelConverter(options(.f32)).convert(folder + "q.gguf", to: folder + "f.gguf")
      #expect(try logits(folder + "q.gguf") == logits(folder + "f.gguf"))
    }
  }

  @Test("importance makes the errors that count smaller, and must fit the model")
  func importance() throws {
    try withFolder { folder in
      try RandomModel().write(to: folder + "in.gguf")
      let model = try LanguageModel.load(path: folder + "in.gguf")
      var random = RandomGenerator(seed: 5)
      let text = (0..<256).map { _ in Int32(260 + random.next() % 26) }
      let matrix = try model.importance(of: text, chunkLength: 64, dataset: "letters")
      #expect(matrix.entries.count == 3 * 7 && matrix.chunkCount == 4)
      var changed = options(.q3_K)
      changed.importance = matrix
      _ = try ModelConverter(options(.q3_K)).convert(folder + "in.gguf", to: folder + "a.gguf")
      _ = try ModelConverter(changed).convert(folder + "in.gguf", to: folder + "b.gguf")
      func error(_ path: String) throws -> Double {
        let (exact, rounded) = (try Checkpoint.open(folder + "in.gguf"), try Checkpoint.open(path))
        var total = 0.0
        for role in [TensorRole.gate, .query, .down] {
          let name = TensorName(role, layer: 1)
          let entry = try #require(matrix[name])
          let a = ReferenceBackend.dequantized(try #require(rounded.tensors[name]))
          let b = try #require(exact.tensors[name]).floats()
          for index in a.indices {
            let weight = Double(entry.sums[index % entry.sums.count] / entry.count)
            total += weight * Double(a[index] - b[index]) * Double(a[index] - b[index])
          }
        }
        return total
      }
      #expect(try error(folder + "b.gguf") < 0.98 * error(folder + "a.gguf"))
      let entry = ImportanceMatrix.Entry(sums: [1, 2], count: 1)
      changed.importance = ImportanceMatrix(entries: ["blk.1.ffn_up.weight": entry])
      let refusal = #expect(throws: CheckpointError.self) {
        try ModelConverter(changed).convert(folder + "in.gguf", to: folder + "c.gguf")
      }
      #expect(
        refusal?.message
          == "The importance of 'blk.1.ffn_up.weight' has 2 columns, the matrix 256. They do not "
          + "belong to the same model.")
    }
  }

  static let stories = Goldens.path("../../../shared/data/stories260k/stories260K.bin")

  @Test(
    "a llama2.c checkpoint becomes GGUF and tells the same story",
    .enabled(if: FileManager.default.fileExists(atPath: stories)))
  func llama2c() throws {
    try withFolder { folder in
      _ = try ModelConverter(options(.f32)).convert(Self.stories, to: folder + "out.gguf")
      func story(_ path: String) throws -> String {
        let model = try LanguageModel.load(
          path: path, options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
        var session = try Session(model, context: 128)
        let prompt = Prompt(tokens: model.tokenizer.encode("Once upon a time"))
        return try session.transcript(
          prompt, GenerationOptions(sampling: .greedy, maxTokens: 60)
        ).text
      }
      let told = try story(folder + "out.gguf")
      #expect(try told == story(Self.stories))
      #expect(told.hasPrefix(", there was a little girl named Lily."))
    }
  }
}
