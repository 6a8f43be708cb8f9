// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetGeneration
import FacetTensor
import FacetTokenizer
import Synchronization

/// Where a session's answers come from: a cache of its own, or an engine that many share.
package protocol AnswerSource: Sendable {
  /// The model.
  var language: LanguageModel { get }
  /// The events of an answer; when they are no longer read, it is cancelled.
  func events(
    _ prompt: Prompt, _ options: GenerationOptions
  ) -> AsyncThrowingStream<GenerationEvent, any Error>
  /// Reads a prompt ahead of the question that begins like it.
  func prewarm(_ prompt: Prompt)
  /// Writes the cache to a file, if there is one.
  func save(to path: String) async throws
  /// Takes up a cache that was saved.
  func restore(from path: String) async throws
}

/// A sequence of its own on a model, on a thread of its own.
final class OwnSequence: AnswerSource {
  let language: LanguageModel
  private let context: Int?
  /// Used on `thread` alone, where one thing is done after the other; so nobody waits for the lock.
  private let session = Mutex<Session?>(nil)
  private let thread = OwnThread()

  init(_ language: LanguageModel, context: Int?) {
    self.language = language
    self.context = context
  }

  func events(
    _ prompt: Prompt, _ options: GenerationOptions
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    AsyncThrowingStream { stream in
      let task = Task(executorPreference: thread) {
        do {
          try self.use { session in
            _ = try session.generate(prompt, options: options) { stream.yield($0) }
          }
          stream.finish()
        } catch { stream.finish(throwing: error) }
      }
      stream.onTermination = { _ in task.cancel() }
    }
  }

  func prewarm(_ prompt: Prompt) {
    // What goes wrong here goes wrong again, and is reported, when the question is asked.
    Task(executorPreference: thread) {
      try? self.use { session in _ = try session.prefill(prompt.tokens) }
    }
  }

  func save(to path: String) async throws {
    try await withTaskExecutorPreference(thread) { try self.use { try $0.save(to: path) } }
  }

  func restore(from path: String) async throws {
    try await withTaskExecutorPreference(thread) { try self.use { try $0.restore(from: path) } }
  }

  /// The sequence, which is made when it is first needed.
  private func use(_ body: (inout Session) throws -> Void) throws {
    try session.withLock { kept in
      if kept == nil { kept = try Session(language, context: context) }
      guard var session = kept.take() else { return }
      do {
        try body(&session)
      } catch {
        kept = consume session
        throw error
      }
      kept = consume session
    }
  }
}

/// Answers of an engine, which keeps what its sequences have in common.
struct EngineAnswers: AnswerSource {
  let engine: Engine

  var language: LanguageModel { engine.model }

  func events(
    _ prompt: Prompt, _ options: GenerationOptions
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    do {
      return try engine.events(prompt, options: options)
    } catch {
      return AsyncThrowingStream { $0.finish(throwing: error) }
    }
  }

  /// One token is drawn and thrown away: the engine keeps what it read for it.
  func prewarm(_ prompt: Prompt) {
    Task {
      for try await _ in events(prompt, GenerationOptions(sampling: .greedy, maxTokens: 1)) {}
    }
  }

  /// The engine's caches are not a session's to keep.
  func save(to path: String) async throws {}
  func restore(from path: String) async throws {}
}
