// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetServer
import HTTPTypes
import NIOCore
import Testing

/// The routes of the Gemini API, as google-genai 3.4 asks and reads.
@Suite("Gemini")
struct GeminiTests {
  static let contents = #"""
    "contents":[{"role":"user","parts":[{"text":"the rain"}]}],
    "generationConfig":{"temperature":0,"topK":40.0,"max_output_tokens":6}
    """#

  @Test(
    "an answer and its stream say the same; a stream has no [DONE]", arguments: ["v1", "v1beta"])
  func generate(_ version: String) async throws {
    try await TestServer.with { client in
      let path = "/\(version)/models/\(TestServer.model)"
      let whole = try await client.post(path + ":generateContent", "{\(Self.contents)}")
      let text = whole["candidates"]?[0]?["content"]?["parts"]?[0]?["text"]?.string
      #expect(["STOP", "MAX_TOKENS"].contains(whole["candidates"]?[0]?["finishReason"]?.string))
      let parts = try await client.events(
        path + ":streamGenerateContent?alt=sse", "{\(Self.contents)}")
      let streamed = parts.compactMap {
        $0["candidates"]?[0]?["content"]?["parts"]?[0]?["text"]?.string
      }.joined()
      #expect(streamed == text)
      #expect(parts.last?["usageMetadata"]?.withoutCache == whole["usageMetadata"]?.withoutCache)
      let array = try await client.post(path + ":streamGenerateContent", "{\(Self.contents)}")
      #expect(array.array?.count == parts.count)
    }
  }

  @Test("tokens are counted and vectors made")
  func countAndEmbed() async throws {
    try await TestServer.with { client in
      let path = "/v1beta/models/\(TestServer.model)"
      let count = try await client.post(path + ":countTokens", "{\(Self.contents)}")
      #expect((count["totalTokens"]?.integer ?? 0) > 2)
      let many = try await client.post(
        path + ":batchEmbedContents",
        #"{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":8},{"content":"b"}]}"#
      )
      #expect(many["embeddings"]?.array?.map { $0["values"]?.array?.count } == [8, 8])
    }
  }

  @Test("/v1/models is Gemini's to its clients and OpenAI's to others")
  func contested() async throws {
    try await TestServer.with { client in
      let openAI = try await client.get("/v1/models")
      #expect(openAI["data"]?[0]?["id"]?.string == TestServer.model)
      let gemini = try await client.get(
        "/v1/models", [HTTPField.Name("x-goog-api-key") ?? .accept: "x"])
      #expect(gemini["models"]?[0]?["name"]?.string == "models/" + TestServer.model)
      let one = try await client.get("/v1beta/models/" + TestServer.model)
      #expect(one["supportedGenerationMethods"]?.array?.contains("generateContent") == true)
    }
  }

  @Test("refusals have a code, a message and a status")
  func refusals() async throws {
    try await TestServer.with { client in
      let response = try await client.send(
        .post, "/v1beta/models/nobody:generateContent", "{\(Self.contents)}")
      #expect(response.status == .notFound)
      let error = try client.json(response)["error"]
      #expect(error?["code"] == .integer(404))
      #expect(error?["status"] == "NOT_FOUND")
      #expect(error?["message"] == "model 'nobody' not found")
    }
  }

  @Test("pictures are an argument that is not valid")
  func pictures() async throws {
    try await TestServer.with { client in
      let response = try await client.send(
        .post, "/v1beta/models/\(TestServer.model):generateContent",
        #"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":""}}]}]}"#)
      #expect(response.status == .badRequest)
      let error = try client.json(response)["error"]
      #expect(error?["code"] == .integer(400))
      #expect(error?["status"] == "INVALID_ARGUMENT")
      #expect(
        error?["message"]
          == "'contents[0].parts[0]' is no text; models are served with text only.")
    }
  }

  @Test("schemas with types in capitals become JSON Schema")
  func schemas() throws {
    let gemini = #"""
      {"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"type":"STRING"},"maxItems":"3"},
      "b":{"type":"INTEGER","nullable":true,"format":"int32"}},"propertyOrdering":["b"],"required":["a"]}
      """#
    let expected = #"""
      {"type":"object","properties":{"a":{"type":"array","items":{"type":"string"},"maxItems":3},"b":{"type":["integer","null"]}},"required":["a"]}
      """#
    let value = try JSONReader.read(Array(gemini.utf8), path: "schema")
    #expect(GeminiSchema.jsonSchema(value).text == expected)
  }
}

extension JSON {
  /// The members, less the one that says what was cached.
  fileprivate var withoutCache: JSON? {
    object.map { object in
      .object(
        object.members.reduce(into: JSONObject()) { result, member in
          if member.key != "cachedContentTokenCount" { _ = result.append(member.key, member.value) }
        })
    }
  }
}

/// The routes of Anthropic's API.
@Suite("Anthropic")
struct AnthropicTests {
  static let body =
    #""max_tokens":6,"temperature":0,"messages":[{"role":"user","content":"the rain"}]"#

  @Test("a message and its events say the same, in the order that clients expect")
  func messages() async throws {
    try await TestServer.with { client in
      let whole = try await client.post(
        "/v1/messages", #"{"model":"\#(TestServer.model)",\#(Self.body)}"#)
      #expect(whole["type"] == "message")
      #expect(["end_turn", "max_tokens"].contains(whole["stop_reason"]?.string))
      let events = try await client.events(
        "/v1/messages", #"{"model":"\#(TestServer.model)","stream":true,\#(Self.body)}"#)
      let types = events.compactMap { $0["type"]?.string }
      #expect(types.prefix(2) == ["message_start", "content_block_start"])
      #expect(types.suffix(3) == ["content_block_stop", "message_delta", "message_stop"])
      let text = events.compactMap { $0["delta"]?["text"]?.string }.joined()
      #expect(text == whole["content"]?[0]?["text"]?.string)
    }
  }

  @Test("the tokens of a conversation are counted as they will be")
  func count() async throws {
    try await TestServer.with { client in
      let count = try await client.post(
        "/v1/messages/count_tokens", #"{"model":"\#(TestServer.model)",\#(Self.body)}"#)
      let used = try await client.post(
        "/v1/messages", #"{"model":"\#(TestServer.model)",\#(Self.body)}"#)["usage"]
      let read =
        (used?["input_tokens"]?.integer ?? 0) + (used?["cache_read_input_tokens"]?.integer ?? 0)
      #expect(count["input_tokens"]?.integer == read)
    }
  }

  @Test("refusals are objects of type error")
  func refusals() async throws {
    try await TestServer.with { client in
      let response = try await client.send(.post, "/v1/messages", #"{"messages":[]}"#)
      let body = try client.json(response)
      #expect(body["type"] == "error")
      #expect(body["error"]?["type"] == "invalid_request_error")
      #expect(body["error"]?["message"] == "'max_tokens' is missing.")
    }
  }
}

/// The Open Inference protocol and predictions.
@Suite("Inference")
struct InferenceTests {
  @Test("texts in JSON and in raw bytes give the same, and raw output is what was asked for")
  func infer() async throws {
    try await TestServer.with { client in
      let path = "/v2/models/\(TestServer.model)/infer"
      let json = try await client.post(
        path,
        #"""
        {"id":"7","parameters":{"max_tokens":4,"temperature":0},
        "inputs":[{"name":"text_input","shape":[1],"datatype":"BYTES","data":["the rain"]}]}
        """#)
      #expect(json["id"] == "7")
      let text = json["outputs"]?[0]?["data"]?[0]?.string ?? "?"
      let head = #"""
        {"parameters":{"max_tokens":4,"temperature":0},"inputs":[{"name":"text_input","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":12}}],"outputs":[{"name":"text_output","parameters":{"binary_data":true}}]}
        """#
      var body = ByteBuffer(string: head)
      body.writeInteger(UInt32(8), endianness: .little)
      body.writeString("the rain")
      let name = HTTPField.Name("inference-header-content-length") ?? .accept
      let raw = try await client.send(
        .post, path, bytes: body, [name: "\(head.utf8.count)"])
      let length = Int(raw.headers[name] ?? "") ?? 0
      let tail = Array(raw.body.readableBytesView.dropFirst(length))
      #expect(tail == [UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8))
    }
  }

  @Test("statistics count answers and their times")
  func statistics() async throws {
    try await TestServer.with { client in
      let path = "/v2/models/\(TestServer.model)"
      func success() async throws -> (count: Int?, ns: Int?) {
        let stats = try await client.get(path + "/versions/1/stats")["model_stats"]?[0]
        #expect(stats?["name"] == .string(TestServer.model))
        let success = stats?["inference_stats"]?["success"]
        return (success?["count"]?.integer, success?["ns"]?.integer)
      }
      #expect(try await success() == (0, 0))
      _ = try await client.post(path + "/generate", #"{"text_input":"the","max_tokens":2}"#)
      let after = try await success()
      #expect(after.count == 1 && (after.ns ?? 0) > 0)
      #expect(try await client.send(.get, "/v2/models/nobody/stats").status == .notFound)
    }
  }

  @Test("errors are plain strings; an object would break Triton's client")
  func refusals() async throws {
    try await TestServer.with { client in
      for (path, body) in [
        ("/v2/models/nobody/infer", #"{"inputs":[]}"#),
        ("/v2/models/\(TestServer.model)/infer", #"{"inputs":[]}"#),
        (
          "/v2/models/\(TestServer.model)/infer",
          #"{"inputs":[{"name":"text_input","shape":[2],"datatype":"BYTES","data":["x"]}]}"#
        ),
        ("/v2/models/\(TestServer.model)/infer", "{"),
      ] {
        let response = try await client.send(.post, path, body)
        #expect((400..<500).contains(response.status.code))
        #expect(try client.json(response)["error"]?.string != nil)
      }
    }
  }

  @Test("predictions come in the order of their instances, each with its own error")
  func predict() async throws {
    try await TestServer.with { client in
      let answer = try await client.post(
        "/predict",
        #"""
        {"instances":["the rain",{"messages":[{"role":"user","content":"the"}]},{"nothing":1},
        {"prompt":"the","max_tokens":1}],"parameters":{"max_tokens":3,"temperature":0}}
        """#)
      let list = answer["predictions"]?.array ?? []
      #expect(list.count == 4)
      #expect(list.first?.string != nil)
      #expect(list[1]["object"] == "chat.completion")
      #expect(list[2]["error"]?["message"] == "'prompt' is missing.")
      #expect(list[3].string != nil)
    }
  }

  @Test("Vertex AI's environment sets port and routes")
  func vertex() async throws {
    var settings = TestServer.settings
    try settings.read(environment: [
      "AIP_HTTP_PORT": "8080", "AIP_HEALTH_ROUTE": "/is-alive", "AIP_PREDICT_ROUTE": "/guess",
    ])
    #expect(settings.listeners == [Listener(host: "0.0.0.0", port: 8080)])
    try await TestServer.with(settings) { client in
      #expect(try await client.send(.get, "/is-alive").status == .ok)
      let answer = try await client.post(
        "/guess", #"{"instances":["the"],"parameters":{"max_tokens":1}}"#)
      #expect(answer["predictions"]?.array?.count == 1)
    }
  }
}
