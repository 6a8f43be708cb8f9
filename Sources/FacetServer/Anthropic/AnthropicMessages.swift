// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetJSON
import FacetTokenizer
import Hummingbird

/// `POST /v1/messages` and `POST /v1/messages/count_tokens`.
struct AnthropicMessages: Sendable {
  let server: Server

  @Sendable func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
    let arrival = ContinuousClock.now
    let fields = try await request.fields(server, context)
    guard let most = try fields.integer("max_tokens", in: 1...Int(Int32.max)) else {
      throw fields.missing("max_tokens")
    }
    let conversation = try Self.conversation(fields)
    let model = try await server.models.model(try fields.text("model"))
    var options = model.defaultOptions
    options.maxTokens = most
    options.sampling.temperature = try fields.float("temperature") ?? options.sampling.temperature
    options.sampling.topP = try fields.float("top_p") ?? options.sampling.topP
    options.sampling.topK = max(0, try fields.integer("top_k") ?? options.sampling.topK)
    if let stop = try OpenAIOptions.stops(fields, "stop_sequences", server.settings) {
      options.stop = stop
    }
    let isStream = try fields.bool("stream") ?? false
    let asked = try AnswerRequest(conversation, to: model, options: options)
    let updates = try AnswerFeed.open(
      asked, of: model, watch: await context.clientWatch(), metrics: server.metrics,
      arrival: arrival, pings: isStream)
    if isStream { return stream(asked, model, updates) }
    let answer = try await CompletedAnswer.collect(updates, of: asked, model)[0]
    let text = JSON.record(["type": "text", "text": .string(answer.text)])
    let calls = answer.calls.map { call in
      Self.call(call.id, call.name, (try? JSON(text: call.arguments)) ?? .record([:]))
    }
    return .json(
      Self.message(
        model, content: (answer.text.isEmpty && !calls.isEmpty ? [] : [text]) + calls,
        end: Self.end(answer.summary.reason, hasCalls: !calls.isEmpty),
        usage: Self.usage(answer.summary, output: answer.summary.generatedTokens)))
  }

  @Sendable func count(_ request: Request, _ context: ServerContext) async throws -> Response {
    let fields = try await request.fields(server, context)
    let conversation = try Self.conversation(fields)
    let model = try await server.models.model(try fields.text("model"))
    return .json(
      .record(["input_tokens": .integer(try model.prompt(conversation).tokens.count)]))
  }

  // MARK: Reading

  private static func conversation(_ fields: Fields) throws -> Conversation {
    var conversation = Conversation()
    let system = try ChatReading.text(fields, "system")
    if !system.isEmpty { conversation.add(.system, system) }
    guard let list = try fields.list("messages") else { throw fields.missing("messages") }
    for message in list {
      let role = try message.text("role")
      guard role == "user" || role == "assistant" else {
        throw ChatReading.unknownRole(role, message)
      }
      try add(message, isUser: role == "user", to: &conversation)
    }
    for tool in try fields.list("tools") ?? [] {
      conversation.tools.append(try ChatReading.definition(tool, "input_schema"))
    }
    if let choice = try fields.fields("tool_choice") {
      switch try choice.text("type") {
      case "auto": break
      case "any": conversation.choice = .required
      case "tool": conversation.choice = .named(try choice.text("name"))
      case "none": conversation.choice = .none
      default: throw choice.wrong("type", "auto, any, tool or none")
      }
      if try choice.bool("disable_parallel_tool_use") == true { conversation.count = .one }
    }
    return conversation
  }

  /// Adds a message: text, or blocks of text, calls and their results.
  private static func add(
    _ message: Fields, isUser: Bool, to conversation: inout Conversation
  ) throws {
    guard message["content"]?.array != nil, let blocks = try message.list("content") else {
      return conversation.add(
        isUser ? .user : .assistant, try ChatReading.text(message, "content"))
    }
    var text = ""
    var calls: [ToolCall] = []
    var hasResults = false
    for block in blocks {
      switch try block.string("type") ?? "text" {
      case "tool_use":
        calls.append(
          ToolCall(
            id: try block.text("id"), name: try block.text("name"),
            arguments: block["input"]?.text ?? "{}"))
      case "tool_result":
        let id = try block.text("tool_use_id")
        conversation.entries.append(
          .result(
            ToolResult(
              id: id, name: conversation.tool(ofCall: id) ?? "tool",
              content: try ChatReading.text(block, "content"))))
        hasResults = true
      default: text += try ChatReading.text(block)
      }
    }
    if !calls.isEmpty {
      conversation.entries.append(.calls(calls, text: text))
    } else if !text.isEmpty || !hasResults {
      conversation.add(isUser ? .user : .assistant, text)
    }
  }

  // MARK: Writing

  private struct End {
    var reason: JSON
    var sequence: JSON
  }

  private static func call(_ id: String, _ name: String, _ input: JSON) -> JSON {
    .record([
      "type": "tool_use", "id": .string(id), "name": .string(name), "input": input,
    ])
  }

  private static func end(_ reason: FinishReason, hasCalls: Bool) -> End {
    switch reason {
    case .stopText(let text): End(reason: "stop_sequence", sequence: .string(text))
    case .maxTokens, .contextFull: End(reason: "max_tokens", sequence: .null)
    default: End(reason: hasCalls ? "tool_use" : "end_turn", sequence: .null)
    }
  }

  private static func usage(_ summary: GenerationSummary?, output: Int) -> JSON {
    let prompt = summary?.promptTokens ?? 0
    let cached = summary?.cachedTokens ?? 0
    return .record([
      "input_tokens": .integer(prompt - cached), "cache_creation_input_tokens": 0,
      "cache_read_input_tokens": .integer(cached), "output_tokens": .integer(output),
    ])
  }

  private static func message(
    _ model: ServedModel, content: [JSON], end: End?, usage: JSON
  ) -> JSON {
    .record([
      "id": .string(OpenAIShapes.id("msg_")), "type": "message", "role": "assistant",
      "model": .string(model.name), "content": .array(content),
      "stop_reason": end?.reason ?? .null, "stop_sequence": end?.sequence ?? .null, "usage": usage,
    ])
  }

  /// Server-sent events whose names their data repeat.
  private func stream(
    _ asked: AnswerRequest, _ model: ServedModel,
    _ updates: AsyncThrowingStream<AnswerUpdate, any Error>
  ) -> Response {
    .stream(
      .events, refusal: { StreamFrame(AnthropicRefusal.body(of: $0), name: "error") }
    ) { writer in
      var reader = try asked.reader(model)
      var blocks = AnthropicBlocks()
      for try await update in updates {
        guard case .event(let event, _) = update else {
          try await writer.send(.record(["type": "ping"]), name: "ping")
          continue
        }
        if case .prefill(let done, let total) = event, done == total, !blocks.hasBegun {
          // What was found in a cache is known at the end only.
          let usage = JSON.record(["input_tokens": .integer(total), "output_tokens": 0])
          blocks.begin(Self.message(model, content: [], end: nil, usage: usage))
        }
        for part in reader.read(event) { blocks.add(part) }
        if case .finished(let summary) = event {
          let end = Self.end(
            try CompletedAnswer.complete(summary).reason, hasCalls: !reader.calls.isEmpty)
          blocks.finish(
            .record(["stop_reason": end.reason, "stop_sequence": end.sequence]),
            Self.usage(summary, output: summary.generatedTokens))
        }
        for frame in blocks.takeFrames() { try await writer.send(frame) }
      }
    }
  }
}
