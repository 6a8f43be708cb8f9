// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTraining
import Testing

@Suite("Errors of training")
struct TrainingErrorTests {
  @Test("An error reads as its message")
  func message() {
    let error = TrainingError(.invalidData, "Line 7 of 'rows.jsonl' is no JSON object.")
    #expect("\(error)" == "Line 7 of 'rows.jsonl' is no JSON object.")
  }
}
