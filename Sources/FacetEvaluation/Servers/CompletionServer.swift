// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// A model behind a server that speaks OpenAI's completions API, with `echo` and `logprobs`.
///
/// Texts go there as texts: the server's tokenizer makes tokens of them, and its `text_offset` says which
/// of them a continuation has.
public struct CompletionServer: Sendable {
  /// What a server answered.
  public struct Reply: Sendable {
    /// The status of HTTP.
    public var status: Int
    /// The body.
    public var body: [UInt8]
    /// How long the server asks to wait, where it does.
    public var retryAfter: Duration?

    /// An answer.
    public init(status: Int, body: [UInt8], retryAfter: Duration? = nil) {
      self.status = status
      self.body = body
      self.retryAfter = retryAfter
    }
  }

  /// That no answer came, for a reason that may pass.
  public struct Silence: Error, Sendable, Hashable {
    /// A part of a sentence: "the connection was dropped".
    public var reason: String

    /// For `reason`.
    public init(_ reason: String) { self.reason = reason }
  }

  /// Sends a body of JSON to the route of completions, and returns what comes; throws ``Silence``.
  public typealias Post = @Sendable (_ body: [UInt8]) async throws -> Reply

  /// The name of the model there.
  public let model: String
  /// Where the server is, for messages and for the keys of kept answers.
  public let address: String
  /// Requests that are under way at once.
  public var concurrency = 8
  /// How often a request is sent before the run ends.
  public var tries = 5
  /// The wait before a request is sent again; it doubles each time.
  public var pause = Duration.seconds(1)

  private let post: Post

  /// The model called `model` at `address`, reached by `post`.
  public init(model: String, address: String, post: @escaping Post) {
    self.model = model
    self.address = address
    self.post = post
  }

  /// How likely each continuation of one document is; the requests go together.
  func likelihoods(
    _ requests: [DocumentScore.Request]
  ) async throws -> [DocumentScore.Response] {
    let texts = requests.map { $0.context + ($0.continuation ?? "") }
    let choices = try await complete([
      ("model", .string(model)), ("prompt", .array(texts.map { .string($0) })),
      ("max_tokens", .integer(1)), ("temperature", .integer(0)), ("seed", .integer(1234)),
      ("logprobs", .integer(1)), ("echo", .bool(true)),
    ])
    var responses: [DocumentScore.Response] = []
    for (place, request) in requests.enumerated() {
      guard let choice = choices[place] else { throw incomplete("a choice for each prompt") }
      let echo = try EchoedText(choice, prompt: texts[place], address: address)
      responses.append(try echo.likelihood(after: PythonText.rightStrip(request.context)))
    }
    return responses
  }

  /// What the model writes after `prompt`; draw number `draw` where answers are drawn.
  func text(
    after prompt: String, _ generation: TaskDefinition.Generation, draw: Int
  ) async throws -> String {
    var body: [(String, JSON)] = [
      ("model", .string(model)), ("prompt", .string(prompt)),
      ("max_tokens", .integer(generation.mostTokens)),
      ("temperature", .number(generation.temperature)), ("seed", .integer(1234 + draw)),
    ]
    if !generation.stops.isEmpty {
      body.append(("stop", .array(generation.stops.map { .string($0) })))
    }
    guard let text = try await complete(body)[0]?["text"]?.string else {
      throw incomplete("a text")
    }
    // Servers differ in how many stops they heed.
    return generation.stops.reduce(text) { PythonText.split($0, $1).first ?? $0 }
  }

  /// The choices that the server gives, by their index.
  private func complete(_ members: [(String, JSON)]) async throws -> [Int: JSON] {
    var object = JSONObject()
    for (key, value) in members { _ = object.append(key, value) }
    let body = try await reply([UInt8](JSON.object(object).text.utf8))
    guard let json = try? JSONReader.read(body, path: address),
      let choices = json["choices"]?.array
    else { throw incomplete("choices") }
    var result: [Int: JSON] = [:]
    for (place, choice) in choices.enumerated() {
      result[choice["index"]?.integer ?? place] = choice
    }
    return result
  }

  /// The body of the server's answer to `body`, asked for again where that may help.
  private func reply(_ body: [UInt8]) async throws -> [UInt8] {
    var wait = pause
    var reason = ""
    for attempt in 1...max(1, tries) {
      try Task.checkCancellation()
      var asked: Duration?
      do {
        let reply = try await post(body)
        if reply.status == 200 { return reply.body }
        reason = "it answers \(reply.status)\(Self.words(reply.body))"
        guard [408, 429, 500, 502, 503, 504].contains(reply.status) else {
          throw EvaluationError(.server, "\(address) refuses a request: \(reason).")
        }
        asked = reply.retryAfter
      } catch let silence as Silence {
        reason = silence.reason
      }
      if attempt < tries { try await Task.sleep(for: min(.seconds(60), asked ?? wait)) }
      wait *= 2
    }
    throw EvaluationError(
      .server,
      "\(address) gave no answer in \(tries) tries: \(reason). With --output, what was answered is kept "
        + "and --resume goes on from there.")
  }

  /// What a refusal says, in whichever of the usual shapes.
  private static func words(_ body: [UInt8]) -> String {
    guard let json = try? JSONReader.read(body, path: "") else { return "" }
    let error = json["error"]
    let text = error?["message"]?.string ?? error?.string ?? json["message"]?.string
    return text.map { " (\($0.prefix(300)))" } ?? ""
  }

  private func incomplete(_ what: String) -> EvaluationError {
    EvaluationError(.server, "\(address) answers without \(what).")
  }
}
