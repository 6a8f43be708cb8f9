// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetStore
import FacetTokenizer
import Foundation
import Hummingbird

/// `GET /v1/models` and `GET /v1/models/{id}`, which OpenAI's, Anthropic's and Gemini's clients share: one
/// object has the members of all three, unless the client shows that it is Gemini's.
struct OpenAIModels: Sendable {
  let server: Server

  @Sendable func list(_ request: Request, _ context: ServerContext) async throws -> Response {
    if context.shape == .gemini {
      return try await GeminiModels(server: server).list(request, context)
    }
    let models = try server.models.stored()
    let ids = models.map { JSON.string($0.name) }
    return .json(
      .record([
        "object": "list", "data": .array(try models.map(entry)), "has_more": false,
        "first_id": ids.first ?? .null, "last_id": ids.last ?? .null,
      ]))
  }

  @Sendable func show(_ name: String, _ context: ServerContext) throws -> Response {
    guard let model = try server.models.find(name) else { throw ModelHost.unknown(name) }
    return .json(try entry(model))
  }

  private func entry(_ model: StoredModel) throws -> JSON {
    let card = try? server.models.card(model)
    return .record([
      "id": .string(model.name), "object": "model",
      "created": .integer(Int(model.pulled.timeIntervalSince1970)), "owned_by": "facet",
      "type": "model", "display_name": .string(model.name),
      "created_at": .string(model.pulled.formatted(.iso8601)),
      "max_model_len": card.map { .integer($0.contextLength) },
      "meta": card.map { card in
        .record([
          "n_ctx_train": .integer(card.contextLength), "n_params": .integer(card.parameterCount),
          "size": .integer(card.byteCount),
          "chat_format": card.chatFormat.map { .string($0.rawValue) } ?? .null,
        ])
      },
    ])
  }
}
