// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTokenizer
import Synchronization

/// What somebody asks of an engine: on its way from the asking task to the engine's thread.
struct EngineRequest: Sendable {
  typealias Events = AsyncThrowingStream<GenerationEvent, any Error>.Continuation
  typealias Reply = @Sendable (Result<[ScoredToken], any Error>) -> Void

  /// What is wanted.
  enum Work: Sendable {
    case answer(Prompt, GenerationOptions, Events)
    case score(first: Int, alternatives: Int, Reply)
  }

  /// The tokens to read, checked.
  var tokens: [TokenID]
  /// What changes the model's matrices; checked, and ready for use.
  var adapters: [Adapter]
  var work: Work
  var cancellation = EngineCancellation()
  var arrival = ContinuousClock.now
}

/// Whether whoever asked still wants the answer.
final class EngineCancellation: Sendable {
  private let flag = Atomic(false)

  var isCancelled: Bool { flag.load(ordering: .relaxed) }

  func cancel() { flag.store(true, ordering: .relaxed) }
}
