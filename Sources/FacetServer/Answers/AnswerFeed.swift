// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides

/// What is asked of a model, whichever API asked.
struct AnswerRequest: Sendable {
  /// What to go on with.
  var prompt: Prompt
  /// What the answers should be like.
  var options: GenerationOptions
  /// How many answers.
  var choices = 1

  /// A text to go on with.
  init(prompt: Prompt, options: GenerationOptions, choices: Int = 1) {
    self.prompt = prompt
    self.options = options
    self.choices = choices
  }

  /// A conversation to go on with; where tools may be called, the answer holds to what a call looks like.
  init(
    _ conversation: Conversation, to model: ServedModel, options: GenerationOptions,
    choices: Int = 1
  ) throws {
    prompt = try model.prompt(conversation)
    self.options = options
    self.choices = choices
    guard conversation.mayCall else { return }
    self.options.guide = .toolCalls(
      model.language.toolGuide(
        conversation.tools, choice: conversation.choice, count: conversation.count,
        answer: options.guide))
  }

  /// Reads one of the answers of `model`.
  func reader(_ model: ServedModel) throws -> AnswerReader {
    guard case .toolCalls(let guide) = options.guide else {
      return try AnswerReader(nil, model.language)
    }
    return try AnswerReader(guide, model.language)
  }
}

/// What happens while answers come about.
enum AnswerUpdate: Sendable {
  /// An event of one of the answers.
  case event(GenerationEvent, choice: Int)
  /// Nothing has happened for a while; whoever streams shows that the connection lives.
  case waiting
}

/// The events of several answers as one stream, which ends when the client goes.
enum AnswerFeed {
  /// Asks `model`; throws at once what can be refused before anything starts.
  ///
  /// With a seed, each answer has one of its own: the first the seed itself, the next one more.
  static func open(
    _ request: AnswerRequest, of model: ServedModel, watch: ClientWatch?, metrics: ServerMetrics,
    arrival: ContinuousClock.Instant, pings: Bool = false
  ) throws -> AsyncThrowingStream<AnswerUpdate, any Error> {
    var sources: [AsyncThrowingStream<GenerationEvent, any Error>] = []
    for choice in 0..<request.choices {
      var options = request.options
      if let seed = options.sampling.seed { options.sampling.seed = seed &+ UInt64(choice) }
      sources.append(try model.engine.events(request.prompt, options: options))
    }
    let (updates, feed) = AsyncThrowingStream.makeStream(of: AnswerUpdate.self)
    let task = Task { [sources] in
      do {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (choice, source) in sources.enumerated() {
            group.addTask {
              var timer = AnswerTimer(metrics, model: model.name, arrival: arrival)
              for try await event in source {
                timer.note(event)
                feed.yield(.event(event, choice: choice))
              }
              try Task.checkCancellation()
            }
          }
          if pings { group.addTask { await ping(feed) } }
          for _ in sources { try await group.next() }
          group.cancelAll()
        }
        feed.finish()
      } catch {
        feed.finish(throwing: watch?.isGone == true ? Self.gone : error)
      }
      withExtendedLifetime(model) {}
    }
    let key = watch?.whenGone { task.cancel() } ?? nil
    feed.onTermination = { _ in
      task.cancel()
      watch?.forget(key)
    }
    return updates
  }

  private static let gone = ServerError(.clientGone, "The client went away.")

  /// Between two signs of life on a stream that waits; proxies give up after a minute or so.
  private static let pingInterval = Duration.seconds(15)

  private static func ping(_ feed: AsyncThrowingStream<AnswerUpdate, any Error>.Continuation) async
  {
    while (try? await Task.sleep(for: pingInterval)) != nil { feed.yield(.waiting) }
  }
}

/// An answer that is complete.
struct CompletedAnswer: Sendable {
  /// The text, calls of tools left out.
  var text = ""
  /// The tools that it calls.
  var calls: [ToolCall] = []
  /// Its tokens, the one that ended it included.
  var tokens: [GeneratedToken] = []
  /// Why it ended, and how long it took.
  var summary: GenerationSummary

  /// Waits for the answers to `request`.
  static func collect(
    _ updates: AsyncThrowingStream<AnswerUpdate, any Error>, of request: AnswerRequest,
    _ model: ServedModel
  ) async throws -> [CompletedAnswer] {
    let count = request.choices
    var readers: [AnswerReader] = []
    for _ in 0..<count { readers.append(try request.reader(model)) }
    var texts = [String](repeating: "", count: count)
    var tokens = [[GeneratedToken]](repeating: [], count: count)
    var summaries = [GenerationSummary?](repeating: nil, count: count)
    for try await case .event(let event, let choice) in updates {
      for part in readers[choice].read(event) { texts[choice] += part.text }
      switch event {
      case .prefill, .rest: break
      case .token(let token): tokens[choice].append(token)
      case .finished(let summary): summaries[choice] = try complete(summary)
      }
    }
    let done = summaries.compactMap(\.self)
    guard done.count == count else { throw CancellationError() }
    return (0..<count).map {
      CompletedAnswer(
        text: texts[$0], calls: readers[$0].calls, tokens: tokens[$0], summary: done[$0])
    }
  }

  /// A summary of an answer that nobody stopped.
  static func complete(_ summary: GenerationSummary) throws(ServerError) -> GenerationSummary {
    guard summary.reason != .cancelled else {
      throw ServerError(.unavailable, "The server is stopping; the answer was cut off.")
    }
    return summary
  }
}

extension AnswerPart {
  /// What of it is text: a call that came to nothing is.
  var text: String {
    switch self {
    case .text(let text), .abandoned(_, let text): text
    case .callBegan, .arguments, .call: ""
    }
  }
}

extension FinishReason {
  /// Whether the answer was cut off for want of room.
  var isLength: Bool { self == .maxTokens || self == .contextFull }
}
