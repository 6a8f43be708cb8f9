// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTestSupport
import Testing

@Suite("The way back against PyTorch's autograd")
struct GradientTests {
  /// What docs/numerics.md promises: the relative error of every tensor's gradient.
  static let tolerance = 1e-4

  /// Where there is a way back.
  static let places = Place.exact.filter { $0.backend is any TrainingBackend }

  static func best() -> any Backend { places.last?.backend ?? ReferenceBackend() }

  /// A fixture as its Hugging Face directory has it, so that rows lie as PyTorch's do.
  static func fixture(_ family: String, on backend: any Backend) throws -> Transformer {
    try Transformer(family, path: Goldens.path("fixtures/\(family)/hf"), on: backend)
  }

  static func check(
    _ gradients: Gradients, _ expected: [String: GradientGolden.Told],
    tolerance: Double = tolerance
  ) {
    #expect(Set(gradients.parameters.map(\.name)) == Set(expected.keys))
    for parameter in gradients.parameters {
      guard let told = expected[parameter.name] else { continue }
      let distance = told.distance(to: parameter.gradient.floats())
      #expect(distance <= tolerance, "\(parameter.name)")
    }
  }

  static func check(_ scores: [TargetScore], _ expected: [Float], tolerance: Float = 1e-3) {
    #expect(scores.count == expected.count)
    for (score, value) in zip(scores, expected) {
      #expect(abs(score.logProbability - value) <= tolerance)
    }
  }

  @Test(
    "gradients of all weights of a packed batch are those of its sequences alone",
    arguments: places, Oracle.families)
  func weights(place: Place, family: String) throws {
    let golden = try GradientGolden(family)
    let transformer = try Self.fixture(family, on: place.backend)
    let gradients = try Gradients(weights: transformer.weights)
    let scores = try TrainingPass(transformer)
      .differentiate(golden.batch, coefficients: golden.coefficients, adding: gradients)
    Self.check(scores, golden.logProbabilities)
    Self.check(gradients, golden.gradients)
  }

  @Test(
    "gradients of adapters are PEFT's", arguments: Oracle.families, ["lora", "rslora", "dora"])
  func adapters(family: String, kind: String) throws {
    let golden = try GradientGolden(family)
    let adapted = try #require(golden.adapters[kind])
    for place in Self.places {
      let transformer = try Self.fixture(family, on: place.backend)
      let adapter = try Adapter.golden(kind, for: transformer)
      let gradients = try Gradients(adapter: adapter)
      let pass = TrainingPass(transformer, adapter: adapter)
      Self.check(try pass.score(golden.batch), adapted.logProbabilities)
      let scores = try pass.differentiate(
        golden.batch, coefficients: golden.coefficients, adding: gradients)
      Self.check(scores, adapted.logProbabilities)
      Self.check(gradients, adapted.gradients)
    }
  }

  @Test(
    "what is kept and how many logits exist at once change no gradient", arguments: Oracle.families)
  func memory(family: String) throws {
    let golden = try GradientGolden(family)
    let transformer = try Self.fixture(family, on: Self.best())
    let gradients = try Gradients(weights: transformer.weights)
    var options = TrainingPass.Options()
    options.keptByteCount = 300_000  // some layers, not all
    options.logitsByteCount = 7 * transformer.configuration.vocabulary * 4
    let pass = TrainingPass(transformer, options: options)
    _ = try pass.differentiate(
      golden.batch, coefficients: golden.coefficients, adding: gradients)
    Self.check(gradients, golden.gradients)
  }

  @Test(
    "adapters whose layers keep their products have the same gradients", arguments: Oracle.families,
    ["lora", "dora"])
  func products(family: String, kind: String) throws {
    let golden = try GradientGolden(family)
    let adapted = try #require(golden.adapters[kind])
    let transformer = try Self.fixture(family, on: Self.best())
    let adapter = try Adapter.golden(kind, for: transformer)
    for kept in [200_000, 100 << 20] {  // some layers, all layers
      let gradients = try Gradients(adapter: adapter)
      var options = TrainingPass.Options()
      options.keptByteCount = kept
      let pass = TrainingPass(transformer, adapter: adapter, options: options)
      for _ in 0..<2 {
        gradients.reset()
        let scores = try pass.differentiate(
          golden.batch, coefficients: golden.coefficients, adding: gradients)
        Self.check(scores, adapted.logProbabilities)
        Self.check(gradients, adapted.gradients)
      }
    }
  }

  @Test("gradients that gather in bf16 are rounded, no more", arguments: Oracle.families)
  func halves(family: String) throws {
    let golden = try GradientGolden(family)
    let backend = try #require(CPUBackend(threads: 2, precision: .exact))
    let transformer = try Self.fixture(family, on: backend)
    let gradients = try Gradients(weights: transformer.weights, matrices: .bf16)
    _ = try TrainingPass(transformer)
      .differentiate(golden.batch, coefficients: golden.coefficients, adding: gradients)
    for parameter in gradients.parameters {
      let told = try #require(golden.gradients[parameter.name])
      let wide = try Tensor.zeros(rows: parameter.value.rows, columns: parameter.value.columns)
      #expect(backend.rewrite(parameter.gradient, into: wide) == nil)
      #expect(told.distance(to: wide.floats()) < 1e-2, "\(parameter.name)")
      let isNorm = parameter.tensor.role.isNorm
      #expect(parameter.gradient.dtype == (isNorm ? .f32 : .bf16))
    }
    gradients.reset()
    #expect(gradients.parameters.allSatisfy { backend.sumOfSquares($0.gradient) == 0 })
  }

  @Test("gradients add up over batches, and a pass used again gives the same")
  func adding() throws {
    let golden = try GradientGolden("gemma3")
    let transformer = try Self.fixture("gemma3", on: Self.best())
    let gradients = try Gradients(weights: transformer.weights)
    let pass = TrainingPass(transformer)
    for _ in 0..<2 {
      _ = try pass.differentiate(
        golden.batch, coefficients: golden.coefficients.map { $0 / 2 }, adding: gradients)
    }
    Self.check(gradients, golden.gradients)
    gradients.reset()
    #expect(gradients.parameters.allSatisfy { $0.gradient.floats().allSatisfy { $0 == 0 } })
  }

  @Test("the gradient at the embeddings is that of the table's rows")
  func embeddings() throws {
    let golden = try GradientGolden("llama")  // whose head is a matrix of its own
    let transformer = try Self.fixture("llama", on: Self.best())
    let gradients = try Gradients(weights: transformer.weights)
    let pass = TrainingPass(transformer)
    _ = try pass.differentiate(
      golden.batch, coefficients: golden.coefficients, adding: gradients)
    let rows = try #require(pass.embeddingGradient).floats()
    let width = transformer.configuration.width
    var table = [Float](repeating: 0, count: transformer.weights.embedding.count)
    for (row, token) in golden.tokens.enumerated() {
      for i in 0..<width { table[Int(token) * width + i] += rows[row * width + i] }
    }
    let told = try #require(golden.gradients["embedding"])
    #expect(told.distance(to: table) <= Self.tolerance)
  }
}
