// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
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
    guard let list = try fields.list("messages") else { throw fields.missing("messages") }
    let conversation = try ChatReading.openAI(list, fields)
    return Asked(
      model: model,
      request: AnswerRequest(
        prompt: try model.prompt(conversation), options: options,
        choices: try OpenAIOptions.choices(fields, server.settings)),
      isStream: try fields.bool("stream") ?? false,
      includesUsage: try fields.fields("stream_options")?.bool("include_usage") ?? false,
      hasLogProbabilities: wantsLogProbabilities)
  }

  // MARK: Writing

  private func complete(
    _ asked: Asked, _ updates: AsyncThrowingStream<AnswerUpdate, any Error>
  ) async throws -> JSON {
    let answers = try await CompletedAnswer.collect(updates, count: asked.request.choices)
    var usage = OpenAIShapes.Usage()
    var choices: [JSON] = []
    for (index, answer) in answers.enumerated() {
      usage.add(answer.summary, countsPrompt: index == 0)
      choices.append(
        .record([
          "index": .integer(index),
          "message": .record([
            "role": "assistant", "content": .string(answer.text), "refusal": .null,
          ]),
          "logprobs": asked.hasLogProbabilities
            ? OpenAIShapes.content(answer.tokens, asked.model.tokenizer) : .null,
          "finish_reason": .string(OpenAIShapes.finishReason(answer.summary.reason)),
        ]))
    }
    return .record([
      "id": .string(OpenAIShapes.id("chatcmpl-")), "object": "chat.completion",
      "created": OpenAIShapes.now, "model": .string(asked.model.name), "choices": .array(choices),
      "usage": usage.json, "system_fingerprint": .string(server.fingerprint),
    ])
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
      for choice in 0..<asked.request.choices {
        try await writer.send(chunk(choice, .record(["role": "assistant", "content": ""])))
      }
      for try await update in updates {
        guard case .event(let event, let choice) = update else {
          try await writer.ping()
          continue
        }
        switch event {
        case .prefill: break
        case .token(let token):
          let logprobs =
            asked.hasLogProbabilities
            ? OpenAIShapes.content([token], asked.model.tokenizer) : nil
          guard !token.text.isEmpty || logprobs != nil else { continue }
          try await writer.send(
            chunk(choice, .record(["content": .string(token.text)]), logprobs))
        case .rest(let text):
          try await writer.send(chunk(choice, .record(["content": .string(text)])))
        case .finished(let summary):
          let summary = try CompletedAnswer.complete(summary)
          usage.add(summary, countsPrompt: usage.prompt == 0)
          let end = OpenAIShapes.finishReason(summary.reason)
          try await writer.send(chunk(choice, .record([:]), end: end))
        }
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
