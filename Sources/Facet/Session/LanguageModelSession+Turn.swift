// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides

extension LanguageModelSession {
  /// What is asked for.
  struct Request: Sendable {
    var prompt: String
    var schema: Schema?
    var mention = SchemaMention.inPrompt
    var options: GenerationOptions?
    /// Of the first passage; after calls the model answers as it sees fit.
    var toolChoice = ToolChoice.auto

    /// The words of the prompt, with the schema where the model is to read it.
    var text: String {
      guard let schema, mention == .inPrompt else { return prompt }
      return prompt + "\n\nAnswer with JSON that holds to this schema:\n" + schema.text
    }
  }

  /// What the model said in one go.
  private struct Passage {
    var text = ""
    var calls: [ToolCall] = []
    var summary: GenerationSummary?
  }

  /// Answers a request, running tools until the model has said what it has to say; `onText` gets the
  /// text of each passage until now, and what is new of it.
  func answer(
    _ request: Request, onText: @Sendable (String, String) -> Void
  ) async throws -> Response<String> {
    let before = try begin()
    var entries: [Transcript.Entry] = []
    do {
      let definitions = try definitions()
      entries = [.prompt(request.text)]
      var request = request
      for _ in 0..<Self.mostToolRounds {
        let prompt = try source.language.prompt(
          Transcript(before.entries + entries).chat, tools: definitions)
        let passage = try await passage(prompt, request, definitions, onText)
        guard let summary = passage.summary else { throw CancellationError() }
        guard !passage.calls.isEmpty else {
          try check(summary, request)
          entries.append(.response(passage.text))
          end(adding: entries)
          return Response(
            content: passage.text, text: passage.text, entries: entries, summary: summary)
        }
        entries.append(.toolCalls(passage.calls, text: passage.text))
        entries += try await run(passage.calls).map { .toolOutput($0) }
        if request.toolChoice != .none { request.toolChoice = .auto }
      }
      throw SessionError(
        .tooManyToolCalls,
        "The model called tools \(Self.mostToolRounds) times over without an answer. Say in the "
          + "instructions when to stop, or describe what the tools give.")
    } catch {
      end()
      throw SessionError.naming(error)
    }
  }

  /// Refuses an answer that was cut off where a whole one was asked for.
  private func check(_ summary: GenerationSummary, _ request: Request) throws {
    if summary.reason == .contextFull {
      throw SessionError(
        .exceededContext,
        "The answer did not fit the context after \(summary.promptTokens) tokens of the conversation. "
          + "Use a larger context, or begin a new session.")
    }
    if request.schema != nil || request.options?.guide != nil, summary.reason == .maxTokens {
      throw SessionError(
        .incompleteAnswer,
        "The answer was cut off after \(summary.generatedTokens) tokens, before what was asked for was "
          + "complete. Allow more tokens.")
    }
  }

  /// Lets the model speak once.
  private func passage(
    _ prompt: Prompt, _ request: Request, _ definitions: [ToolDefinition],
    _ onText: (String, String) -> Void
  ) async throws -> Passage {
    let language = source.language
    var options = request.options ?? GenerationOptions(sampling: language.defaultSampling)
    if let schema = request.schema { options.guide = schema.guide }
    var parser: ToolCallParser?
    if !definitions.isEmpty {
      let guide = language.toolGuide(
        definitions, choice: request.toolChoice, answer: options.guide)
      options.guide = .toolCalls(guide)
      parser = try ToolCallParser(guide, language)
    }
    var passage = Passage()
    func take(_ text: String) {
      guard !text.isEmpty else { return }
      passage.text += text
      onText(passage.text, text)
    }
    for try await event in source.events(prompt, options) {
      if case .finished(let summary) = event, summary.reason != .cancelled {
        passage.summary = summary
      }
      guard parser != nil else {
        switch event {
        case .token(let token): take(token.text)
        case .rest(let text): take(text)
        case .prefill, .finished: break
        }
        continue
      }
      for part in parser?.append(event) ?? [] {
        switch part {
        case .text(let text): take(text)
        case .call(_, let call): passage.calls.append(call)
        case .callBegan, .arguments, .abandoned: break
        }
      }
    }
    try Task.checkCancellation()
    return passage
  }

  /// Runs the calls of a passage side by side; the answers come in the calls' order.
  private func run(_ calls: [ToolCall]) async throws -> [ToolResult] {
    try await withThrowingTaskGroup(of: (Int, ToolResult).self) { group in
      for (index, call) in calls.enumerated() {
        group.addTask { (index, try await self.run(call)) }
      }
      var results: [(Int, ToolResult)] = []
      for try await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func run(_ call: ToolCall) async throws -> ToolResult {
    var call = call
    switch try await approval?(call) ?? .run {
    case .run: break
    case .runWith(let arguments): call.arguments = arguments
    case .deny(let reason): return ToolResult(id: call.id, name: call.name, content: reason)
    }
    guard let tool = tools.first(where: { $0.name == call.name }) else {
      throw SessionError(
        .toolFailed(name: call.name), "There is no tool '\(call.name)' in the session.")
    }
    return try await tool.run(call)
  }
}
