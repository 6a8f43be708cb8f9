// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTestSupport
import FacetTraining
import Foundation
import Testing

extension RealModelTests {
  /// Twenty steps of transformers and PEFT (Tests/Goldens/PROVENANCE.md).
  private struct Tuning: Decodable {
    let batches: [[[Int32]]]
    let losses: [Double]
  }

  /// Uniform noise of the goldens' script: SplitMix64's mix, between -1 and 1.
  private static func noise(_ seed: UInt64, _ count: Int) -> [Float] {
    (0..<count).map { index in
      var z = seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return Float(Double((z ^ (z >> 31)) >> 40) * 0x1p-23 - 1)
    }
  }

  /// The adapter that the script begins with: A noise over the root of its columns, B zero.
  private static func adapter(_ weights: ModelWeights) throws -> Adapter {
    let order: [TensorRole] = [
      .embedding, .head, .finalNorm, .attentionNorm, .query, .key, .value, .attentionOutput,
      .queryNorm, .keyNorm, .postAttentionNorm, .feedForwardNorm, .gate, .up, .down,
    ]
    var modules: [TensorName: AdapterMatrices] = [:]
    for (name, matrix) in weights.named
    where AdapterConfiguration.linearRoles.contains(name.role) {
      let role = try #require(order.firstIndex(of: name.role))
      let seed = UInt64(100 * (name.layer ?? 0) + role)
      let root = Float(matrix.columns).squareRoot()
      modules[name] = AdapterMatrices(
        a: try .floats(
          noise(seed, 16 * matrix.columns).map { $0 / root }, rows: 16, columns: matrix.columns),
        b: try .zeros(rows: matrix.rows, columns: 16), scale: 2)
    }
    return Adapter(modules: modules)
  }

  @Test(
    "steps of LoRA have the losses of transformers and PEFT: the first six, or all twenty where asked",
    arguments: [(Precision.exact, 1e-4), (.mixed, 0.01)])
  func tuning(precision: Precision, tolerance: Double) throws {
    let url = URL(fileURLWithPath: Goldens.path("gemma3-270m/tuning.json"))
    let golden = try JSONDecoder().decode(Tuning.self, from: Data(contentsOf: url))
    let checkpoint = try Checkpoint.open(#require(RealModel.path))
    let configuration = try ModelConfiguration(checkpoint.architecture)
    let weights = try ModelWeights(checkpoint, configuration: configuration)
    let backend = try #require(CPUBackend(precision: precision))
    let adapter = try Self.adapter(weights)
    let gradients = try Gradients(adapter: adapter)
    let pass = TrainingPass(
      Transformer(configuration: configuration, weights: weights, backend: backend),
      adapter: adapter)
    let optimizer = try Optimizer(
      OptimizerSettings(), parameters: gradients.parameters, backend: backend)
    #expect(golden.losses.count == 20)
    for (batch, expected) in zip(golden.batches, golden.losses).prefix(Quality.isAsked ? 20 : 6) {
      let packed = PackedBatch(
        examples: batch.map { tokens in
          TrainingExample(
            tokens: tokens, isTarget: tokens.indices.map { $0 > 0 }, line: 1, source: "")
        }
      ).targetBatch
      gradients.reset()
      let scores = try pass.differentiate(
        packed, coefficients: packed.targets.map { _ in 1 / Float(packed.targets.count) },
        adding: gradients)
      let loss = -scores.reduce(0.0) { $0 + Double($1.logProbability) } / Double(scores.count)
      #expect(abs(loss - expected) <= tolerance * expected, "\(loss) for \(expected)")
      _ = try optimizer.step(learningRate: 2e-4, maxNorm: nil)
    }
  }
}
