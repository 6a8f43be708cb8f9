// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation
import Synchronization
import Testing

/// Servers here are closures.
///
/// What they are sent and what they say is written out, as OpenAI's and vLLM's servers have it. Facet's own
/// server answers in `tools/clients/evaluation_checks.py`.
@Suite("Models behind a server")
struct CompletionServerTests {
  /// A server whose tokens are words with the space before them; a word's ln p is −1 for each letter.
  private static func choice(
    _ prompt: String, index: Int, begin: String? = nil, first: Double? = nil
  ) -> JSON {
    var texts: [String] = []
    for character in prompt {
      if texts.isEmpty || character == " " || character == "\n" { texts.append("") }
      texts[texts.count - 1].append(character)
    }
    if let begin { texts.insert(begin, at: 0) }
    texts.append(" next")
    var (place, lists) = (0, [[JSON]](repeating: [], count: 4))
    for (number, text) in texts.enumerated() {
      let value = number == 0 ? first : -Double(text.unicodeScalars.count)
      lists[0].append(.string(text))
      lists[1].append(value.map { .number($0) } ?? .null)
      lists[2].append(.integer(place))
      lists[3].append(value.map { object(["other": .number(max($0, -4))]) } ?? .null)
      place += text.unicodeScalars.count
    }
    let logprobs = object([
      "tokens": .array(lists[0]), "token_logprobs": .array(lists[1]),
      "text_offset": .array(lists[2]), "top_logprobs": .array(lists[3]),
    ])
    return object([
      "index": .integer(index), "text": .string(prompt + " next"), "logprobs": logprobs,
    ])
  }

  private static func object(_ members: KeyValuePairs<String, JSON>) -> JSON {
    var object = JSONObject()
    for (key, value) in members { _ = object.append(key, value) }
    return .object(object)
  }

  private static func reply(_ choices: [JSON], status: Int = 200) -> CompletionServer.Reply {
    .init(status: status, body: [UInt8](object(["choices": .array(choices)]).text.utf8))
  }

  /// Answers every prompt of a body, the last first.
  private static func echo(_ body: [UInt8], begin: String? = nil, first: Double? = nil) throws
    -> CompletionServer.Reply
  {
    let prompts = try JSONReader.read(body, path: "body")["prompt"]?.array ?? []
    let choices = prompts.enumerated().map {
      choice($1.string ?? "", index: $0, begin: begin, first: first)
    }
    return reply(choices.reversed())
  }

  private static func task(_ members: String) throws -> TaskDefinition {
    let text =
      #"{"task":"t","data":{"folder":"arc_easy","documents":["test"]},"# + members + "}"
    return try TaskDefinition.read([UInt8](text.utf8), path: "t.json").tasks[0]
  }

  private static let choosing =
    #""kind":"multiple_choice","text":"{question} ","choices":["a tea","four","é"],"gold":0,"metrics":["acc"]"#

  private static func run(
    _ task: TaskDefinition, answers: String? = nil, limit: Int = 9, tries: Int = 3,
    _ post: @escaping CompletionServer.Post
  ) async throws -> Evaluator.Outcome {
    var options = Evaluator.Options(dataDirectory: HarnessGolden.rows)
    options.limit = limit
    options.answerPath = answers
    var server = CompletionServer(model: "m", address: "http://there/v1/completions", post: post)
    server.pause = .milliseconds(1)
    server.tries = tries
    server.concurrency = 2
    return try await Evaluator(server, options: options).run(task)
  }

  private static func message(
    _ task: TaskDefinition, _ post: @escaping CompletionServer.Post
  ) async -> String? {
    let error = await #expect(throws: EvaluationError.self) { try await run(task, post) }
    #expect(error?.code == .server || error?.code == .invalidSetting)
    return error?.message
  }

  @Test(
    "a continuation has the tokens from where the context ends, its spaces with what follows",
    arguments: [nil, "<bos>"])
  func likelihoods(begin: String?) async throws {
    let outcome = try await Self.run(try Self.task(Self.choosing)) {
      try Self.echo($0, begin: begin)
    }
    #expect(outcome.isComplete && outcome.score.documents.count == 9)
    for document in outcome.score.documents {
      // A space of the context, one of the task, and the words.
      let expected: [Double] = [-7, -6, -3]
      #expect(document.responses.likelihoods == expected)
      let greedy = document.responses.map { response in
        if case .likelihood(_, let isGreedy) = response { isGreedy } else { false }
      }
      #expect(greedy == [true, false, true])
    }
  }

