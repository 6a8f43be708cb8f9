// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetServer
import Foundation
import HTTPTypes
import NIOCore
import Testing

/// The routes of OpenAI's API; the shapes are those that its Python client 3.54 reads.
@Suite("OpenAI")
struct OpenAITests {
  static let chat = #"""
    "messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"the rain"}],
    "max_tokens":8,"temperature":0
    """#

  @Test("a chat completion has the members of one, and its stream the same text")
  func chat() async throws {
    try await TestServer.with { client in
      let answer = try await client.post("/v1/chat/completions", "{\(Self.chat)}")
      #expect(answer["object"] == "chat.completion")
      #expect(answer["model"]?.string == TestServer.model)
      #expect(answer["id"]?.string?.hasPrefix("chatcmpl-") == true)
      let choice = answer["choices"]?[0]
      #expect(choice?["message"]?["role"] == "assistant")
      #expect(["stop", "length"].contains(choice?["finish_reason"]?.string))
      let usage = answer["usage"]
      #expect(
        usage?["total_tokens"]?.integer
          == (usage?["prompt_tokens"]?.integer ?? 0) + (usage?["completion_tokens"]?.integer ?? 0))

      let chunks = try await client.events(
        "/v1/chat/completions",
        #"{\#(Self.chat),"stream":true,"stream_options":{"include_usage":true}}"#)
      #expect(chunks.first?["choices"]?[0]?["delta"]?["role"] == "assistant")
      let text = chunks.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }.joined()
      #expect(text == choice?["message"]?["content"]?.string)
      #expect(Set(chunks.compactMap { $0["id"]?.string }).count == 1)
      #expect(chunks.last?["choices"] == [])
      #expect(chunks.last?["usage"]?["completion_tokens"] == usage?["completion_tokens"])
    }
  }

  @Test("a stream ends with [DONE]")
  func done() async throws {
    try await TestServer.with { client in
      let response = try await client.send(
        .post, "/v1/chat/completions", "{\(Self.chat),\"stream\":true}")
      #expect(String(buffer: response.body).hasSuffix("data: [DONE]\n\n"))
    }
  }

  @Test("log-probabilities have an entry for each token, the chosen one the likeliest when greedy")
  func logProbabilities() async throws {
    try await TestServer.with { client in
      let answer = try await client.post(
        "/v1/chat/completions", #"{\#(Self.chat),"logprobs":true,"top_logprobs":2}"#)
      let content = answer["choices"]?[0]?["logprobs"]?["content"]?.array ?? []
      #expect(!content.isEmpty)
      for entry in content {
        #expect(entry["top_logprobs"]?.array?.count == 2)
        #expect(entry["top_logprobs"]?[0]?["logprob"] == entry["logprob"])
      }
    }
  }

  @Test("several choices have seeds of their own, and the same seed gives the same ones")
  func choices() async throws {
    try await TestServer.with { client in
      let body = #"{"prompt":"the","max_tokens":6,"temperature":1.5,"seed":5,"n":3}"#
      let first = try await client.post("/v1/completions", body)
      let second = try await client.post("/v1/completions", body)
      let texts = first["choices"]?.array?.compactMap { $0["text"]?.string } ?? []
      #expect(texts.count == 3 && Set(texts).count > 1)
      #expect(texts == second["choices"]?.array?.compactMap { $0["text"]?.string })
    }
  }

  /// What lm-evaluation-harness asks for: it drops the last entry and compares numbers for equality.
  @Test(
    "echo scores the prompt's tokens, with the beginning of sequence put before them and left out")
  func echo() async throws {
    try await TestServer.with { client in
      let tokens = try await client.post(
        "/tokenize", #"{"prompt":"the rain on","add_special_tokens":false}"#)
      let ids = tokens["tokens"]?.array ?? []
      let list = JSON.array(ids).text
      let answer = try await client.post(
        "/v1/completions",
        #"{"prompt":[\#(list)],"max_tokens":1,"temperature":0,"logprobs":1,"echo":true}"#)
      let lists = answer["choices"]?[0]?["logprobs"]
      for name in ["tokens", "token_logprobs", "top_logprobs", "text_offset"] {
        #expect(lists?[name]?.array?.count == ids.count + 1, "\(name)")
      }
      // With the beginning before it, even the first token has a probability.
      #expect(lists?["token_logprobs"]?[0]?.number != nil)
      for (number, top) in zip(
        lists?["token_logprobs"]?.array ?? [], lists?["top_logprobs"]?.array ?? [])
      {
        let best = top.object?.members.compactMap { $0.value.number }.max() ?? 0
        #expect((number.number ?? 1) <= best)
      }
      let offsets = lists?["text_offset"]?.array?.compactMap(\.integer) ?? []
      #expect(offsets == offsets.sorted())

      let only = try await client.post(
        "/v1/completions", #"{"prompt":[\#(list)],"max_tokens":0,"logprobs":1,"echo":true}"#)
      #expect(only["choices"]?[0]?["logprobs"]?["tokens"]?.array?.count == ids.count)
      #expect(only["usage"]?["completion_tokens"] == 0)
    }
  }

  @Test("vectors come as numbers or as base 64 of the same numbers")
  func embeddings() async throws {
    try await TestServer.with { client in
      let plain = try await client.post("/v1/embeddings", #"{"input":["the rain"]}"#)
      let packed = try await client.post(
        "/v1/embeddings", #"{"input":["the rain"],"encoding_format":"base64"}"#)
      let numbers = plain["data"]?[0]?["embedding"]?.array?.compactMap(\.number) ?? []
      let bytes = Data(base64Encoded: packed["data"]?[0]?["embedding"]?.string ?? "") ?? Data()
      #expect(!numbers.isEmpty && bytes.count == numbers.count * 4)
      let floats = stride(from: 0, to: bytes.count, by: 4).map { index in
        Float(
          bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[index + $1]) << (8 * $1) })
      }
      #expect(zip(floats, numbers).allSatisfy { Double($0) == $1 })
    }
  }

  @Test("a call that must come is well formed, and its stream the same")
  func tools() async throws {
    let body = #"""
      "messages":[{"role":"user","content":"the"}],"max_tokens":200,"temperature":0,
      "tool_choice":"required","parallel_tool_calls":false,"tools":[{"type":"function","function":
      {"name":"pick","parameters":{"type":"object","properties":{"n":{"enum":[1,2]}},"required":["n"]}}}]
      """#
    try await TestServer.with { client in
      let answer = try await client.post("/v1/chat/completions", "{\(body)}")
      let choice = answer["choices"]?[0]
      #expect(choice?["finish_reason"] == "tool_calls")
      let function = choice?["message"]?["tool_calls"]?[0]?["function"]
      #expect(function?["name"] == "pick")
      let arguments = function?["arguments"]?.string ?? ""
      #expect(["{\"n\": 1}", "{\"n\": 2}"].contains(arguments))
      let chunks = try await client.events("/v1/chat/completions", "{\(body),\"stream\":true}")
      let streamed = chunks.compactMap {
        $0["choices"]?[0]?["delta"]?["tool_calls"]?[0]?["function"]?["arguments"]?.string
      }.joined()
      #expect(streamed == arguments)
      #expect(chunks.last?["choices"]?[0]?["finish_reason"] == "tool_calls")
    }
  }

  @Test("with ignore_eos an answer goes on where the model would end it")
  func ignoredEnd() async throws {
    try await TestServer.with { client in
      let ask = #"{"prompt":"the","max_tokens":3,"temperature":0,"logit_bias":{"2":100}"#
      let ended = try await client.post("/v1/completions", ask + "}")
      #expect(ended["choices"]?[0]?["finish_reason"] == "stop")
      let whole = try await client.post("/v1/completions", ask + #","ignore_eos":true}"#)
      #expect(whole["choices"]?[0]?["finish_reason"] == "length")
      #expect(whole["usage"]?["completion_tokens"] == .integer(3))
    }
  }

  @Test("with tools, a stop text ends the answer's text and no call")
  func toolsAndStops() async throws {
    let ask = #"""
      "messages":[{"role":"user","content":"the"}],"temperature":0,"tools":[{"type":"function","function":
      {"name":"pick","parameters":{"type":"object","properties":{"n":{"enum":[1,2]}},"required":["n"]}}}]
      """#
    try await TestServer.with { client in
      let path = "/v1/chat/completions"
      let free = try await client.post(path, "{\(ask),\"max_tokens\":40}")
      let text = free["choices"]?[0]?["message"]?["content"]?.string ?? ""
      let middle = text.index(text.startIndex, offsetBy: text.count / 2)
      let stop = String(text[middle...].prefix(3))
      let stops = JSON.array([.string(stop)]).text
      let cut = try await client.post(path, "{\(ask),\"max_tokens\":40,\"stop\":\(stops)}")
      let end = text.range(of: stop)?.lowerBound ?? text.endIndex
      #expect(
        !stop.isEmpty && cut["choices"]?[0]?["message"]?["content"] == .string(String(text[..<end]))
      )
      #expect(cut["choices"]?[0]?["finish_reason"] == "stop")
      // Every call has a brace; it does not stop one.
      let call = try await client.post(
        path,
        "{\(ask),\"tool_choice\":\"required\",\"parallel_tool_calls\":false,\"max_tokens\":200,\"stop\":[\"{\"]}"
      )
      #expect(call["choices"]?[0]?["finish_reason"] == "tool_calls")
    }
  }

  @Test("an answer holds to the schema of response_format")
  func guided() async throws {
    try await TestServer.with { client in
      let answer = try await client.post(
        "/v1/chat/completions",
        #"""
        {"messages":[{"role":"user","content":"x"}],"max_tokens":64,"response_format":
        {"type":"json_schema","json_schema":{"name":"n","schema":{"enum":["rain","sun"]}}}}
        """#)
      let text = answer["choices"]?[0]?["message"]?["content"]?.string ?? ""
      #expect(["\"rain\"", "\"sun\""].contains(text))
    }
  }

  @Test(
    "what is wrong is refused with its name",
    arguments: [
      (#"{"messages":3}"#, "'messages' must be an array."),
      (
        #"{"messages":[{"role":"wizard"}]}"#,
        "'messages[0].role' is 'wizard', which is no role known here."
      ),
      (#"{}"#, "'messages' is missing."),
      (#"{"messages":[],"temperature":"hot"}"#, "'temperature' must be a number."),
      (#"{"messages":[],"n":99}"#, "'n' is 99; it must lie between 1 and 16."),
      (
        #"{"messages":[],"stop":["a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a"]}"#,
        "'stop' has 17 texts; at most 16 are allowed."
      ),
      (
        #"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
        "'messages[0].content[0]' is of type 'image_url'; models are served with text only."
      ),
      (
        #"{"logit_bias":{"x":1},"messages":[]}"#,
        "'logit_bias' has the key 'x', which is no token id."
      ),
      (
        #"{"response_format":{"type":"xml"},"messages":[]}"#,
        "'response_format.type' is 'xml'; it must be text, json_object or json_schema."
      ),
      (#"{"model":"nobody","messages":[]}"#, "model 'nobody' not found"),
      ("{", "'body' is not JSON: a key is missing at byte 1."),
      ("[]", "The body must be a JSON object."),
    ])
  func refusals(_ body: String, _ message: String) async throws {
    try await TestServer.with { client in
      let response = try await client.send(.post, "/v1/chat/completions", body)
      #expect([400, 404].contains(response.status.code))
      let error = try client.json(response)["error"]
      #expect(error?["message"]?.string == message)
      #expect(error?["type"]?.string != nil)
    }
  }

  @Test(
    "what is not offered is refused once: after a 5xx clients would ask again",
    arguments: [
      (#""suffix":"y""#, "suffix", "The model cannot fill in text before a suffix."),
      (#""best_of":2"#, "best_of", "'best_of' is not offered; ask for n answers and choose."),
    ])
  func unsupported(_ option: String, _ parameter: String, _ message: String) async throws {
    try await TestServer.with { client in
      let response = try await client.send(.post, "/v1/completions", #"{"prompt":"x",\#(option)}"#)
      #expect(response.status == .badRequest)
      let error = JSONObject().with("message", .string(message))
        .with("type", "invalid_request_error").with("param", .string(parameter))
        .with("code", "unsupported_parameter")
      #expect(try client.json(response)["error"] == .object(error))
    }
  }
}
