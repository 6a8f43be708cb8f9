// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetJSON
import FacetTokenizer
import Hummingbird

/// `POST /v1beta/models/{name}:verb`.
struct GeminiAnswers: Sendable {
  let server: Server

  func respond(
    _ verb: GeminiVerb, _ name: String, _ request: Request, _ context: ServerContext
  ) async throws -> Response {
    let fields = try await request.fields(server, context, readsSnakeCase: true)
    switch verb {
    case .generateContent, .streamGenerateContent:
      let isEvents = request.uri.queryParameters["alt"] == "sse"
      return try await generate(
        fields, name, context, stream: verb == .generateContent ? nil : isEvents ? .events : .array)
    case .countTokens: return try await count(fields, name)
    case .embedContent, .batchEmbedContents:
      return try await embed(fields, name, context, isBatch: verb == .batchEmbedContents)
    }
  }

  // MARK: Answers

  private func generate(
    _ fields: Fields, _ name: String, _ context: ServerContext, stream: StreamKind?
  ) async throws -> Response {
    let arrival = ContinuousClock.now
    let conversation = try GeminiReading.conversation(fields)
    let model = try await server.models.model(name)
    let options = try GeminiReading.options(fields, for: model, server.settings)
    let request = try AnswerRequest(
      conversation, to: model, options: options,
      choices: GeminiReading.choices(fields, server.settings))
    let updates = try AnswerFeed.open(
      request, of: model, watch: await context.clientWatch(), metrics: server.metrics,
      arrival: arrival, pings: stream != nil)
    guard let stream else {
      let answers = try await CompletedAnswer.collect(updates, of: request, model)
      let candidates = answers.enumerated().map { index, answer in
        Self.candidate(
          index, Self.parts(answer.text, answer.calls),
          tokens: options.logProbabilities == nil ? nil : answer.tokens,
          reason: answer.summary.reason, model.tokenizer)
      }
      return .json(Self.body(candidates, Self.usage(answers.map(\.summary)), model))
    }
    return .stream(stream, refusal: Self.frame) { writer in
      let id = OpenAIShapes.id("")
      var summaries: [GenerationSummary] = []
      var readers: [AnswerReader] = []
      for _ in 0..<request.choices { readers.append(try request.reader(model)) }
      for try await update in updates {
        guard case .event(let event, let choice) = update else {
          try await writer.ping()
          continue
        }
        let said = readers[choice].read(event)
        var calls: [ToolCall] = []
        for case .call(_, let call) in said { calls.append(call) }
        let text = said.map(\.text).joined()
        var tokens: [GeneratedToken]?
        if options.logProbabilities != nil, case .token(let token) = event { tokens = [token] }
        if !text.isEmpty || !calls.isEmpty || tokens != nil {
          let candidate = Self.candidate(
            choice, Self.parts(text, calls), tokens: tokens, reason: nil, model.tokenizer)
          try await writer.send(Self.body([candidate], nil, model, id: id))
        }
        guard case .finished(let summary) = event else { continue }
        summaries.append(try CompletedAnswer.complete(summary))
        let candidate = Self.candidate(
          choice, Self.parts("", []), tokens: nil, reason: summary.reason, model.tokenizer)
        try await writer.send(Self.body([candidate], Self.usage(summaries), model, id: id))
      }
    }
  }

  private static let frame: @Sendable (ServerError) -> StreamFrame? = { error in
    StreamFrame(APIShape.gemini.body(of: error))
  }

  /// Text and calls as the parts of a content.
  private static func parts(_ text: String, _ calls: [ToolCall]) -> [JSON] {
    let said = text.isEmpty && !calls.isEmpty ? [] : [JSON.record(["text": .string(text)])]
    return said
      + calls.map { call in
        .record([
          "functionCall": .record([
            "id": .string(call.id), "name": .string(call.name),
            "args": (try? JSON(text: call.arguments)) ?? .record([:]),
          ])
        ])
      }
  }

  private static func candidate(
    _ index: Int, _ parts: [JSON], tokens: [GeneratedToken]?, reason: FinishReason?,
    _ tokenizer: Tokenizer
  ) -> JSON {
    let tokens = tokens?.filter { !tokenizer.special.stop.contains($0.id) }
    let probabilities = tokens?.compactMap(\.logProbability).map(Double.init) ?? []
    return .record([
      "content": .record(["parts": .array(parts), "role": "model"]),
      "finishReason": reason.map { .string($0.isLength ? "MAX_TOKENS" : "STOP") },
      "index": .integer(index),
      "avgLogprobs": probabilities.isEmpty
        ? nil : .number(probabilities.reduce(0, +) / Double(probabilities.count)),
      "logprobsResult": tokens.map { tokens in
        .record([
          "chosenCandidates": .array(
            tokens.map { entry($0.id, $0.logProbability ?? 0, tokenizer) }),
          "topCandidates": .array(
            tokens.map { token in
              .record([
                "candidates": .array(
                  token.alternatives.map { entry($0.token, $0.logProbability, tokenizer) })
              ])
            }),
        ])
      },
    ])
  }

  private static func entry(
    _ token: TokenID, _ logProbability: Float, _ tokenizer: Tokenizer
  ) -> JSON {
    .record([
      "token": .string(tokenizer.text(of: token)), "tokenId": .integer(Int(token)),
      "logProbability": OpenAIShapes.number(logProbability),
    ])
  }

  private static func usage(_ summaries: [GenerationSummary]) -> JSON {
    let prompt = summaries.first?.promptTokens ?? 0
    let generated = summaries.reduce(0) { $0 + $1.generatedTokens }
    let cached = summaries.first?.cachedTokens ?? 0
    return .record([
      "promptTokenCount": .integer(prompt), "candidatesTokenCount": .integer(generated),
      "totalTokenCount": .integer(prompt + generated),
      "cachedContentTokenCount": cached > 0 ? .integer(cached) : nil,
    ])
  }

  private static func body(
    _ candidates: [JSON], _ usage: JSON?, _ model: ServedModel, id: String = OpenAIShapes.id("")
  ) -> JSON {
    .record([
      "candidates": .array(candidates), "usageMetadata": usage,
      "modelVersion": .string(model.name), "responseId": .string(id),
    ])
  }

  // MARK: Tokens and vectors

  private func count(_ fields: Fields, _ name: String) async throws -> Response {
    // Either the contents stand here, or a whole request that would be sent.
    let inner = try fields.fields("generateContentRequest") ?? fields
    let conversation = try GeminiReading.conversation(inner)
    let model = try await server.models.model(name)
    let count = try model.prompt(conversation).tokens.count
    return .json(.record(["totalTokens": .integer(count)]))
  }

  private func embed(
    _ fields: Fields, _ name: String, _ context: ServerContext, isBatch: Bool
  ) async throws -> Response {
    let requests = isBatch ? try fields.list("requests") ?? [] : [fields]
    var texts: [TextInput] = []
    var dimensions: Int?
    for request in requests {
      guard let content = request["content"] else { throw request.missing("content") }
      texts.append(.text(try GeminiReading.content(content, request.path("content"))))
      dimensions = try request.integer("outputDimensionality") ?? dimensions
    }
    let model = try await server.models.model(name)
    let embeddings = try await server.embed(
      texts, model, dimensions: dimensions, truncates: true, watch: await context.clientWatch())
    let values = embeddings.map { JSON.record(["values": .numbers($0.vector)]) }
    return .json(
      isBatch
        ? .record(["embeddings": .array(values)]) : .record(["embedding": values.first ?? .null]))
  }
}
