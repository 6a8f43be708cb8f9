// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetJSON
import FacetServer
import FacetStore
import FacetTestSupport
import Foundation
import HTTPTypes
import NIOCore
import Testing

/// The routes of Ollama's API; shapes and texts are those that its Python client 0.6.3 reads.
@Suite("Ollama")
struct OllamaTests {
  static let options = #""options":{"num_predict":6,"temperature":0}"#

  @Test("a reply streams by default, one object a line, the last with the work's figures")
  func chat() async throws {
    try await TestServer.with { client in
      let body =
        #"{"model":"\#(TestServer.model)","messages":[{"role":"user","content":"the rain"}],\#(Self.options)"#
      let lines = try await client.lines("/api/chat", body + "}")
      let whole = try await client.post("/api/chat", body + #","stream":false,"tools":[]}"#)
      let text = lines.compactMap { $0["message"]?["content"]?.string }.joined()
      #expect(text == whole["message"]?["content"]?.string)
      #expect(lines.dropLast().allSatisfy { $0["done"] == false })
      let last = lines.last
      #expect(last?["done"] == true)
      #expect(["stop", "length"].contains(last?["done_reason"]?.string))
      for name in ["total_duration", "prompt_eval_count", "eval_count", "eval_duration"] {
        #expect((last?[name]?.integer ?? 0) > 0, "\(name)")
      }
    }
  }

  @Test("what a continuation returns as context goes on where it stopped")
  func context() async throws {
    try await TestServer.with { client in
      let whole = try await client.post(
        "/api/generate",
        #"{"model":"\#(TestServer.model)","prompt":"the rain","raw":true,"stream":false,\#(Self.options)}"#
      )
      let context = whole["context"]?.array ?? []
      #expect(
        context.count == (whole["prompt_eval_count"]?.integer ?? 0)
          + (whole["eval_count"]?.integer ?? 0))
      let more = try await client.post(
        "/api/generate",
        #"{"model":"\#(TestServer.model)","prompt":"x","context":\#(JSON.array(context).text),"stream":false,\#(Self.options)}"#
      )
      #expect((more["prompt_eval_count"]?.integer ?? 0) > context.count)
    }
  }

  @Test("a request without a prompt loads the model, and unloads it when it is not to be kept")
  func loading() async throws {
    try await TestServer.with { client in
      func names() async throws -> [String] {
        try await client.get("/api/ps")["models"]?.array?.compactMap { $0["name"]?.string } ?? []
      }
      #expect(try await names() == [TestServer.model])
      let gone = try await client.post(
        "/api/generate", #"{"model":"\#(TestServer.model)","keep_alive":0}"#)
      #expect(gone["done_reason"] == "unload")
      #expect(try await names() == [])
      let loaded = try await client.post(
        "/api/chat", #"{"model":"\#(TestServer.model)","messages":[],"keep_alive":"5m"}"#)
      #expect(loaded["done_reason"] == "load")
      #expect(try await names() == [TestServer.model])
    }
  }

  @Test("a model is made of a file that was sent, shown, copied and removed")
  func making() async throws {
    let file = try Data(
      contentsOf: URL(fileURLWithPath: Goldens.path("fixtures/gemma3/gemma3.gguf")))
    let digest = "sha256:" + SHA256.hex([UInt8](file))
    try await TestServer.with { client in
      #expect(try await client.send(.head, "/api/blobs/" + digest).status == .notFound)
      let sent = try await client.send(
        .post, "/api/blobs/" + digest, bytes: ByteBuffer(bytes: file))
      #expect(sent.status == .created)
      #expect(try await client.send(.head, "/api/blobs/" + digest).status == .ok)
      let steps = try await client.lines(
        "/api/create",
        #"""
        {"model":"mine","files":{"m.gguf":"\#(digest)"},"system":"Be brief.",
        "parameters":{"temperature":0,"stop":["x"]}}
        """#)
      #expect(steps.last?["status"] == "success")
      let shown = try await client.post("/api/show", #"{"model":"mine"}"#)
      #expect(shown["system"] == "Be brief.")
      #expect(shown["parameters"] == "temperature 0\nstop \"x\"")
      #expect(shown["details"]?["family"] == "gemma3")
      let copied = try await client.send(
        .post, "/api/copy", #"{"source":"mine","destination":"other"}"#)
      #expect(copied.status == .ok)
      for name in ["mine", "other"] {
        let gone = try await client.send(.delete, "/api/delete", #"{"model":"\#(name)"}"#)
        #expect(gone.status == .ok)
      }
      let again = try await client.send(.delete, "/api/delete", #"{"model":"mine"}"#)
      #expect(again.status == .notFound)
      #expect(try client.json(again)["error"] == "model 'mine' not found")
    }
  }

  @Test(
    "a digest that is none, or another's, is refused",
    arguments: [
      "sha256:" + String(repeating: "0", count: 64), "sha256:..%2F..%2Fetc%2Fpasswd", "md5:abc",
      "sha256-xyz",
    ])
  func digests(_ digest: String) async throws {
    try await TestServer.with { client in
      let response = try await client.send(.post, "/api/blobs/" + digest, "something else")
      #expect(response.status == .badRequest)
    }
  }

  @Test(
    "refusals say what Ollama says",
    arguments: [
      ("/api/generate", #"{"prompt":"x"}"#, "model is required"),
      ("/api/generate", #"{"model":"nobody","prompt":"x"}"#, "model 'nobody' not found"),
      (
        "/api/generate", #"{"model":"chat:local","prompt":"x","raw":true,"system":"y"}"#,
        "raw mode does not support template, system, or context"
      ),
      (
        "/api/generate", #"{"model":"chat:local","prompt":"x","options":{"top_k":"many"}}"#,
        "option \"top_k\" must be of type integer"
      ),
      (
        "/api/generate", #"{"model":"chat:local","prompt":"x","options":{"stop":[1]}}"#,
        "option \"stop\" must be of an array of strings"
      ),
      (
        "/api/generate", #"{"model":"chat:local","prompt":"x","think":true}"#,
        "\"chat:local\" does not support thinking"
      ),
      (
        "/api/generate", #"{"model":"chat:local","prompt":"x","suffix":"y"}"#,
        "\"chat:local\" does not support insert"
      ),
      (
        "/api/generate", #"{"model":"chat:local","prompt":"x","top_logprobs":21}"#,
        "top_logprobs must be between 0 and 20"
      ),
      ("/api/copy", #"{"source":"nobody","destination":"x"}"#, "model \"nobody\" not found"),
      ("/api/create", #"{"model":"x"}"#, "neither 'from' or 'files' was specified"),
      ("/api/pull", #"{"model":"nobody"}"#, "pull model manifest: file does not exist: nobody"),
      ("/api/chat", "", "missing request body"),
    ])
  func refusals(_ path: String, _ body: String, _ message: String) async throws {
    try await TestServer.with { client in
      let response = try await client.send(.post, path, body)
      #expect([400, 404].contains(response.status.code))
      #expect(try client.json(response) == .object(JSONObject().with("error", .string(message))))
    }
  }

  @Test("a server that is read-only refuses changes")
  func readOnly() async throws {
    var settings = TestServer.settings
    settings.isReadOnly = true
    try await TestServer.with(settings) { client in
      for path in ["/api/pull", "/api/create", "/api/copy"] {
        let response = try await client.send(.post, path, #"{"model":"x"}"#)
        #expect(response.status == .forbidden)
      }
    }
  }
}

extension JSONObject {
  /// The object with one more member.
  func with(_ key: String, _ value: JSON) -> JSONObject {
    var object = self
    _ = object.append(key, value)
    return object
  }
}
