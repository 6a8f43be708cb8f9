// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What an engine is doing, and what it has done since it began.
public struct EngineStatus: Sendable, Hashable, Codable {
  /// How a request ended.
  public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
    /// The model said that it is done.
    case endOfTurn = "end_of_turn"
    /// The guide's text was complete.
    case guideComplete = "guide_complete"
    /// A stop text came.
    case stopText = "stop_text"
    /// As many tokens as were allowed.
    case maxTokens = "max_tokens"
    /// The context was full.
    case contextFull = "context_full"
    /// Whoever asked went away, or the engine was shut down.
    case cancelled
    /// An error.
    case failed
    /// Tokens were scored, and none written.
    case scored

    /// How an answer that ended for `reason` is counted.
    init(_ reason: FinishReason) {
      self =
        switch reason {
        case .endOfTurn: .endOfTurn
        case .guideComplete: .guideComplete
        case .stopText: .stopText
        case .maxTokens: .maxTokens
        case .contextFull: .contextFull
        case .cancelled: .cancelled
        }
    }
  }

  /// Sequences that may run together.
  public var places: Int
  /// Sequences that are being read or written now.
  public var running = 0
  /// Of them, those whose prompt is still being read.
  public var reading = 0
  /// Requests that wait for a place.
  public var waiting = 0
  /// Caches that are kept for prompts to come.
  public var keptPrefixes = 0
  /// Tokens in all caches, running and kept.
  public var cacheTokens = 0
  /// Bytes of memory that the caches take.
  public var cacheBytes = 0
  /// The most bytes that they took at once.
  public var peakCacheBytes = 0

  /// Steps taken: passes through the model.
  public var steps = 0
  /// Tokens of prompts, those found in a cache included.
  public var promptTokens = 0
  /// Of them, tokens found in a cache.
  public var cachedTokens = 0
  /// Tokens written.
  public var generatedTokens = 0
  /// Requests that ended, by how.
  public var finished: [Outcome: Int] = [:]
  /// Requests that were turned away because the queue was full or the engine shut down.
  public var refused = 0

  /// Nothing done yet.
  init(places: Int) { self.places = places }
}
