// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTestSupport
import Testing

@Suite("An adapter fits a model or is refused")
struct AdapterTests {
  private func model(_ family: String) throws -> ModelConfiguration {
    try ModelConfiguration(
      Checkpoint.open(Goldens.path("fixtures/\(family)/\(family).gguf")).architecture)
  }

  private func matrices(_ rows: Int, _ columns: Int, rank: Int = 2) throws -> AdapterMatrices {
    AdapterMatrices(
      a: try .zeros(rows: rank, columns: columns), b: try .zeros(rows: rows, columns: rank),
      scale: 1)
  }

  private func refusal(
    _ modules: [TensorName: AdapterMatrices], _ family: String, architecture: String? = nil,
    baseModel: String? = nil
  ) throws -> String? {
    var configuration = AdapterConfiguration()
    configuration.baseModel = baseModel
    let checkpoint = AdapterCheckpoint(
      configuration: configuration, modules: modules, path: "/some/where/tuned",
      architecture: architecture)
    do {
      _ = try Adapter(checkpoint, for: model(family))
      return nil
    } catch let error as ModelError {
      return error.message
    }
  }

  @Test("an adapter of another shape, another depth or another architecture names the tensor")
  func refusals() throws {
    let query = TensorName(.query, layer: 0)
    #expect(try refusal([query: matrices(64, 40)], "gemma1") == nil)
    #expect(
      try refusal([query: matrices(64, 48)], "gemma1", baseModel: "google/gemma-2-2b")
        == "The adapter 'tuned' changes 'layer 0 query' as if it were 64 × 48; in Fixture gemma1 it "
        + "is 64 × 40. It was made for 'google/gemma-2-2b'.")
    #expect(
      try refusal([query: matrices(64, 40), TensorName(.up, layer: 2): matrices(72, 40)], "gemma1")
        == "The adapter 'tuned' changes 'layer 2 up', which Fixture gemma1 (2 layers) does not "
        + "have. It was made for another model.")
    #expect(
      try refusal([query: matrices(64, 40)], "gemma1", architecture: "gemma3")
        == "The adapter 'tuned' is for models of the architecture 'gemma3'; Fixture gemma1 is of "
        + "'gemma'.")
    #expect(
      try refusal([:], "gemma1") == "The adapter 'tuned' matches no tensor of Fixture gemma1.")
    #expect(
      try refusal([TensorName(.embedding): matrices(320, 40)], "gemma1")?
        .contains("'embedding', which Fixture gemma1 (2 layers) does not have") == true)
  }

  @Test("an adapter of a head is refused where the head is the embedding, and taken where not")
  func head() throws {
    let tied = try model("gemma1")
    let untied = try model("llama")
    let head = TensorName(.head)
    #expect(
      try refusal([head: matrices(tied.vocabulary, tied.width)], "gemma1")
        == "The adapter 'tuned' changes the head, which in Fixture gemma1 is the embedding as well, so "
        + "that a change of one would change the other. Train it on the other matrices.")
    #expect(try refusal([head: matrices(untied.vocabulary, untied.width)], "llama") == nil)
    #expect(throws: ModelError.self) {
      try Adapter.random(tied, AdapterConfiguration(targetRoles: [.query, .head]), seed: 1)
    }
  }

  @Test("a new adapter begins like PEFT's: A uniform in ±1/√in, B zero")
  func random() throws {
    let model = try model("gemma2")
    var configuration = AdapterConfiguration(rank: 8, alpha: 16, layers: [1, 3])
    configuration.rankPattern = ["down_proj": 3]
    configuration.usesDoRA = true
    let adapter = try Adapter.random(model, configuration, seed: 7)
    #expect(adapter.modules.count == 14)
    let down = try #require(adapter.modules[TensorName(.down, layer: 3)])
    #expect(down.rank == 3 && down.scale == 16 / 3 as Float)
    for (name, matrices) in adapter.modules {
      let shape = try #require(model.shape(of: name))
      #expect(matrices.rows == shape.rows && matrices.columns == shape.columns)
      #expect(matrices.b.floats().allSatisfy { $0 == 0 })
      #expect(matrices.magnitude?.columns == shape.rows)
      let (values, bound) = (matrices.a.floats(), 1 / Float(shape.columns).squareRoot())
      #expect(values.allSatisfy { abs($0) <= bound })
      // A uniform variable's standard deviation is its bound over √3.
      let mean = values.reduce(0, +) / Float(values.count)
      let deviation = (values.reduce(0) { $0 + $1 * $1 } / Float(values.count)).squareRoot()
      #expect(abs(mean) < bound / 3)
      #expect(abs(deviation - bound / Float(3).squareRoot()) < bound / 5)
    }
    let again = try Adapter.random(model, configuration, seed: 7)
    let other = try Adapter.random(model, configuration, seed: 8)
    let query = TensorName(.query, layer: 1)
    #expect(again.modules[query]?.a.floats() == adapter.modules[query]?.a.floats())
    #expect(other.modules[query]?.a.floats() != adapter.modules[query]?.a.floats())
    configuration.layers = [4]
    #expect(throws: ModelError.self) { try Adapter.random(model, configuration, seed: 1) }
  }

  @Test("rows of queries and keys are put into the model's rotary layout and back")
  func rotaryLayout() throws {
    let model = try model("llama")
    #expect(model.rotaryLayout == .interleaved)
    let configuration = AdapterConfiguration(rank: 1, targetRoles: [.query, .value])
    var modules: [TensorName: AdapterMatrices] = [:]
    for name in model.matrixNames where configuration.targets(name) {
      let (rows, columns) = try #require(model.shape(of: name))
      let ramp = (0..<rows).map { Float($0) }
      modules[name] = AdapterMatrices(
        a: try .zeros(rows: 1, columns: columns), b: try .floats(ramp, rows: rows, columns: 1),
        magnitude: try .vector(ramp), scale: 1)
    }
    let adapter = try Adapter(
      AdapterCheckpoint(configuration: configuration, modules: modules), for: model)
    let query = try #require(adapter.modules[TensorName(.query, layer: 2)])
    // Heads of 12: the halves 0…5 and 6…11 become pairs.
    #expect(query.b.floats().prefix(14) == [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 12, 18])
    #expect(query.magnitude?.floats() == query.b.floats())
    let value = try #require(adapter.modules[TensorName(.value, layer: 2)])
    #expect(value.b.floats() == (0..<value.rows).map { Float($0) })
    let back = try adapter.checkpoint(configuration, for: model)
    #expect(
      back.modules[TensorName(.query, layer: 2)]?.b.floats()
        == (0..<query.rows).map { Float($0) })
    #expect(back.architecture == "llama" && back.rotaryLayout == .halfSplit)
  }
}
