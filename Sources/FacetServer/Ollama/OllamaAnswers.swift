// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetJSON
import FacetTokenizer
import Hummingbird

/// `POST /api/generate` and `POST /api/chat`.
struct OllamaAnswers: Sendable {
  let server: Server

  /// Which of the two: they differ in where the text stands.
  enum Kind: Sendable {
    case generate(prompt: [TokenID])
    case chat

    func text(_ text: String, calls: [ToolCall] = []) -> KeyValuePairs<String, JSON?> {
      switch self {
      case .generate: ["response": .string(text)]
      case .chat:
        [
          "message": .record([
            "role": "assistant", "content": .string(text),
            "tool_calls": calls.isEmpty ? nil : .array(calls.enumerated().map(Self.call)),
          ])
        ]
      }
    }

    /// A call; its arguments are an object here.
    private static func call(_ index: Int, _ call: ToolCall) -> JSON {
      .record([
        "id": .string(call.id),
        "function": .record([
          "index": .integer(index), "name": .string(call.name),
          "arguments": (try? JSON(text: call.arguments)) ?? .record([:]),
        ]),
      ])
    }
  }

  @Sendable func generate(_ request: Request, _ context: ServerContext) async throws -> Response {
    let asked = try OllamaRequest(try await request.fields(server, context))
    let fields = asked.fields
    let text = try fields.string("prompt") ?? ""
    let history = try fields.array("context").map { values throws(ServerError) in
      try TextInput.tokens(values, "context")
    }
    let isRaw = try fields.bool("raw") ?? false
    let system = try fields.string("system")
    let template = try fields.string("template")
    if isRaw, system != nil || history != nil || template != nil {
      throw ServerError(
        .invalidRequest, "raw mode does not support template, system, or context")
    }
    try OllamaRequest.refuseImages(fields, asked.name)
    if let suffix = try fields.string("suffix"), !suffix.isEmpty {
      throw ServerError(.unsupported, "\"\(asked.name)\" does not support insert")
    }
    try Self.refuseTemplate(fields)
    if text.isEmpty { return try await load(asked, .generate(prompt: [])) }
    let model = try await server.models.model(asked.name, keepAlive: asked.keepAlive)
    let prompt = try model.prompt(text, system: system, after: history ?? [], isRaw: isRaw)
    let answer = AnswerRequest(
      prompt: prompt, options: try asked.options(for: model, server.settings))
    return try await self.answer(asked, model, answer, .generate(prompt: prompt.tokens), context)
  }

  @Sendable func chat(_ request: Request, _ context: ServerContext) async throws -> Response {
    let asked = try OllamaRequest(try await request.fields(server, context))
    let list = try asked.fields.list("messages") ?? []
    try Self.refuseTemplate(asked.fields)
    if list.isEmpty { return try await load(asked, .chat) }
    let conversation = try ChatReading.ollama(list, asked)
    let model = try await server.models.model(asked.name, keepAlive: asked.keepAlive)
    guard model.language.chatFormat != nil else {
      throw ServerError(.unsupported, "\"\(asked.name)\" does not support chat")
    }
    let answer = try AnswerRequest(
      conversation, to: model, options: asked.options(for: model, server.settings))
    return try await self.answer(asked, model, answer, .chat, context)
  }

  private static func refuseTemplate(_ fields: Fields) throws(ServerError) {
    guard let template = try fields.string("template"), !template.isEmpty else { return }
    throw ServerError(
      .unsupported, "templates are not supported: a model is asked in the format it was taught",
      parameter: "template")
  }

  // MARK: Loading

  /// A request without a prompt brings the model into memory, or out of it.
  private func load(_ asked: OllamaRequest, _ kind: Kind) async throws -> Response {
    if asked.unloads {
      try server.models.unload(asked.name)
    } else {
      _ = try await server.models.model(asked.name, keepAlive: asked.keepAlive)
    }
    let body = JSONObject().adding([
      "model": .string(asked.name), "created_at": OllamaShapes.now,
    ]).adding(kind.text("")).adding([
      "done": true, "done_reason": .string(asked.unloads ? "unload" : "load"),
    ])
    return .json(.object(body))
  }

  // MARK: Answering

  private func answer(
    _ asked: OllamaRequest, _ model: ServedModel, _ request: AnswerRequest, _ kind: Kind,
    _ context: ServerContext
  ) async throws -> Response {
    let updates = try AnswerFeed.open(
      request, of: model, watch: await context.clientWatch(), metrics: server.metrics,
      arrival: asked.arrival)
    let hasLogProbabilities = request.options.logProbabilities != nil
    @Sendable func last(_ answer: CompletedAnswer, logprobs: JSON?) -> JSON {
      let history = request.prompt.tokens + answer.tokens.map(\.id)
      let said = kind.text(answer.text, calls: answer.calls)
      var body = Self.head(asked).adding(said).adding([
        "logprobs": logprobs, "done": true,
        "done_reason": .string(OllamaShapes.doneReason(answer.summary.reason)),
      ])
      if case .generate = kind { body = body.adding(["context": .integers(history)]) }
      return .object(
        body.adding(
          OllamaShapes.metrics(answer.summary, load: model.loadTime, arrival: asked.arrival)))
    }
    guard asked.isStream else {
      let answer = try await CompletedAnswer.collect(updates, of: request, model)[0]
      let logprobs =
        hasLogProbabilities ? OllamaShapes.logProbabilities(answer.tokens, model.tokenizer) : nil
      return .json(last(answer, logprobs: logprobs))
    }
    return .stream(.lines, refusal: OllamaShapes.frame) { writer in
      var tokens: [GeneratedToken] = []
      var reader = try request.reader(model)
      for try await case .event(let event, _) in updates {
        let parts = reader.read(event)
        let text = parts.map(\.text).joined()
        var calls: [ToolCall] = []
        for case .call(_, let call) in parts { calls.append(call) }
        var logprobs: JSON?
        if case .token(let token) = event {
          tokens.append(token)
          if hasLogProbabilities {
            logprobs = OllamaShapes.logProbabilities([token], model.tokenizer)
          }
        }
        if !text.isEmpty || !calls.isEmpty || logprobs != nil {
          try await writer.send(
            .object(
              Self.head(asked).adding(kind.text(text, calls: calls)).adding([
                "logprobs": logprobs, "done": false,
              ])))
        }
        guard case .finished(let summary) = event else { continue }
        let answer = CompletedAnswer(
          tokens: tokens, summary: try CompletedAnswer.complete(summary))
        try await writer.send(last(answer, logprobs: nil))
      }
    }
  }

  private static func head(_ asked: OllamaRequest) -> JSONObject {
    JSONObject().adding(["model": .string(asked.name), "created_at": OllamaShapes.now])
  }
}
