// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetEvaluation
import Foundation

/// What a model remembers of a corpus, as text and as JSON.
struct MemorizationPage: Encodable {
  /// A count with its interval.
  private struct Share: Encodable {
    var count: Int
    var value: Double
    var low: Double
    var high: Double

    init(_ proportion: Proportion) {
      count = proportion.count
      value = proportion.value
      low = proportion.interval.lowerBound
      high = proportion.interval.upperBound
    }
  }

  /// A kind of personal data.
  private struct Kind: Encodable {
    var kind: String
    var severity: String
    var count: Int
  }

  /// A place that is memorised.
  private struct Trial: Encodable {
    var file: String
    var start: Int
    var distance: Int
    var truth: String
    var written: String
  }

  /// A secret.
  private struct Canary: Encodable {
    var text: String
    var rank: Int
    var candidates: Int
    var exposure: Double
    var greatest: Double
  }

  private var model: String
  private var places: Int?
  private var prefix: Int?
  private var continuation: Int?
  private var exact: Share?
  private var approximate: Share?
  private var personal_data: [Kind]?
  private var canaries: [Canary]
  private var trials: [Trial]?
  private var precision = ""
  private var threads = 0
  private var seed: UInt64 = 0
  private var seconds = 0.0

  init(
    model: String, result: MemorizationResult?, exposures: [CanaryExposure], tokenizer: Tokenizer,
    files: [String]
  ) {
    self.model = model
    canaries = exposures.map {
      Canary(
        text: $0.text, rank: $0.rank, candidates: $0.candidateCount, exposure: $0.exposure,
        greatest: $0.greatest)
    }
    guard let result else { return }
    places = result.trials.count
    prefix = result.options.prefix
    continuation = result.options.continuation
    exact = Share(result.exact)
    approximate = Share(result.approximate)
    let counts = result.personalData(tokenizer)
    personal_data = PersonalData.allCases.map {
      Kind(kind: $0.rawValue, severity: $0.severity.rawValue, count: counts[$0] ?? 0)
    }
    trials = result.trials.filter(result.isMemorized).map {
      Trial(
        file: files[$0.document], start: $0.start, distance: $0.distance,
        truth: tokenizer.decode($0.truth), written: tokenizer.decode($0.written))
    }
  }

  /// Notes how it was measured.
  mutating func settle(precision: String, threads: Int, seed: UInt64, seconds: Double) {
    self.precision = precision
    self.threads = threads
    self.seed = seed
    self.seconds = seconds
  }

  /// For people; at most `show` of the memorised places.
  func text(show: Int) -> String {
    var text = ""
    if let exact, let approximate, let places, let prefix, let continuation {
      text += "\(places) places, \(prefix) tokens given, \(continuation) written\n"
      text += "exact        \(Self.line(exact))\napproximate  \(Self.line(approximate))\n"
      text += personalText + trialText(show)
    }
    for canary in canaries {
      let most = String(format: "%.2f of at most %.2f bits", canary.exposure, canary.greatest)
      text +=
        "canary '\(PlainText.line(canary.text))': exposure \(most), rank \(canary.rank) of "
        + "\(canary.candidates)\n"
    }
    return text
  }

  private var personalText: String {
    let found = (personal_data ?? []).filter { $0.count > 0 }
    guard !found.isEmpty else {
      return "personal data in it: none of the forms that are searched for\n"
    }
    let kinds = found.map { "\($0.count) \($0.kind) (\($0.severity))" }
    return "personal data in it, by form: \(kinds.joined(separator: ", "))\n"
  }

  private func trialText(_ show: Int) -> String {
    (trials ?? []).prefix(show).map { trial in
      "\n\(trial.file), token \(trial.start), \(trial.distance) edits:\n"
        + "  corpus  \(PlainText.line(trial.truth))\n  model   \(PlainText.line(trial.written))\n"
    }.joined()
  }

  private static func line(_ share: Share) -> String {
    "\(share.count)  "
      + String(
        format: "%.2f %% [%.2f, %.2f]", share.value * 100, share.low * 100, share.high * 100)
  }
}
