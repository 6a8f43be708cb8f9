// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetJSON
import Hummingbird

/// `POST /api/embed`, and `POST /api/embeddings` as older clients ask.
struct OllamaEmbeddings: Sendable {
  let server: Server

  @Sendable func embed(_ request: Request, _ context: ServerContext) async throws -> Response {
    let arrival = ContinuousClock.now
    let asked = try OllamaRequest(try await request.fields(server, context))
    let texts = try asked.fields.strings("input") ?? []
    let model = try await server.models.model(asked.name, keepAlive: asked.keepAlive)
    let embeddings = try await server.embed(
      texts.map { .text($0) }, model, dimensions: try asked.fields.integer("dimensions"),
      truncates: try asked.fields.bool("truncate") ?? true, watch: await context.clientWatch())
    return .json(
      .record([
        "model": .string(asked.name),
        "embeddings": .array(embeddings.map { .numbers($0.vector) }),
        "total_duration": OllamaShapes.nanoseconds(ContinuousClock.now - arrival),
        "load_duration": OllamaShapes.nanoseconds(model.loadTime),
        "prompt_eval_count": .integer(embeddings.reduce(0) { $0 + $1.tokenCount }),
      ]))
  }

  @Sendable func legacy(_ request: Request, _ context: ServerContext) async throws -> Response {
    let asked = try OllamaRequest(try await request.fields(server, context))
    let text = try asked.fields.string("prompt") ?? ""
    let model = try await server.models.model(asked.name, keepAlive: asked.keepAlive)
    guard !text.isEmpty else { return .json(.record(["embedding": .array([])])) }
    let embeddings = try await server.embed(
      [.text(text)], model, dimensions: nil, truncates: true, watch: await context.clientWatch())
    return .json(.record(["embedding": .numbers(embeddings[0].vector)]))
  }
}
