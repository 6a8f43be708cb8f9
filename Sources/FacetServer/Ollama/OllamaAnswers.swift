// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetTokenizer
import Hummingbird

/// `POST /api/generate` and `POST /api/chat`.
struct OllamaAnswers: Sendable {
  let server: Server

  /// Which of the two: they differ in where the text stands.
  enum Kind: Sendable {
    case generate(prompt: [TokenID])
    case chat

    func text(_ text: String) -> KeyValuePairs<String, JSON?> {
      switch self {
      case .generate: ["response": .string(text)]
      case .chat:
        ["message": .record(["role": "assistant", "content": .string(text)])]
      }
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
    return try await answer(asked, model, prompt, .generate(prompt: prompt.tokens), context)
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
    return try await answer(asked, model, try model.prompt(conversation), .chat, context)
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
    _ asked: OllamaRequest, _ model: ServedModel, _ prompt: Prompt, _ kind: Kind,
    _ context: ServerContext
  ) async throws -> Response {
    let options = try asked.options(for: model, server.settings)
    let updates = try AnswerFeed.open(
      AnswerRequest(prompt: prompt, options: options), of: model,
      watch: await context.clientWatch(), metrics: server.metrics, arrival: asked.arrival)
    let hasLogProbabilities = options.logProbabilities != nil
    @Sendable func last(_ answer: CompletedAnswer, text: String, logprobs: JSON?) -> JSON {
      let history = prompt.tokens + answer.tokens.map(\.id)
      var body = Self.head(asked).adding(kind.text(text)).adding([
        "logprobs": logprobs, "done": true,
        "done_reason": .string(OllamaShapes.doneReason(answer.summary.reason)),
      ])
      if case .generate = kind { body = body.adding(["context": .integers(history)]) }
      return .object(
        body.adding(
          OllamaShapes.metrics(answer.summary, load: model.loadTime, arrival: asked.arrival)))
    }
    guard asked.isStream else {
      let answer = try await CompletedAnswer.collect(updates, count: 1)[0]
      let logprobs =
        hasLogProbabilities ? OllamaShapes.logProbabilities(answer.tokens, model.tokenizer) : nil
      return .json(last(answer, text: answer.text, logprobs: logprobs))
    }
    return .stream(.lines, refusal: OllamaShapes.frame) { writer in
      var tokens: [GeneratedToken] = []
      for try await case .event(let event, _) in updates {
        switch event {
        case .prefill: break
        case .token(let token):
          tokens.append(token)
          let logprobs =
            hasLogProbabilities
            ? OllamaShapes.logProbabilities([token], model.tokenizer) : nil
          guard !token.text.isEmpty || logprobs != nil else { continue }
          try await writer.send(
            .object(
              Self.head(asked).adding(kind.text(token.text)).adding([
                "logprobs": logprobs, "done": false,
              ])))
        case .rest(let text):
          try await writer.send(
            .object(Self.head(asked).adding(kind.text(text)).adding(["done": false])))
        case .finished(let summary):
          let answer = CompletedAnswer(
            tokens: tokens, summary: try CompletedAnswer.complete(summary))
          try await writer.send(last(answer, text: "", logprobs: nil))
        }
      }
    }
  }

  private static func head(_ asked: OllamaRequest) -> JSONObject {
    JSONObject().adding(["model": .string(asked.name), "created_at": OllamaShapes.now])
  }
}
