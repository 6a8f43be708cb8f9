// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetGeneration
import FacetJSON
import HTTPTypes
import Hummingbird
import NIOCore

/// The Open Inference protocol (KServe v2, Triton) below `/v2`.
struct InferenceRoutes: Sendable {
  let server: Server

  @Sendable func about(_ request: Request, _ context: ServerContext) -> Response {
    .json(
      .record([
        "name": "facet", "version": .string(Version.current),
        "extensions": .strings(["binary_tensor_data", "generate", "model_repository"]),
      ]))
  }

  @Sendable func live(_ request: Request, _ context: ServerContext) -> Response {
    .json(.record(["live": true]))
  }

  @Sendable func ready(_ request: Request, _ context: ServerContext) -> Response {
    .json(
      .record(["ready": .bool(server.isReady)]), status: server.isReady ? .ok : .serviceUnavailable)
  }

  @Sendable func list(_ request: Request, _ context: ServerContext) throws -> Response {
    .json(.record(["models": .strings(try server.models.stored().map(\.name))]))
  }

  /// `GET /v2/models/{name}[/versions/{version}][/ready|/config|/stats]`.
  @Sendable func show(_ request: Request, _ context: ServerContext) async throws -> Response {
    let (name, verb) = try Self.split(request, verbs: ["ready", "config", "stats"])
    guard try server.models.find(name) != nil else { throw ModelHost.unknown(name) }
    switch verb {
    case "ready": return .json(.record(["name": .string(name), "ready": true]))
    case "stats": return .json(.record(["model_stats": .array([try statistics(name)])]))
    case "config":
      return .json(
        .record([
          "name": .string(name), "platform": "facet", "backend": "facet",
          "max_batch_size": 0,
          "input": .array([Self.tensor("text_input", "data_type", "TYPE_STRING")]),
          "output": .array([Self.tensor("text_output", "data_type", "TYPE_STRING")]),
        ]))
    default:
      return .json(
        .record([
          "name": .string(name), "versions": ["1"], "platform": "facet",
          "inputs": .array([Self.tensor("text_input", "datatype", "BYTES")]),
          "outputs": .array([Self.tensor("text_output", "datatype", "BYTES")]),
        ]))
    }
  }

  /// What Triton's statistics extension says of a model, as far as it is counted here: answers of all APIs.
  private func statistics(_ name: String) throws -> JSON {
    let full = try server.models.name(name)
    let answers = server.metrics.answers.first { $0.key == full }?.value ?? ServerMetrics.Answers()
    func duration(_ histograms: Histogram...) -> JSON {
      let seconds = histograms.reduce(0) { $0 + $1.sum }
      return .record([
        "count": .integer(histograms.first?.count ?? 0),
        "ns": .integer(Int((seconds * 1e9).rounded())),
      ])
    }
    return .record([
      "name": .string(name), "version": "1", "inference_count": .integer(answers.whole.count),
      "execution_count": .integer(answers.whole.count),
      "inference_stats": .record([
        "success": duration(answers.whole), "queue": duration(answers.queue),
        "compute_infer": duration(answers.prefill, answers.decode),
      ]),
    ])
  }

  private static func tensor(_ name: String, _ key: String, _ type: String) -> JSON {
    var object = JSONObject().adding(["name": .string(name)])
    _ = object.append(key, .string(type))
    _ = object.append(key == "datatype" ? "shape" : "dims", .array([-1]))
    return .object(object)
  }

  /// `POST /v2/models/{name}[/versions/{version}]/infer|generate|generate_stream`.
  @Sendable func post(_ request: Request, _ context: ServerContext) async throws -> Response {
    let (name, verb) = try Self.split(request, verbs: ["infer", "generate", "generate_stream"])
    guard let verb else { throw HTTPError(.notFound) }
    if verb == "infer" { return try await infer(name, request, context) }
    return try await generate(name, request, context, isStream: verb == "generate_stream")
  }

  /// `POST /v2/repository/models/{name}/load|unload`, and `POST /v2/repository/index`.
  @Sendable func repository(_ request: Request, _ context: ServerContext) async throws -> Response {
    guard let rest = request.path(after: "/v2/repository/") else { throw HTTPError(.notFound) }
    if rest == "index" {
      let loaded = Set(server.models.loaded().map(\.name))
      return .json(
        .array(
          try server.models.stored().map {
            .record([
              "name": .string($0.name), "version": "1",
              "state": loaded.contains($0.name) ? "READY" : "UNAVAILABLE",
            ])
          }))
    }
    guard rest.hasPrefix("models/"), let slash = rest.lastIndex(of: "/") else {
      throw HTTPError(.notFound)
    }
    let name = String(rest[..<slash].dropFirst("models/".count))
    switch rest[slash...] {
    case "/load": _ = try await server.models.model(name)
    case "/unload": try server.models.unload(name)
    default: throw HTTPError(.notFound)
    }
    return Response(status: .ok)
  }

  /// The name of the model and what is asked of it.
  private static func split(
    _ request: Request, verbs: Set<String>
  ) throws -> (name: String, verb: String?) {
    guard let rest = request.path(after: "/v2/models/"), !rest.isEmpty else {
      throw HTTPError(.notFound)
    }
    var parts = rest.split(separator: "/").map { String($0) }
    let verb = parts.last.flatMap { verbs.contains($0) && parts.count > 1 ? $0 : nil }
    if verb != nil { parts.removeLast() }
    if parts.count > 2, parts[parts.count - 2] == "versions" { parts.removeLast(2) }
    return (parts.joined(separator: "/"), verb)
  }

