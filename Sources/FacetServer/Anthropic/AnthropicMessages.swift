// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
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
    let updates = try AnswerFeed.open(
      AnswerRequest(prompt: try model.prompt(conversation), options: options), of: model,
      watch: await context.clientWatch(), metrics: server.metrics, arrival: arrival, pings: isStream
    )
    if isStream { return stream(model, updates) }
    let answer = try await CompletedAnswer.collect(updates, count: 1)[0]
    return .json(
      Self.message(
        model, content: [.record(["type": "text", "text": .string(answer.text)])],
        end: Self.end(answer.summary.reason),
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

  private static func conversation(_ fields: Fields) throws(ServerError) -> [ChatMessage] {
    if let tools = try fields.array("tools"), !tools.isEmpty {
      throw ServerError(.unsupported, "tools: the model does not support tools", parameter: "tools")
    }
    var messages: [ChatMessage] = []
    let system = try ChatReading.text(fields, "system")
    if !system.isEmpty { messages.append(ChatMessage(.system, system)) }
    guard let list = try fields.list("messages") else { throw fields.missing("messages") }
    for message in list {
      let role = try message.text("role")
      let text = try ChatReading.text(message, "content")
      switch role {
      case "user": messages.append(ChatMessage(.user, text))
      case "assistant": messages.append(ChatMessage(.assistant, text))
      default: throw ChatReading.unknownRole(role, message)
      }
    }
    return messages
  }

  // MARK: Writing

  private struct End {
    var reason: JSON
    var sequence: JSON
  }

  private static func end(_ reason: FinishReason) -> End {
    switch reason {
    case .stopText(let text): End(reason: "stop_sequence", sequence: .string(text))
    case .maxTokens, .contextFull: End(reason: "max_tokens", sequence: .null)
    default: End(reason: "end_turn", sequence: .null)
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
    _ model: ServedModel, _ updates: AsyncThrowingStream<AnswerUpdate, any Error>
  ) -> Response {
    .stream(
      .events, refusal: { StreamFrame(AnthropicRefusal.body(of: $0), name: "error") }
    ) { writer in
      func send(_ type: String, _ members: KeyValuePairs<String, JSON?>) -> (JSON, String) {
        (.object(JSONObject().adding(["type": .string(type)]).adding(members)), type)
      }
      func text(_ text: String) -> (JSON, String) {
        send(
          "content_block_delta",
          [
            "index": 0, "delta": .record(["type": "text_delta", "text": .string(text)]),
          ])
      }
      var hasBegun = false
      for try await update in updates {
        guard case .event(let event, _) = update else {
          try await writer.send(.record(["type": "ping"]), name: "ping")
          continue
        }
        var frames: [(JSON, String)] = []
        if !hasBegun, case .prefill(let done, let total) = event, done == total {
          // What was found in a cache is known at the end only.
          let usage = JSON.record(["input_tokens": .integer(total), "output_tokens": 0])
          frames.append(
            send(
              "message_start",
              ["message": Self.message(model, content: [], end: nil, usage: usage)]))
          frames.append(
            send(
              "content_block_start",
              ["index": 0, "content_block": .record(["type": "text", "text": ""])]))
          hasBegun = true
        }
        switch event {
        case .token(let token) where !token.text.isEmpty: frames.append(text(token.text))
        case .rest(let rest): frames.append(text(rest))
        case .finished(let summary):
          let end = Self.end(try CompletedAnswer.complete(summary).reason)
          frames.append(send("content_block_stop", ["index": 0]))
          frames.append(
            send(
              "message_delta",
              [
                "delta": .record(["stop_reason": end.reason, "stop_sequence": end.sequence]),
                "usage": Self.usage(summary, output: summary.generatedTokens),
              ]))
          frames.append(send("message_stop", [:]))
        default: break
        }
        for (value, name) in frames { try await writer.send(value, name: name) }
      }
    }
  }
}
