// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetServer
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

/// What every request passes: shapes of refusals, keys, pages of other hosts, limits.
@Suite("Front door")
struct FrontDoorTests {
  @Test(
    "a path and its headers say which API is spoken",
    arguments: [
      ("/v1/chat/completions", [:], .openAI), ("/v1/models", [:], .openAI),
      ("/v1/models", ["x-goog-api-key": "k"], .gemini),
      ("/v1/models/m:generateContent", [:], .gemini),
      ("/v1beta/models", [:], .gemini), ("/v1/models/m:predict", [:], .kserve),
      ("/v1/messages", [:], .anthropic), ("/v1/models", ["anthropic-version": "1"], .anthropic),
      ("/api/tags", [:], .ollama), ("/v2/models", [:], .kserve), ("/nothing", [:], .openAI),
    ] as [(String, [String: String], APIShape)])
  func shapes(_ path: String, _ headers: [String: String], _ shape: APIShape) {
    var fields = HTTPFields()
    for (name, value) in headers {
      if let name = HTTPField.Name(name) { fields[name] = value }
    }
    #expect(APIShape(path: path, headers: fields) == shape)
  }

  @Test(
    "an unknown route and a wrong method are refused in the API's shape",
    arguments: [
      ("/v1/nothing", "error"), ("/api/nothing", "error"), ("/v1beta/nothing", "error"),
      ("/v2/nothing", "error"), ("/nothing", "error"),
    ])
  func unknownRoutes(_ path: String, _ key: String) async throws {
    try await TestServer.with { client in
      let response = try await client.send(.get, path)
      #expect(response.status == .notFound)
      #expect(try client.json(response)[key] != nil)
    }
  }

  @Test("a method that a route has not is refused with those that it has")
  func methods() async throws {
    try await TestServer.with { client in
      let response = try await client.send(.delete, "/api/chat")
      #expect(response.status == .methodNotAllowed)
      #expect(try client.json(response)["error"] == "/api/chat takes POST, not DELETE.")
    }
  }

  @Test("with a key, every route but health is closed to those without it")
  func keys() async throws {
    var settings = TestServer.settings
    settings.apiKeys = ["a-long-secret"]
    try await TestServer.with(settings) { client in
      for path in ["/", "/v1/models", "/api/tags", "/metrics", "/openapi.json", "/nothing"] {
        #expect(try await client.send(.get, path).status == .unauthorized, "\(path)")
      }
      for path in ["/health", "/v1/health", "/ping", "/v2/health/live", "/v2/health/ready"] {
        #expect(try await client.send(.get, path).status == .ok, "\(path)")
      }
      // What browsers send when they have asked for a name and a password.
      let basic = "Basic OmEtbG9uZy1zZWNyZXQ="
      for value in ["Bearer a-long-secret", "bearer a-long-secret", basic] {
        let response = try await client.send(.get, "/api/tags", nil, [.authorization: value])
        #expect(response.status == .ok)
      }
      for value in ["Bearer ", "Bearer a-long-secre", "Bearer a-long-secrets", "a-long-secret"] {
        let response = try await client.send(.get, "/api/tags", nil, [.authorization: value])
        #expect(response.status == .unauthorized)
      }
    }
  }

  @Test("keys are equal only as a whole")
  func comparison() {
    let key = Array("secret".utf8)
    #expect(KeyGuard.isEqual(key, key))
    for other in ["", "secre", "secrets", "secretsecret", "Secret", "\0ecret"] {
      #expect(!KeyGuard.isEqual(Array(other.utf8), key), "\(other)")
    }
    #expect(!KeyGuard.isEqual([], []))
  }

  @Test("a page of another host may not ask, unless the settings name it")
  func origins() async throws {
    var settings = TestServer.settings
    settings.origins = ["https://friend.example"]
    try await TestServer.with(settings) { client in
      let evil = try await client.send(.get, "/api/version", nil, [.origin: "https://evil.example"])
      #expect(evil.status == .forbidden)
      #expect(evil.headers[.accessControlAllowOrigin] == nil)
      let friend = try await client.send(
        .get, "/api/version", nil, [.origin: "https://friend.example"])
      #expect(friend.status == .ok)
      #expect(friend.headers[.accessControlAllowOrigin] == "https://friend.example")
    }
  }