  // MARK: Inference

  private func infer(
    _ name: String, _ request: Request, _ context: ServerContext
  ) async throws -> Response {
    let buffer = try await request.bytes(limit: server.settings.maxBodyBytes, context: context)
    let bytes = Array(buffer.readableBytesView)
    var headLength = bytes.count
    if let text = request.headers[.inferenceHeaderLength] {
      guard let length = Int(text), (0...bytes.count).contains(length) else {
        throw ServerError(
          .invalidRequest, "Inference-Header-Content-Length is '\(text)' of \(bytes.count) bytes.")
      }
      headLength = length
    }
    let fields = try Fields(RequestJSON.read(Array(bytes[..<headLength])), at: "")
    var data = bytes[headLength...]
    var texts: [String]?
    var settings = try fields.fields("parameters")?.object ?? JSONObject()
    for input in try fields.list("inputs") ?? [] {
      let tensor = try InferenceTensor(input, data: &data)
      if tensor.name == "text_input" {
        texts = tensor.values.compactMap(\.string)
        guard texts?.count == tensor.values.count else {
          throw Fields.wrong("text_input", "of type BYTES, with texts")
        }
      } else if let value = tensor.values.first {
        // Triton's models take settings as tensors of one value.
        _ = settings.append(tensor.name, value)
      }
    }
    guard let texts else {
      throw ServerError(
        .invalidRequest, "The input 'text_input' is missing.", parameter: "text_input")
    }
    let answers = try await self.answers(texts, name, settings, context)
    return try response(fields, name, answers)
  }

  private func response(_ fields: Fields, _ name: String, _ answers: [String]) throws -> Response {
    let wanted = try fields.list("outputs") ?? []
    let isAll = try fields.fields("parameters")?.bool("binary_data_output") ?? false
    let isBinary =
      try wanted.first { $0["name"]?.string == "text_output" }?.fields("parameters")?
      .bool("binary_data") ?? isAll
    let raw = isBinary ? InferenceTensor.bytes(answers) : []
    let output = JSON.record([
      "name": "text_output", "datatype": "BYTES", "shape": .array([.integer(answers.count)]),
      "parameters": isBinary ? .record(["binary_data_size": .integer(raw.count)]) : nil,
      "data": isBinary ? nil : .strings(answers),
    ])
    let body = JSON.record([
      "model_name": .string(name), "model_version": "1",
      "id": try fields.string("id").map { .string($0) }, "outputs": .array([output]),
    ])
    guard isBinary else { return .json(body) }
    let head = Array(body.text.utf8)
    return Response(
      status: .ok,
      headers: [
        .contentType: "application/octet-stream", .inferenceHeaderLength: "\(head.count)",
      ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: head + raw)))
  }

  /// The continuations of `texts`, all at once.
  private func answers(
    _ texts: [String], _ name: String, _ settings: JSONObject, _ context: ServerContext
  ) async throws -> [String] {
    let arrival = ContinuousClock.now
    guard texts.count <= 128 else {
      throw ServerError(.tooLarge, "There are \(texts.count) texts; at most 128 are taken at once.")
    }
    let model = try await server.models.model(name)
    let options = try OpenAIOptions.read(Fields(settings), for: model, server.settings)
    let watch = await context.clientWatch()
    let server = server
    return try await withThrowingTaskGroup(of: (Int, String).self) { group in
      for (index, text) in texts.enumerated() {
        let prompt = try model.prompt(text, system: nil, after: [], isRaw: false)
        let request = AnswerRequest(prompt: prompt, options: options)
        let updates = try AnswerFeed.open(
          request, of: model, watch: watch, metrics: server.metrics, arrival: arrival)
        group.addTask {
          (index, try await CompletedAnswer.collect(updates, of: request, model)[0].text)
        }
      }
      var answers = [String](repeating: "", count: texts.count)
      for try await (index, text) in group { answers[index] = text }
      return answers
    }
  }

  /// Triton's extension: a JSON object with `text_input` and settings.
  private func generate(
    _ name: String, _ request: Request, _ context: ServerContext, isStream: Bool
  ) async throws -> Response {
    let arrival = ContinuousClock.now
    let fields = try await request.fields(server, context)
    let text = try fields.text("text_input")
    var settings = try fields.fields("parameters")?.object ?? JSONObject()
    for member in fields.object.members where member.key != "parameters" {
      _ = settings.append(member.key, member.value)
    }
    let model = try await server.models.model(name)
    let options = try OpenAIOptions.read(Fields(settings), for: model, server.settings)
    let answer = AnswerRequest(
      prompt: try model.prompt(text, system: nil, after: [], isRaw: false), options: options)
    let updates = try AnswerFeed.open(
      answer, of: model, watch: await context.clientWatch(), metrics: server.metrics,
      arrival: arrival,
      pings: isStream)
    @Sendable func body(_ text: String) -> JSON {
      .record([
        "model_name": .string(name), "model_version": "1", "text_output": .string(text),
      ])
    }
    guard isStream else {
      return .json(body(try await CompletedAnswer.collect(updates, of: answer, model)[0].text))
    }
    return .stream(.events, refusal: OllamaShapes.frame) { writer in
      for try await update in updates {
        switch update {
        case .waiting: try await writer.ping()
        case .event(.token(let token), _) where !token.text.isEmpty:
          try await writer.send(body(token.text))
        case .event(.rest(let text), _): try await writer.send(body(text))
        case .event(.finished(let summary), _): _ = try CompletedAnswer.complete(summary)
        default: break
        }
      }
    }
  }
}
