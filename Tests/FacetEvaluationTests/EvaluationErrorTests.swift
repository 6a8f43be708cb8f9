// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import Testing

@Suite("EvaluationError")
struct EvaluationErrorTests {
  @Test("an error says its sentence and nothing else")
  func description() {
    let error = EvaluationError(.invalidTask, "Task 'x' has no metric.")
    #expect("\(error)" == "Task 'x' has no metric.")
  }
}