  @Test("what is asked is what OpenAI's API has")
  func request() async throws {
    let bodies = Mutex<[String]>([])
    _ = try await Self.run(try Self.task(Self.choosing), limit: 1) { body in
      bodies.withLock { $0.append(String(decoding: body, as: UTF8.self)) }
      return try Self.echo(body)
    }
    let body = bodies.withLock { $0 }[0]
    #expect(body.hasPrefix(#"{"model":"m","prompt":[""#))
    #expect(
      body.hasSuffix(
        #"],"max_tokens":1,"temperature":0,"seed":1234,"logprobs":1,"echo":true}"#))
  }

  @Test("an answer ends at the first of the stops, whether or not the server heeds them")
  func stops() async throws {
    let task = try Self.task(
      #""kind":"generation","text":"{question}","target":"x","generation":{"stops":["\n","."],"most_tokens":7},"metrics":["exact_match"]"#
    )
    let outcome = try await Self.run(task, limit: 1) { body in
      let json = try JSONReader.read(body, path: "body")
      #expect(json["stop"]?.text == #"["\n","."]"# && json["max_tokens"]?.integer == 7)
      #expect(json["echo"] == nil && json["temperature"]?.number == 0)
      return Self.reply([Self.object(["text": .string("x. y\nz")])])
    }
    #expect(outcome.score.documents[0].responses == [.text("x")])
    #expect(outcome.score.metrics[0].value == 1)
  }

  @Test("answers that came are kept, and a run goes on after the server was away")
  func resumption() async throws {
    let path = NSTemporaryDirectory() + "facet-server-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let task = try Self.task(Self.choosing)
    let asked = Atomic(0)
    let error = await #expect(throws: EvaluationError.self) {
      try await Self.run(task, answers: path, limit: 10) { body in
        let number = asked.wrappingAdd(1, ordering: .relaxed).newValue
        if number > 8 { throw CompletionServer.Silence("the connection was dropped") }
        return try Self.echo(body)
      }
    }
    #expect(
      error?.message
        == "http://there/v1/completions gave no answer in 3 tries: the connection was dropped. With "
        + "--output, what was answered is kept and --resume goes on from there.")
    let again = try await Self.run(task, answers: path, limit: 10) { try Self.echo($0) }
    #expect(again.kept == 8 && again.isComplete)
  }

  @Test("a server that is busy is asked again, one that refuses is not")
  func refusals() async throws {
    let task = try Self.task(Self.choosing)
    let asked = Atomic(0)
    let outcome = try await Self.run(task, limit: 1) { body in
      let number = asked.wrappingAdd(1, ordering: .relaxed).newValue
      if number < 3 { return Self.reply([], status: 503) }
      return try Self.echo(body)
    }
    #expect(outcome.isComplete && asked.load(ordering: .relaxed) == 3)
    let refusal = await Self.message(task) { _ in
      .init(status: 404, body: [UInt8](#"{"error":{"message":"no model 'm'"}}"#.utf8))
    }
    #expect(
      refusal
        == "http://there/v1/completions refuses a request: it answers 404 (no model 'm').")
  }

  @Test("what cannot be scored is said, never scored wrongly")
  func unscorable() async throws {
    let task = try Self.task(Self.choosing)
    #expect(
      await Self.message(task) { _ in Self.reply([]) }
        == "http://there/v1/completions answers without a choice for each prompt.")
    let plain = Self.object(["text": .string("x")])
    #expect(
      await Self.message(task) { _ in Self.reply([plain, plain, plain]) }
        == "http://there/v1/completions does not echo the prompt with 'tokens', 'token_logprobs' and "
        + "'text_offset'; likelihoods cannot be had from it.")
    let empty = try Self.task(
      #""kind":"multiple_choice","text":"","target_delimiter":"","choices":["a","b"],"gold":0,"metrics":["acc"]"#
    )
    #expect(
      await Self.message(empty) { try Self.echo($0) }
        == "http://there/v1/completions does not say how likely the first token of a text is; texts "
        + "without a context cannot be scored there.")
    let pages = try Self.task(
      #""kind":"perplexity","text":"{question}","metrics":["word_perplexity"]"#)
    #expect(
      await Self.message(pages) { try Self.echo($0) }
        == "Task 't' scores whole texts in windows of tokens, which needs the model here, not behind "
        + "http://there/v1/completions.")
  }
}
