// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetStore
import Hummingbird

/// `GET /v1beta/models` and `GET /v1beta/models/{name}`.
struct GeminiModels: Sendable {
  let server: Server

  @Sendable func list(_ request: Request, _ context: ServerContext) async throws -> Response {
    .json(.record(["models": .array(try server.models.stored().map(entry))]))
  }

  func show(_ name: String) throws -> Response {
    guard let model = try server.models.find(name) else { throw ModelHost.unknown(name) }
    return .json(entry(model))
  }

  private func entry(_ model: StoredModel) -> JSON {
    let card = try? server.models.card(model)
    return .record([
      "name": .string("models/\(model.name)"), "version": .string(String(model.digest.prefix(12))),
      "displayName": .string(model.name), "description": .string(model.description),
      "inputTokenLimit": card.map { .integer($0.contextLength) },
      "outputTokenLimit": card.map { .integer($0.contextLength) },
      "supportedGenerationMethods": .strings(GeminiVerb.allCases.map(\.rawValue)),
    ])
  }
}
