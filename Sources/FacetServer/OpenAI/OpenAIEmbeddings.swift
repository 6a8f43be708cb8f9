// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import Foundation
import Hummingbird

/// `POST /v1/embeddings`.
struct OpenAIEmbeddings: Sendable {
  let server: Server

  @Sendable func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
    let fields = try await request.fields(server, context)
    let model = try await server.models.model(try fields.string("model"))
    let inputs = try TextInput.read(fields, "input")
    guard !inputs.isEmpty else { throw fields.wrong("input", "at least one text") }
    let format = try fields.string("encoding_format") ?? "float"
    guard format == "float" || format == "base64" else {
      throw ServerError(
        .invalidRequest, "'encoding_format' is '\(format)'; it must be float or base64.",
        parameter: "encoding_format")
    }
    let embeddings = try await server.embed(
      inputs, model, dimensions: try fields.integer("dimensions"), truncates: false,
      watch: await context.clientWatch())
    let count = embeddings.reduce(0) { $0 + $1.tokenCount }
    let data = embeddings.enumerated().map { index, embedding -> JSON in
      .record([
        "object": "embedding", "index": .integer(index),
        "embedding": format == "float"
          ? .numbers(embedding.vector) : .string(Self.base64(embedding.vector)),
      ])
    }
    return .json(
      .record([
        "object": "list", "data": .array(data), "model": .string(model.name),
        "usage": .record(["prompt_tokens": .integer(count), "total_tokens": .integer(count)]),
      ]))
  }

  /// f32 numbers, little end first.
  static func base64(_ vector: [Float]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(vector.count * 4)
    for value in vector {
      let bits = value.bitPattern
      for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(shift))) }
    }
    return Data(bytes).base64EncodedString()
  }
}
