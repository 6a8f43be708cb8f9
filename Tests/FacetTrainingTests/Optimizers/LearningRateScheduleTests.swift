// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTraining
import Foundation
import Testing

@Suite("Learning rate schedule")
struct LearningRateScheduleTests {
  struct Golden: Decodable {
    let kind: LearningRateSchedule.Kind
    let warmup: Int
    let total: Int
    let rates: [Double]
  }

  @Test("every rate is that of transformers' get_scheduler, past the end too")
  func rates() throws {
    let url = URL(fileURLWithPath: OptimizerFixture.golden("optimizers/schedules.json"))
    let goldens = try JSONDecoder().decode([Golden].self, from: Data(contentsOf: url))
    #expect(Set(goldens.map(\.kind)).count == 3)
    for golden in goldens {
      let schedule = LearningRateSchedule(
        kind: golden.kind, warmupSteps: golden.warmup, totalSteps: golden.total, peak: 2e-4)
      for (step, expected) in golden.rates.enumerated() {
        #expect(
          abs(Double(schedule.rate(step: step)) - expected) <= 2e-11,
          "\(golden.kind), warm-up \(golden.warmup) of \(golden.total), step \(step)")
      }
    }
  }
}
