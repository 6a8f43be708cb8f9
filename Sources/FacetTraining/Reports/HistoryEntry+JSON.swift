// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// Entries as JSON objects: lines of `metrics.jsonl`, members of `trainer_state.json`.
extension HistoryEntry {
  /// Optimiser steps done when the entry was made.
  package var step: Int {
    switch self {
    case .step(let metrics): metrics.step
    case .evaluation(let metrics): metrics.step
    }
  }

  /// The figures under their names, the step first.
  var fields: [(name: String, value: JSON)] {
    switch self {
    case .step(let metrics): Self.fields(metrics)
    case .evaluation(let metrics): Self.fields(metrics)
    }
  }

  /// The entry as one line of JSON; a figure that is not finite is null.
  package var jsonText: String {
    let members = fields.map { "\(JSON.string($0.name).text): \($0.value.text)" }
    return "{\(members.joined(separator: ", "))}"
  }

  /// The entry that `json` holds, nil when it holds none.
  ///
  /// A figure that is missing or null is read as no number, a count as zero: other trainers tell less.
  init?(_ json: JSON) {
    guard let step = json["step"]?.integer, step >= 0, let members = json.object else { return nil }
    func number(_ key: some CodingKey) -> Double { json[key.stringValue]?.number ?? .nan }
    if members[EvaluationMetrics.CodingKeys.loss.rawValue] != nil {
      typealias Key = EvaluationMetrics.CodingKeys
      self = .evaluation(
        EvaluationMetrics(
          step: step, epoch: number(Key.epoch), loss: number(Key.loss),
          perplexity: number(Key.perplexity), tokenAccuracy: number(Key.tokenAccuracy),
          seconds: number(Key.seconds)))
    } else if members[StepMetrics.CodingKeys.loss.rawValue] != nil {
      typealias Key = StepMetrics.CodingKeys
      self = .step(
        StepMetrics(
          step: step, epoch: number(Key.epoch), loss: number(Key.loss),
          gradientNorm: number(Key.gradientNorm), learningRate: number(Key.learningRate),
          tokenCount: json[Key.tokenCount.rawValue]?.integer ?? 0,
          tokenAccuracy: number(Key.tokenAccuracy), entropy: number(Key.entropy),
          tokensPerSecond: number(Key.tokensPerSecond),
          peakMemoryByteCount: json[Key.peakMemoryByteCount.rawValue]?.integer))
    } else {
      return nil
    }
  }

  private static func fields(_ metrics: StepMetrics) -> [(name: String, value: JSON)] {
    typealias Key = StepMetrics.CodingKeys
    var fields: [(Key, JSON)] = [
      (.step, .integer(metrics.step)), (.epoch, .number(metrics.epoch)),
      (.loss, .number(metrics.loss)), (.gradientNorm, .number(metrics.gradientNorm)),
      (.learningRate, .number(metrics.learningRate)), (.tokenCount, .integer(metrics.tokenCount)),
      (.tokenAccuracy, .number(metrics.tokenAccuracy)), (.entropy, .number(metrics.entropy)),
      (.tokensPerSecond, .number(metrics.tokensPerSecond)),
    ]
    if let count = metrics.peakMemoryByteCount {
      fields.append((.peakMemoryByteCount, .integer(count)))
    }
    return fields.map { ($0.0.rawValue, $0.1) }
  }

  private static func fields(_ metrics: EvaluationMetrics) -> [(name: String, value: JSON)] {
    typealias Key = EvaluationMetrics.CodingKeys
    let fields: [(Key, JSON)] = [
      (.step, .integer(metrics.step)), (.epoch, .number(metrics.epoch)),
      (.loss, .number(metrics.loss)), (.perplexity, .number(metrics.perplexity)),
      (.tokenAccuracy, .number(metrics.tokenAccuracy)), (.seconds, .number(metrics.seconds)),
    ]
    return fields.map { ($0.0.rawValue, $0.1) }
  }
}
