// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetModel
import FacetTensor
public import FacetTokenizer

/// Many answers at once from one model: each step reads the next token of every answer together with a
/// piece of a prompt that waits (Yu 2022, "Orca"; Agrawal 2023, "Sarathi").
///
/// Requests are taken in the order in which they come. What a prompt has in common with an earlier one,
/// finished or not, is not read again. An engine that nobody holds any more finishes what it was asked,
/// and its thread goes.
public final class Engine: Sendable {
  /// The model.
  public let model: LanguageModel
  /// How much the engine does at once.
  public let options: Options
  /// Most tokens of a sequence, prompt and answer together.
  public let contextLength: Int

  let inbox: EngineInbox

  /// An engine that waits for requests; a thread of its own works on them.
  public init(_ model: LanguageModel, options: Options = Options()) throws {
    contextLength = try options.contextLength(for: model)
    self.model = model
    self.options = options
    let inbox = EngineInbox(options)
    self.inbox = inbox
    let (bell, ring) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    inbox.attach(ring)
    let contextLength = contextLength
    Task(executorPreference: OwnThread()) {
      let scheduler = EngineScheduler(
        model, options: options, context: contextLength, inbox: inbox)
      for await _ in bell { scheduler.run() }
    }
  }

  deinit { inbox.detach() }

  /// The events of an answer to `prompt`, as they happen; the same as ``Session/generate(_:options:onEvent:)``
  /// gives.
  ///
  /// Throws at once what can be said before anything starts: options out of range, a prompt that does not
  /// fit, a full queue. When the stream is no longer read, or its task is cancelled, the answer ends at
  /// the next token. Whoever reads slowly delays nobody: events wait in the stream, and there are no more
  /// of them than tokens. Without `adapters`, the model's own are used.
  public func events(
    _ prompt: Prompt, options: GenerationOptions = GenerationOptions(),
    adapters: [Adapter]? = nil
  ) throws -> AsyncThrowingStream<GenerationEvent, any Error> {
    try options.validate()
    try check(prompt.tokens)
    if let guide = options.guide { _ = try model.guides.compiled(guide) }
    let adapters = try settle(adapters)
    let (stream, events) = AsyncThrowingStream.makeStream(of: GenerationEvent.self)
    let request = EngineRequest(
      tokens: prompt.tokens, adapters: adapters, work: .answer(prompt, options, events))
    events.onTermination = { if case .cancelled = $0 { request.cancellation.cancel() } }
    try inbox.submit(request)
    return stream
  }

  /// How likely the model holds each of `tokens` after those before it.
  ///
  /// `alternatives` of the likeliest tokens stand beside each. Tokens before place `first` are only read,
  /// or found in a cache; the first of all has nothing before it and no probability. Cancelling the task
  /// ends the work with `CancellationError`.
  public func score(
    _ tokens: [TokenID], alternatives: Int = 0, from first: Int = 1, adapters: [Adapter]? = nil
  ) async throws -> [ScoredToken] {
    guard (0...GenerationOptions.mostLogProbabilities).contains(alternatives) else {
      throw GenerationError(
        .invalidOption,
        "Log-probabilities are asked for \(alternatives) tokens; it must be between 0 and "
          + "\(GenerationOptions.mostLogProbabilities).")
    }
    try check(tokens)
    let adapters = try settle(adapters)
    let cancellation = EngineCancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        do {
          try inbox.submit(
            EngineRequest(
              tokens: tokens, adapters: adapters,
              work: .score(first: max(1, first), alternatives: alternatives) {
                continuation.resume(with: $0)
              }, cancellation: cancellation))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
  }

  /// What the engine is doing, and what it has done so far.
  public var status: EngineStatus { inbox.status }

  /// Takes no more requests, and returns when all that were taken have their answers; those that are not
  /// done after `deadline` end where they are, as if cancelled.
  public func shutdown(deadline: Duration) async {
    inbox.close()
    let inbox = inbox
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await inbox.untilIdle() }
      group.addTask {
        try? await Task.sleep(for: deadline)
        if !Task.isCancelled { inbox.abort() }
      }
      // Either everything is done, or the deadline has passed and soon will be.
      await group.next()
      group.cancelAll()
      await inbox.untilIdle()
    }
  }

  private func check(_ tokens: [TokenID]) throws {
    guard !tokens.isEmpty else {
      throw GenerationError(.emptyInput, "The prompt has no tokens; give at least one word.")
    }
    guard tokens.count <= contextLength else {
      throw GenerationError.contextFull(tokens.count, contextLength, model.configuration)
    }
    try model.transformer.check(tokens)
  }

  private func settle(_ adapters: [Adapter]?) throws -> [Adapter] {
    guard let adapters else { return model.adapters }
    return try adapters.map { adapter in
      try adapter.check(for: model.configuration)
      return try adapter.settled(on: model.transformer)
    }
  }
}
