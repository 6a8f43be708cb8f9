// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTraining
import Foundation
import Testing

@Suite("The state of a trainer")
struct TrainerStateTests {
  private static func state() throws -> TrainerState {
    var state = TrainerState()
    state.bestMetric = 2.5
    state.bestModelCheckpoint = "runs/\"a\"/checkpoint-4"
    state.epoch = 1
    state.globalStep = 8
    state.maximumSteps = 16
    state.epochCount = 2
    state.loggingSteps = 1
    state.evaluationSteps = 4
    state.saveSteps = 4
    state.batchSize = 2
    state.history = try ReportFixture.history()
    return state
  }

  @Test("What is written reads back the same")
  func roundTrip() throws {
    let path = try ReportFixture.folder() + "/trainer_state.json"
    try Self.state().write(to: path)
    #expect(try TrainerState(reading: path) == Self.state())
  }

  @Test("The state of a run that has not begun reads back the same")
  func empty() throws {
    let path = try ReportFixture.folder() + "/trainer_state.json"
    try TrainerState().write(to: path)
    #expect(try TrainerState(reading: path) == TrainerState())
  }

  @Test("A state that transformers loads and saves again reads as the same state")
  func savedByTransformers() throws {
    #expect(try TrainerState(reading: Goldens.path("reports/trainer_state.json")) == Self.state())
  }

  @Test("The text that transformers was given is the one that we write")
  func golden() throws {
    #expect(
      try Self.state().text == ReportFixture.text(Goldens.path("reports/trainer_state_ours.json")))
  }

  @Test("A loss that is no number is written as null and read as no number")
  func notANumber() throws {
    var state = TrainerState()
    state.history = [try ReportFixture.step(1, loss: .nan)]
    #expect(state.text.contains("\"loss\": null"))
    let path = try ReportFixture.folder() + "/trainer_state.json"
    try state.write(to: path)
    let entry = try #require(TrainerState(reading: path).history.first)
    guard case .step(let metrics) = entry else {
      Issue.record("An evaluation came back.")
      return
    }
    #expect(metrics.loss.isNaN)
    #expect(metrics.step == 1)
  }

  @Test(
    "A file that is no trainer state is named",
    arguments: [
      ("{}", "'PATH' is no trainer state: it has no 'global_step' of 0 or more."),
      (
        "{\"global_step\": -1}", "'PATH' is no trainer state: it has no 'global_step' of 0 or more."
      ),
    ])
  func invalid(_ text: String, _ message: String) throws {
    let path = try ReportFixture.folder() + "/trainer_state.json"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(
      throws: TrainingError(.unreadable, message.replacing("PATH", with: path))
    ) { try TrainerState(reading: path) }
  }

  @Test("A state that is missing is named")
  func missing() {
    #expect(
      throws: TrainingError(.unreadable, "There is no file '/nowhere/a.json' that could be read.")
    ) { try TrainerState(reading: "/nowhere/a.json") }
  }
}
