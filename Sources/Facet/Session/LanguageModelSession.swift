// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGeneration
public import FacetGuides
import Synchronization

/// A conversation with a model: instructions, tools, and what was said.
///
/// ```swift
/// let session = LanguageModelSession(model: model, instructions: "Be brief.")
/// let answer = try await session.respond(to: "What is a facet?")
/// print(answer.content)
/// ```
///
/// One request at a time; any number of sessions share a model. What a request changes is changed when
/// it is complete: one that fails or is cancelled leaves the session as it was. Nothing blocks the
/// threads that asynchronous code shares (docs/adr/0010-sessions-are-classes.md).
public final class LanguageModelSession: Sendable {
  private struct State {
    var transcript: Transcript
    var isResponding = false
  }

  /// The model.
  public let model: Model
  /// What the model may have done for it.
  public let tools: [any Tool]
  /// Asked before each call of a tool; nil: all are run.
  public let approval: (@Sendable (ToolCall) async throws -> ToolDecision)?
  let source: any AnswerSource
  private let state: Mutex<State>

  /// Rounds of tool calls that one request may take.
  public static let mostToolRounds = 16

  /// Begins a conversation, or goes on with `transcript`.
  ///
  /// - Parameters:
  ///   - model: The model; it must be instruction-tuned.
  ///   - tools: What it may have done for it.
  ///   - instructions: How it is to behave; put before a transcript that has none.
  ///   - transcript: What was said before.
  ///   - context: Tokens that the conversation may take; nil: what the model was made for, and at most
  ///     8,192.
  ///   - approval: Asked before each call of a tool; nil: all are run.
  public convenience init(
    model: Model, tools: [any Tool] = [], instructions: String? = nil,
    transcript: Transcript = Transcript(), context: Int? = nil,
    approval: (@Sendable (ToolCall) async throws -> ToolDecision)? = nil
  ) {
    self.init(
      model: model, source: OwnSequence(model.language, context: context), tools: tools,
      instructions: instructions, transcript: transcript, approval: approval)
  }

  /// The same with answers of `engine`, which many sessions share: their prompts are read together, and
  /// what they have in common once.
  public convenience init(
    engine: Engine, tools: [any Tool] = [], instructions: String? = nil,
    transcript: Transcript = Transcript(),
    approval: (@Sendable (ToolCall) async throws -> ToolDecision)? = nil
  ) {
    self.init(
      model: Model(engine.model), source: EngineAnswers(engine: engine), tools: tools,
      instructions: instructions, transcript: transcript, approval: approval)
  }

  /// A session whose answers come from `source`.
  package init(
    model: Model, source: any AnswerSource, tools: [any Tool], instructions: String?,
    transcript: Transcript, approval: (@Sendable (ToolCall) async throws -> ToolDecision)?
  ) {
    self.model = model
    self.source = source
    self.tools = tools
    self.approval = approval
    var transcript = transcript
    if let instructions, !transcript.hasInstructions {
      transcript.entries.insert(.instructions(instructions), at: 0)
    }
    state = Mutex(State(transcript: transcript))
  }

  /// What was said until now.
  public var transcript: Transcript { state.withLock(\.transcript) }

  /// Whether a request is being answered.
  public var isResponding: Bool { state.withLock(\.isResponding) }

  /// Reads the instructions, the definitions of tools and what was said ahead of the next question, in
  /// the background; `promptPrefix` is how the question will begin.
  public func prewarm(promptPrefix: String = "") {
    var entries = transcript.entries
    entries.append(.prompt(promptPrefix))
    guard let definitions = try? definitions(),
      let prompt = try? source.language.prompt(Transcript(entries).chat, tools: definitions)
    else { return }
    source.prewarm(prompt)
  }

  /// Takes the session for a request, and returns what was said before.
  func begin() throws -> Transcript {
    try state.withLock { state in
      guard !state.isResponding else {
        throw SessionError(
          .concurrentRequests,
          "The session is still answering another request. Wait for it, or use a session of its own."
        )
      }
      state.isResponding = true
      return state.transcript
    }
  }

  /// Gives the session free, with what was said in the request, if it was answered.
  func end(adding entries: [Transcript.Entry] = []) {
    state.withLock { state in
      state.transcript.entries += entries
      state.isResponding = false
    }
  }

  func definitions() throws -> [ToolDefinition] { try tools.map { try $0.definition } }
}

extension Transcript {
  var hasInstructions: Bool {
    entries.contains { if case .instructions = $0 { true } else { false } }
  }
}
