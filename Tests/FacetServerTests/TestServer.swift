// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetServer
import FacetStore
import FacetTestSupport
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

/// A server of the tiny Llama of the fixtures, asked without a network.
enum TestServer {
  /// The name that the fixture's folder gives the model.
  static let model = "chat:local"

  /// The fixture with room for long conversations and a chat template, which make it one that converses; its
  /// weights are random, and what it says is nonsense.
  static let folder: String = {
    let source = Goldens.path("fixtures/llama/hf")
    let folder = Scratch.path("server") + "/chat"
    let files = FileManager.default
    do {
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for name in try files.contentsOfDirectory(atPath: source) {
        let text = try Data(contentsOf: URL(fileURLWithPath: "\(source)/\(name)"))
        var data = text
        if name == "config.json" {
          data = Data(
            String(decoding: text, as: UTF8.self)
              .replacing(
                "\"max_position_embeddings\": 256", with: "\"max_position_embeddings\": 4096"
              )
              .utf8)
        } else if name == "tokenizer_config.json" {
          data = Data(#"{"add_bos_token": true, "chat_template": "[INST] <<SYS>>"}"#.utf8)
        }
        try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
    } catch {
      // Every test that opens the folder then says what is missing.
      FileHandle.standardError.write(Data("\(error)\n".utf8))
    }
    return folder
  }()

  /// Settings that name the fixture, and nothing of this machine.
  static var settings: ServerSettings {
    var settings = ServerSettings()
    settings.models = [folder]
    settings.threads = 1
    return settings
  }

  /// Runs `body` with a client of a server whose models are loaded.
  static func with(
    _ settings: ServerSettings = settings,
    _ body: @escaping @Sendable (TestClient) async throws -> Void
  ) async throws {
    let home = Scratch.path("server")
    defer { try? FileManager.default.removeItem(atPath: home) }
    let server = try Server(settings, store: ModelStore(home: home))
    try await server.loadModels()
    try await body(TestClient(server.application()))
  }
}

/// What a server answered.
struct TestResponse: Sendable {
  var status: HTTPResponse.Status
  var headers: HTTPFields
  var body: ByteBuffer
}

/// The body of an answer, which its writer and its reader share.
private final class KeptBody: Sendable {
  private let buffer = Mutex(ByteBuffer())

  var bytes: ByteBuffer { buffer.withLock { $0 } }

  func append(_ part: ByteBuffer) {
    buffer.withLock { kept in
      var part = part
      kept.writeBuffer(&part)
    }
  }
}

private struct KeptBodyWriter: ResponseBodyWriter {
  let body: KeptBody

  mutating func write(_ buffer: ByteBuffer) async throws { body.append(buffer) }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// Asks in the few ways that the tests need.
struct TestClient: Sendable {
  private let answer: @Sendable (Request) async throws -> Response

  /// Asks what an application answers with, in a connection that leads nowhere.
  init<App: ApplicationProtocol>(_ application: App) async throws {
    let responder = try await application.responder
    let logger = application.logger
    answer = { request in
      let source = ApplicationRequestContextSource(
        channel: NIOAsyncTestingChannel(), logger: logger)
      return try await responder.respond(
        to: request, context: App.Responder.Context(source: source))
    }
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ headers: HTTPFields = [:]
  ) async throws -> TestResponse {
    try await send(method, path, bytes: body.map { ByteBuffer(string: $0) }, headers)
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, bytes: ByteBuffer?, _ headers: HTTPFields = [:]
  ) async throws -> TestResponse {
    var headers = headers
    if let bytes { headers[.contentLength] = "\(bytes.readableBytes)" }
    let request = Request(
      head: HTTPRequest(
        method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers),
      body: RequestBody(buffer: bytes ?? ByteBuffer()))
    let response = try await answer(request)
    let kept = KeptBody()
    try await response.body.write(KeptBodyWriter(body: kept))
    return TestResponse(status: response.status, headers: response.headers, body: kept.bytes)
  }

  /// What `POST path` answers with 200.
  func post(_ path: String, _ body: String) async throws -> JSON {
    let response = try await send(.post, path, body)
    #expect(response.status == .ok, "\(path): \(String(buffer: response.body))")
    return try json(response)
  }

  func get(_ path: String, _ headers: HTTPFields = [:]) async throws -> JSON {
    let response = try await send(.get, path, nil, headers)
    #expect(response.status == .ok)
    return try json(response)
  }

  /// The body as JSON.
  func json(_ response: TestResponse) throws -> JSON {
    try JSONReader.read(Array(response.body.readableBytesView), path: "body")
  }

  /// The values of a stream of server-sent events, `[DONE]` left out.
  func events(_ path: String, _ body: String) async throws -> [JSON] {
    let response = try await send(.post, path, body)
    #expect(response.headers[.contentType] == "text/event-stream; charset=utf-8")
    return try String(buffer: response.body).split(separator: "\n")
      .filter { $0.hasPrefix("data: {") }
      .map { try JSONReader.read(Array($0.dropFirst(6).utf8), path: "event") }
  }

  /// The values of a stream with one a line.
  func lines(_ path: String, _ body: String) async throws -> [JSON] {
    let response = try await send(.post, path, body)
    #expect(response.headers[.contentType] == "application/x-ndjson")
    return try String(buffer: response.body).split(separator: "\n")
      .map { try JSONReader.read(Array($0.utf8), path: "line") }
  }
}

extension JSON {
  /// The element at `index`; nil when there is none.
  subscript(index: Int) -> JSON? {
    guard let array, array.indices.contains(index) else { return nil }
    return array[index]
  }
}
