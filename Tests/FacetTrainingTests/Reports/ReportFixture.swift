// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTraining
import Foundation

/// A short run that the tests of reports share.
enum ReportFixture {
  /// The entry of a step, read from the names that files have.
  static func step(_ step: Int, loss: Double? = nil) throws -> HistoryEntry {
    let text = """
      {"step": \(step), "epoch": \(Double(step) / 8), "loss": 0, "grad_norm": 1.5,
        "learning_rate": 0.00025, "num_tokens": \(2048 * step), "mean_token_accuracy": 0.5,
        "entropy": 2.25, "tokens_per_second": 512, "peak_memory": 3000000000}
      """
    var metrics = try JSONDecoder().decode(StepMetrics.self, from: Data(text.utf8))
    metrics.loss = loss ?? 4 - Double(step) / 4
    return .step(metrics)
  }

  static func evaluation(_ step: Int) throws -> HistoryEntry {
    let text = """
      {"step": \(step), "epoch": \(Double(step) / 8), "eval_loss": 2.5, "eval_perplexity": 12.25,
        "eval_mean_token_accuracy": 0.625, "eval_runtime": 0.75}
      """
    return .evaluation(try JSONDecoder().decode(EvaluationMetrics.self, from: Data(text.utf8)))
  }

  /// Eight steps with an evaluation after each four.
  static func history() throws -> [HistoryEntry] {
    try (1...8).flatMap { step in
      try step % 4 == 0 ? [Self.step(step), evaluation(step)] : [Self.step(step)]
    }
  }

  static func folder() throws -> String { try Scratch.folder("report") }

  static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }
}
