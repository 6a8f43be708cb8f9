// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTraining
import Testing

@Suite("Optimizer: what it refuses")
struct OptimizerErrorTests {
  private static func optimizer(
    _ settings: OptimizerSettings = OptimizerSettings()
  ) throws -> Optimizer {
    try Optimizer(
      settings, parameters: OptimizerFixture.gradients().parameters,
      backend: #require(CPUBackend(threads: 1)))
  }

  @Test("settings out of range are named")
  func settings() {
    #expect(
      throws: TrainingError(
        .invalidSetting, "The optimizer's beta2 is 1.0. Choose a number from 0 to below 1.")
    ) { _ = try Self.optimizer(OptimizerSettings(beta2: 1)) }
    #expect(
      throws: TrainingError(
        .invalidSetting,
        "The optimizer's weight decay is -0.1. Choose a number that is not negative.")
    ) { _ = try Self.optimizer(OptimizerSettings(weightDecay: -0.1)) }
    #expect(
      throws: TrainingError(
        .invalidSetting,
        "The learning rate of step 1 is nan. Choose one that is not negative.")
    ) { _ = try Self.optimizer().step(learningRate: .nan, maxNorm: nil) }
    #expect(
      throws: TrainingError(
        .invalidSetting, "Gradients cannot be clipped to a norm of 0.0. Choose a number above 0.")
    ) { _ = try Self.optimizer().step(learningRate: 1, maxNorm: 0) }
  }

  @Test("a state of another run is refused, and the optimizer keeps its own")
  func mismatch() throws {
    let advice = "Continue with the model and the optimizer that the checkpoint was written with."
    let optimizer = try Self.optimizer()
    var state = Dictionary(uniqueKeysWithValues: optimizer.state().map { ($0.name, $0.tensor) })
    state["layer 0 query b.first"] = try .zeros(rows: 2, columns: 3)
    #expect(
      throws: TrainingError(
        .mismatchedModel,
        """
        The tensor 'layer 0 query b.first' of the optimizer's state is F32 [2, 3] where F32 \
        [20, 5] is needed. \(advice)
        """)
    ) { try optimizer.restore(steps: 3, state) }
    state["layer 0 query b.first"] = nil
    #expect(
      throws: TrainingError(
        .mismatchedModel,
        "The optimizer's state has no tensor 'layer 0 query b.first'. \(advice)")
    ) { try optimizer.restore(steps: 3, state) }
    #expect(optimizer.steps == 0)
  }
}
