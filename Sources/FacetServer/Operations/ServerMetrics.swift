// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import Synchronization

/// What the server counts while it runs; `GET /metrics` writes it.
final class ServerMetrics: Sendable {
  /// What is counted for one model.
  struct Answers: Sendable {
    var firstToken = Histogram(Histogram.firstTokenBounds)
    var gap = Histogram(Histogram.gapBounds)
    var whole = Histogram(Histogram.latencyBounds)
    var queue = Histogram(Histogram.latencyBounds)
    var prefill = Histogram(Histogram.latencyBounds)
    var decode = Histogram(Histogram.latencyBounds)
    var promptLength = Histogram(Histogram.tokenBounds)
    var answerLength = Histogram(Histogram.tokenBounds)
    var promptTokens = 0
    var cachedTokens = 0
    var generatedTokens = 0
    /// Answers by why they ended.
    var ends: [String: Int] = [:]
  }

  /// A kind of response.
  struct Responses: Hashable, Sendable {
    var api: String
    var status: Int
  }

  private struct State {
    var answers: [String: Answers] = [:]
    var responses: [Responses: Int] = [:]
  }
  private let state = Mutex(State())

  /// What has been counted, by model.
  var answers: [String: Answers] { state.withLock { $0.answers } }
  /// Responses of each kind.
  var responses: [Responses: Int] { state.withLock { $0.responses } }

  /// Counts a response.
  func count(_ responses: Responses) { state.withLock { $0.responses[responses, default: 0] += 1 } }

  /// Changes what is counted for `model`.
  func update(_ model: String, _ change: (inout Answers) -> Void) {
    state.withLock { change(&$0.answers[model, default: Answers()]) }
  }
}

/// Takes the times of one answer.
struct AnswerTimer: ~Copyable {
  private let metrics: ServerMetrics
  private let model: String
  private let arrival: ContinuousClock.Instant
  private var begin: ContinuousClock.Instant?
  private var last: ContinuousClock.Instant?

  init(_ metrics: ServerMetrics, model: String, arrival: ContinuousClock.Instant) {
    self.metrics = metrics
    self.model = model
    self.arrival = arrival
  }

  mutating func note(_ event: GenerationEvent) {
    let now = ContinuousClock.now
    switch event {
    case .prefill:
      guard begin == nil else { return }
      begin = now
      let waited = now - arrival
      metrics.update(model) { $0.queue.add(waited) }
    case .token:
      let previous = last
      last = now
      let arrival = arrival
      metrics.update(model) { answers in
        if let previous {
          answers.gap.add(now - previous)
        } else {
          answers.firstToken.add(now - arrival)
        }
      }
    case .rest: break
    case .finished(let summary): finish(summary, now)
    }
  }

  private func finish(_ summary: GenerationSummary, _ now: ContinuousClock.Instant) {
    let arrival = arrival
    metrics.update(model) { answers in
      answers.whole.add(now - arrival)
      answers.prefill.add(summary.prefillTime)
      answers.decode.add(summary.decodeTime)
      answers.promptLength.add(Double(summary.promptTokens))
      answers.answerLength.add(Double(summary.generatedTokens))
      answers.promptTokens += summary.promptTokens
      answers.cachedTokens += summary.cachedTokens
      answers.generatedTokens += summary.generatedTokens
      answers.ends[Self.name(summary.reason), default: 0] += 1
    }
  }

  private static func name(_ reason: FinishReason) -> String {
    switch reason {
    case .endOfTurn, .guideComplete, .stopText: "stop"
    case .maxTokens, .contextFull: "length"
    case .cancelled: "abort"
    }
  }
}
