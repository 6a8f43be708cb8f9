// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetJSON
import FacetTokenizer
import Hummingbird

/// `POST /v1/chat/completions`.
struct OpenAIChat: Sendable {
  let server: Server

  /// What a request asks for.
  struct Asked: Sendable {
    var model: ServedModel
    var request: AnswerRequest
    var isStream: Bool
    var includesUsage: Bool
    var hasLogProbabilities: Bool
  }

  @Sendable func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
    let arrival = ContinuousClock.now
    let fields = try await request.fields(server, context)
    let asked = try await read(fields)
    let watch = await context.clientWatch()
    let updates = try AnswerFeed.open(
      asked.request, of: asked.model, watch: watch, metrics: server.metrics, arrival: arrival,
      pings: asked.isStream)
    if asked.isStream { return stream(asked, updates) }
    return .json(try await complete(asked, updates))
  }

  /// A conversation whose answer is not streamed, for routes that carry one inside.
  func answer(_ fields: Fields, watch: ClientWatch?) async throws -> JSON {
    let arrival = ContinuousClock.now
    let asked = try await read(fields)
    return try await complete(
      asked,
      AnswerFeed.open(
        asked.request, of: asked.model, watch: watch, metrics: server.metrics, arrival: arrival))
  }

  // MARK: Reading

  private func read(_ fields: Fields) async throws -> Asked {
    let model = try await server.models.model(try fields.string("model"))
    var options = try OpenAIOptions.read(fields, for: model, server.settings)
    let wantsLogProbabilities = try fields.bool("logprobs") ?? false
    if wantsLogProbabilities {
      options.logProbabilities = try fields.integer("top_logprobs", in: 0...20) ?? 0
    }
    let conversation = try ChatReading.openAI(fields)
    return Asked(
      model: model,
      request: try AnswerRequest(
        conversation, to: model, options: options,
        choices: OpenAIOptions.choices(fields, server.settings)),
      isStream: try fields.bool("stream") ?? false,
      includesUsage: try fields.fields("stream_options")?.bool("include_usage") ?? false,
      hasLogProbabilities: wantsLogProbabilities)
  }

  // MARK: Writing

  private func complete(
    _ asked: Asked, _ updates: AsyncThrowingStream<AnswerUpdate, any Error>
  ) async throws -> JSON {
    let answers = try await CompletedAnswer.collect(updates, of: asked.request, asked.model)
    var usage = OpenAIShapes.Usage()
    var choices: [JSON] = []
    for (index, answer) in answers.enumerated() {
      usage.add(answer.summary, countsPrompt: index == 0)
      choices.append(
        .record([
          "index": .integer(index),
          "message": .record([
            "role": "assistant",
            "content": answer.text.isEmpty && !answer.calls.isEmpty ? .null : .string(answer.text),
            "refusal": .null,
            "tool_calls": answer.calls.isEmpty ? nil : .array(answer.calls.map(Self.call)),
          ]),
          "logprobs": asked.hasLogProbabilities
            ? OpenAIShapes.content(answer.tokens, asked.model.tokenizer) : .null,
          "finish_reason": .string(
            OpenAIShapes.finishReason(answer.summary.reason, hasCalls: !answer.calls.isEmpty)),
        ]))
    }
    return .record([
      "id": .string(OpenAIShapes.id("chatcmpl-")), "object": "chat.completion",
      "created": OpenAIShapes.now, "model": .string(asked.model.name), "choices": .array(choices),
      "usage": usage.json, "system_fingerprint": .string(server.fingerprint),
    ])
  }

  private static func call(_ call: ToolCall) -> JSON {
    .record([
      "id": .string(call.id), "type": "function",
      "function": .record(["name": .string(call.name), "arguments": .string(call.arguments)]),
    ])
  }

  /// What a part of an answer changes in the message.
  private static func delta(_ part: AnswerPart) -> JSON? {
    switch part {
    case .text(let text), .abandoned(_, let text): return .record(["content": .string(text)])
    case .callBegan(let index, let id, let name):
      return .record([
        "tool_calls": [
          .record([
            "index": .integer(index), "id": .string(id), "type": "function",
            "function": .record(["name": .string(name), "arguments": ""]),
          ])
        ]
      ])
    case .arguments(let index, let text):
      return .record([
        "tool_calls": [
          .record([
            "index": .integer(index), "function": .record(["arguments": .string(text)]),
          ])
        ]
      ])
    case .call: return nil
    }
  }

  private func stream(
    _ asked: Asked, _ updates: AsyncThrowingStream<AnswerUpdate, any Error>
  ) -> Response {
    let head: KeyValuePairs<String, JSON?> = [
      "id": .string(OpenAIShapes.id("chatcmpl-")), "object": "chat.completion.chunk",
      "created": OpenAIShapes.now, "model": .string(asked.model.name),
      "system_fingerprint": .string(server.fingerprint),
    ]
    let start = JSONObject().adding(head)
    return .stream(.events, refusal: Self.frame) { writer in
      var usage = OpenAIShapes.Usage()
      func chunk(_ choice: Int, _ delta: JSON, _ logprobs: JSON? = nil, end: String? = nil) -> JSON
      {
        let entry = JSON.record([
          "index": .integer(choice), "delta": delta, "logprobs": logprobs ?? .null,
          "finish_reason": end.map { .string($0) } ?? .null,
        ])
        return .object(
          start.adding(["choices": .array([entry]), "usage": asked.includesUsage ? .null : nil]))
      }
      var readers: [AnswerReader] = []
      for choice in 0..<asked.request.choices {
        readers.append(try asked.request.reader(asked.model))
        try await writer.send(chunk(choice, .record(["role": "assistant", "content": ""])))
      }
      for try await update in updates {
        guard case .event(let event, let choice) = update else {
          try await writer.ping()
          continue
        }
        var deltas = readers[choice].read(event).compactMap(Self.delta)
        var logprobs: JSON?
        if asked.hasLogProbabilities, case .token(let token) = event {
          logprobs = OpenAIShapes.content([token], asked.model.tokenizer)
          if deltas.isEmpty { deltas = [.record(["content": ""])] }
        }
        for delta in deltas {
          try await writer.send(chunk(choice, delta, logprobs))
          logprobs = nil
        }
        guard case .finished(let summary) = event else { continue }
        usage.add(try CompletedAnswer.complete(summary), countsPrompt: usage.prompt == 0)
        let end = OpenAIShapes.finishReason(
          summary.reason, hasCalls: !readers[choice].calls.isEmpty)
        try await writer.send(chunk(choice, .record([:]), end: end))
      }
      if asked.includesUsage {
        try await writer.send(.object(start.adding(["choices": .array([]), "usage": usage.json])))
      }
      try await writer.send(StreamFrame(text: "[DONE]"))
    }
  }

  /// What a stream ends with when something goes wrong.
  static let frame: @Sendable (ServerError) -> StreamFrame? = {
    StreamFrame(OpenAIRefusal.body(of: $0))
  }
}
