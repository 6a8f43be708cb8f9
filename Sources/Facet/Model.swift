// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
public import FacetGeneration
public import FacetStore
import FacetTensor
public import FacetTokenizer

/// A model by its name: what a program imports Facet for.
///
/// ```swift
/// let model = try await Model.load("gemma3:270m")
/// for try await text in model.text("The capital of France is") { print(text, terminator: "") }
/// ```
///
/// Immutable and `Sendable`. Every answer has a session of its own; hold a ``Session`` of
/// ``language`` yourself to keep a conversation's cache.
public struct Model: Sendable {
  /// The model itself: its pass, tokenizer and chat format.
  public let language: LanguageModel

  /// Wraps a language model.
  public init(_ language: LanguageModel) { self.language = language }

  /// Loads `reference`: a name such as `gemma3:270m`, `hf:owner/name`, a file or a directory.
  ///
  /// A name that the library does not hold yet is pulled first, and `progress` is told how far it is.
  /// `adapters` are paths of adapters (PEFT, mlx-lm, GGUF) that change the model, one after the other.
  public static func load(
    _ reference: String, adapters: [String] = [],
    options: LanguageModel.LoadOptions = LanguageModel.LoadOptions(),
    store: ModelStore = ModelStore(), progress: @escaping @Sendable (PullEvent) -> Void = { _ in }
  ) async throws -> Model {
    if try store.isMissing(reference) {
      try await store.pull(reference, progress: progress)
    }
    let language = try LanguageModel.load(
      path: store.locate(reference), options: options.cached(in: store))
    return Model(adapters.isEmpty ? language : try language.with(adaptersAt: adapters))
  }

  /// What `context` tokens of the model at `path` would take of the memory.
  public static func plan(
    path: String, context: Int, options: LanguageModel.LoadOptions = LanguageModel.LoadOptions()
  ) throws -> MemoryPlan {
    try MemoryPlan(Checkpoint.open(path), context: context, options: options)
  }
}

extension LanguageModel.LoadOptions {
  /// The options with the cache of `store`, where they name none.
  func cached(in store: ModelStore) -> LanguageModel.LoadOptions {
    var options = self
    options.cacheFolder = cacheFolder ?? store.layout.cache
    return options
  }
}

extension Model {
  /// The events of an answer to `prompt`, as they happen.
  ///
  /// When the stream is no longer read, the answer is cancelled at its next token.
  public func events(
    _ prompt: Prompt, options: GenerationOptions = GenerationOptions(), context: Int? = nil,
    speculation: Speculation? = nil
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    AsyncThrowingStream { stream in
      let task = Task(executorPreference: OwnThread()) {
        do {
          var session = try Session(language, context: context, speculation: speculation)
          try session.generate(prompt, options: options) { stream.yield($0) }
          stream.finish()
        } catch {
          stream.finish(throwing: error)
        }
      }
      stream.onTermination = { _ in task.cancel() }
    }
  }

  /// The continuation of `prompt`, as it comes.
  public func text(
    _ prompt: String, options: GenerationOptions = GenerationOptions()
  ) -> AsyncThrowingStream<String, any Error> {
    Self.text(of: events(language.prompt(prompt), options: options))
  }

  /// The reply to a conversation, as it comes; the model must be instruction-tuned.
  public func reply(
    to messages: [ChatMessage], options: GenerationOptions = GenerationOptions()
  ) throws -> AsyncThrowingStream<String, any Error> {
    Self.text(of: events(try language.prompt(messages), options: options))
  }

  private static func text(
    of events: AsyncThrowingStream<GenerationEvent, any Error>
  ) -> AsyncThrowingStream<String, any Error> {
    AsyncThrowingStream { stream in
      let task = Task {
        do {
          for try await event in events {
            switch event {
            case .token(let token) where !token.text.isEmpty: stream.yield(token.text)
            case .rest(let text): stream.yield(text)
            default: break
            }
          }
          stream.finish()
        } catch {
          stream.finish(throwing: error)
        }
      }
      stream.onTermination = { _ in task.cancel() }
    }
  }
}
