// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTraining
import Foundation
import Testing

@Suite("Optimizer over a model")
struct OptimizerModelTests {
  /// The losses of ten steps of PyTorch (Tests/Goldens/PROVENANCE.md, gradients).
  struct Golden: Decodable {
    let tokens: [Int32]
    let lengths: [Int]
    let targets: [[Int32]]
    let curve: [Double]
  }

  @Test(
    "ten steps of AdamW on all weights have PyTorch's losses",
    arguments: ["gemma1", "gemma2", "gemma3", "llama", "mistral"])
  func curve(family: String) throws {
    let url = URL(fileURLWithPath: OptimizerFixture.golden("fixtures/\(family)/gradients.json"))
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    let backend = try #require(CPUBackend(threads: 2, precision: .exact))
    let checkpoint = try Checkpoint.open(OptimizerFixture.golden("fixtures/\(family)/hf"))
    let configuration = try ModelConfiguration(checkpoint.architecture)
    let weights = try ModelWeights(checkpoint, configuration: configuration)
      .rewritten(.f32, on: backend)
    let pass = TrainingPass(
      Transformer(configuration: configuration, weights: weights, on: backend))
    let gradients = try Gradients(weights: weights)
    let optimizer = try Optimizer(
      OptimizerSettings(beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1),
      parameters: gradients.parameters, backend: backend)
    let batch = TargetBatch(
      tokens: golden.tokens, lengths: golden.lengths,
      targets: golden.targets.map { TargetBatch.Target(row: Int($0[0]), token: $0[1]) })
    let share = 1 / Float(golden.targets.count)
    for (index, expected) in golden.curve.enumerated() {
      gradients.reset()
      let scores = try pass.differentiate(
        batch, coefficients: golden.targets.map { _ in share }, adding: gradients)
      let loss = scores.reduce(0.0) { $0 - Double($1.logProbability) } / Double(scores.count)
      #expect(abs(loss - expected) <= 1e-4, "step \(index): \(loss), not \(expected)")
      _ = try optimizer.step(learningRate: 1e-3, maxNorm: nil)
    }
    #expect(golden.curve.count == 10 && optimizer.steps == 10)
  }
}