  @Test("a body over the limit is refused")
  func limits() async throws {
    var settings = TestServer.settings
    settings.maxBodyBytes = 1000
    try await TestServer.with(settings) { client in
      let response = try await client.send(
        .post, "/api/chat", String(repeating: " ", count: 1001))
      #expect(response.status == .contentTooLarge)
      #expect(
        try client.json(response)["error"]
          == "The body is larger than 1000 bytes, which is the limit (max_body_bytes of the server)."
      )
    }
  }

  @Test(
    "a head over the limit is refused with 431 in the shape of the API that its first line names",
    arguments: [
      ("/v1/chat/completions", "error.type", "invalid_request_error"),
      ("/api/chat", "error", "Too large."),
      ("/v1beta/models/m:generateContent", "error.status", "INVALID_ARGUMENT"),
      ("/v1/messages", "error.type", "request_too_large"),
      ("/v2/models/m/infer", "error", "Too large."),
    ])
  func largeHeads(_ path: String, _ member: String, _ text: String) throws {
    let start = "POST \(path) HTTP/1.1\r\nHost: localhost\r\n"
    let answer = HeadAnswer(to: Array(start.utf8), ServerError(.headTooLarge, "Too large."))
    #expect(answer.status == .requestHeaderFieldsTooLarge)
    let body = answer.text.split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""
    var value: JSON? = try JSONReader.read(Array(body.utf8), path: "body")
    for key in member.split(separator: ".") { value = value?[String(key)] }
    #expect(value?.string == text, "\(body)")
  }

  @Test("what is no HTTP is refused in the shape of whatever API its first line names")
  func noRequests() {
    let error = ServerError(.invalidRequest, "The request is no well-formed HTTP/1.1.")
    for (start, shape) in [
      ("POST /api/chat HTTP/1.1\r\nA B\r\n", .ollama), ("GET /v1/models?key=k HTTP/9\r\n", .gemini),
      ("\u{16}\u{3}\u{1}", .openAI), ("", .openAI), ("/v2/models", .openAI),
    ] as [(String, APIShape)] {
      let answer = HeadAnswer(to: Array(start.utf8), error)
      #expect(answer.shape == shape && answer.status == .badRequest, "\(start)")
      let parts = answer.text.split(separator: "\r\n\r\n", maxSplits: 1)
      #expect(parts.first?.hasPrefix("HTTP/1.1 400 Bad Request\r\n") == true)
      #expect(
        parts.first?.contains("Content-Length: \(parts.last?.utf8.count ?? -1)\r\n") == true)
    }
  }

  @Test("a request keeps its identifier, unless that is not harmless")
  func identifiers() async throws {
    let name = HTTPField.Name("x-request-id") ?? .accept
    try await TestServer.with { client in
      let kept = try await client.send(.get, "/health", nil, [name: "abc-1"])
      #expect(kept.headers[name] == "abc-1")
      let replaced = try await client.send(.get, "/health", nil, [name: "a\"b"])
      #expect(replaced.headers[name]?.hasPrefix("req-") == true)
    }
  }

  @Test("the page may run its own script and ask this server, and nothing else")
  func page() async throws {
    try await TestServer.with { client in
      let page = try await client.send(.get, "/", nil, [.accept: "text/html"])
      #expect(page.headers[.contentType] == "text/html; charset=utf-8")
      let policy = page.headers[.contentSecurityPolicy] ?? ""
      #expect(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"))
      #expect(!policy.contains("unsafe"))
      let text = String(buffer: page.body)
      #expect(!text.contains("innerHTML") && !text.contains("src=\"http"))
      let plain = try await client.send(.get, "/")
      #expect(String(buffer: plain.body) == "Ollama is running")
    }
  }

  @Test("the description names every route, with a schema for every JSON body")
  func description() async throws {
    try await TestServer.with { client in
      let paths = try await client.get("/openapi.json")["paths"]?.object
      for path in [
        "/v1/chat/completions", "/api/chat", "/v1/messages", "/v1beta/models/{model}", "/tokenize",
        "/v2/models/{model}", "/predict", "/metrics",
      ] {
        #expect(paths?[path] != nil, "\(path)")
      }
      #expect(paths?["/api/chat"]?["post"]?["requestBody"] != nil)
    }
  }
}
