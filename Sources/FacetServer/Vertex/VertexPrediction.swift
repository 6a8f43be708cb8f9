// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetTokenizer
import Hummingbird

/// Predictions as Vertex AI's custom containers and KServe v1 make them: `{"instances": […],
/// "parameters": {…}}` to `{"predictions": […]}`, in the same order.
///
/// An instance is a text, `{"prompt": …}` or `{"inputs": …}`, whose prediction is a text, or
/// `{"messages": […]}` or one with `@requestFormat`, whose prediction is OpenAI's response.
struct VertexPrediction: Sendable {
  let server: Server

  @Sendable func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
    try await respond(request, context, model: nil)
  }

  func respond(
    _ request: Request, _ context: ServerContext, model: String?
  ) async throws -> Response {
    let fields = try await request.fields(server, context)
    guard let instances = try fields.array("instances") else { throw fields.missing("instances") }
    guard instances.count <= Self.most else {
      throw ServerError(
        .tooLarge,
        "There are \(instances.count) instances; at most \(Self.most) are taken at once.",
        parameter: "instances")
    }
    let parameters = try fields.fields("parameters")?.object ?? JSONObject()
    let watch = await context.clientWatch()
    let predictions = await withTaskGroup(of: Prediction.self) { group in
      for (index, instance) in instances.enumerated() {
        group.addTask {
          await prediction(instance, index, parameters, model: model, watch: watch)
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.index < $1.index }
    }
    // One instance that is wrong is the request's error; of several, each says its own.
    if predictions.count == 1, let refusal = predictions[0].refusal { throw refusal }
    return .json(
      .record([
        "predictions": .array(predictions.map(\.value)),
        "model": .string(try server.models.name(model)),
      ]))
  }

  /// What became of an instance.
  private struct Prediction: Sendable {
    var index: Int
    var value: JSON
    var refusal: ServerError?
  }

  private func prediction(
    _ instance: JSON, _ index: Int, _ parameters: JSONObject, model: String?, watch: ClientWatch?
  ) async -> Prediction {
    do {
      let value = try await predict(instance, index, parameters, model: model, watch: watch)
      return Prediction(index: index, value: value)
    } catch {
      let refusal = ServerError(error)
      return Prediction(index: index, value: APIShape.openAI.body(of: refusal), refusal: refusal)
    }
  }

  /// Instances of one request, as llama.cpp's server has it.
  private static let most = 128

  private func predict(
    _ instance: JSON, _ index: Int, _ parameters: JSONObject, model: String?, watch: ClientWatch?
  ) async throws -> JSON {
    var object = instance.object ?? JSONObject()
    if let text = instance.string { _ = object.append("prompt", .string(text)) }
    guard !object.members.isEmpty else {
      throw Fields.wrong("instances[\(index)]", "a text or an object")
    }
    for member in parameters.members { _ = object.append(member.key, member.value) }
    if let model { _ = object.append("model", .string(model)) }
    // Answers are whole here, whatever the instance says.
    object = object.without(["stream", "stream_options"])
    let fields = Fields(object, at: "")
    let format = try fields.string("@requestFormat") ?? ""
    if fields["messages"] != nil || format.contains("chat") {
      return try await OpenAIChat(server: server).answer(fields, watch: watch)
    }
    if format.contains("ompletions") {
      return try await OpenAICompletion(server: server).answer(fields, watch: watch)
    }
    return try await text(fields, watch)
  }

  private func text(_ fields: Fields, _ watch: ClientWatch?) async throws -> JSON {
    let arrival = ContinuousClock.now
    let text = try fields.string("prompt") ?? fields.string("inputs") ?? fields.string("text")
    guard let text else { throw fields.missing("prompt") }
    let model = try await server.models.model(try fields.string("model"))
    var options = try OpenAIOptions.read(fields, for: model, server.settings)
    options.maxTokens =
      try fields.integer("maxOutputTokens") ?? fields.integer("max_new_tokens")
      ?? options.maxTokens ?? 256
    let prompt = try model.prompt(text, system: nil, after: [], isRaw: false)
    let request = AnswerRequest(prompt: prompt, options: options)
    let updates = try AnswerFeed.open(
      request, of: model, watch: watch, metrics: server.metrics, arrival: arrival)
    return .string(try await CompletedAnswer.collect(updates, of: request, model)[0].text)
  }

  @Sendable func health(_ request: Request, _ context: ServerContext) async throws -> Response {
    try await OperationRoutes(server: server).health(request, context)
  }
}

extension JSONObject {
  /// The object less some members.
  func without(_ keys: Set<String>) -> JSONObject {
    var result = JSONObject()
    for member in members where !keys.contains(member.key) {
      _ = result.append(member.key, member.value)
    }
    return result
  }
}
