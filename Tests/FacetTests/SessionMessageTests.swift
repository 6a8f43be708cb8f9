// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

@Suite("What sessions and models say when something is wrong")
struct SessionMessageTests {
  struct Keyed: Decodable {
    enum Key: String, CodingKey { case inner }
    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      _ = try container.nestedContainer(keyedBy: Key.self, forKey: .inner)
    }
  }
  struct Listed: Decodable {
    enum Key: String, CodingKey { case inner }
    init(from decoder: any Decoder) throws {
      _ = try decoder.container(keyedBy: Key.self).nestedUnkeyedContainer(forKey: .inner)
    }
  }
  struct Picky: Decodable {
    init(from decoder: any Decoder) throws {
      throw DecodingError.valueNotFound(
        Int.self, DecodingError.Context(codingPath: [], debugDescription: ""))
    }
  }

  static func expect(_ sentence: String, _ body: () async throws -> Void) async {
    let message = await SessionTests.message(body)
    #expect(message == sentence)
  }

  @Test("types whose schema is not known")
  func types() async {
    await Self.expect(
      "The type 'Keyed' reads 'inner' by keys of its own, which are not known. Or give its schema as JSON "
        + "text."
    ) { _ = try Schema(of: Keyed.self) }
    await Self.expect(
      "The type 'Listed' reads 'inner' element by element, whose schema is not known. Or give its schema "
        + "as JSON text."
    ) { _ = try Schema(of: Listed.self) }
    await Self.expect(
      "The type 'Picky' cannot be decoded from a sample value, so what it takes cannot be found out. Or "
        + "give its schema as JSON text."
    ) { _ = try Schema(of: Picky.self) }
  }

  @Test("arguments that are not the tool's")
  func arguments() async throws {
    let (session, _) = try SessionTests.scripted([SessionTests.call], tools: [Adder()]) { _ in
      .runWith(arguments: "[1]")
    }
    await Self.expect(
      "The arguments of a call of 'add' are not what the tool takes: [1]. Its schema and its type differ; "
        + "give it the schema of the type."
    ) { _ = try await session.respond(to: "?") }
  }

  @Test("answers without room")
  func room() async throws {
    let model = try TestModels.conversing()
    let endless = GenerationOptions(
      sampling: Sampling(temperature: 0, logitBias: [2: -1000]), maxTokens: nil)
    let small = LanguageModelSession(model: model, context: 64)
    let tokens = try model.language.prompt([ChatMessage(.user, "The")]).tokens.count
    await Self.expect(
      "The answer did not fit the context after \(tokens) tokens of the conversation. Use a larger "
        + "context, or begin a new session."
    ) { _ = try await small.respond(to: "The", options: endless) }
    var short = GenerationOptions(sampling: .greedy, maxTokens: 2)
    short.guide = .regularExpression("[a-z]{40}")
    let options = short
    let session = LanguageModelSession(model: model)
    await Self.expect(
      "The answer was cut off after 2 tokens, before what was asked for was complete. Allow more tokens."
    ) { _ = try await session.respond(to: "The", options: options) }
  }

  @Test("models that do not fit the memory they may take, or come too late")
  func models() async throws {
    let loader = LoadedModels.Loader(
      byteCount: { _ in 3_000_000 },
      load: { _ in try Engine(TestModels.conversing().language) })
    let small = LoadedModels(
      options: LoadedModels.Options(memoryLimit: 2_000_000), loader: loader)
    await Self.expect(
      "'a' takes 3.0 MB, and all models together may take 2.0 MB. Use a smaller model or context, or allow "
        + "more."
    ) { _ = try await small.lease("a") }
    await small.shutdown(deadline: .seconds(1))
    await Self.expect("The models are being shut down: 'a' is not loaded any more.") {
      _ = try await small.lease("a")
    }
    let tight = LoadedModels(
      options: LoadedModels.Options(memoryLimit: 5_000_000), loader: loader)
    let lease = try await tight.lease("a")
    let used = try #require(tight.list.first?.byteCount)
    await Self.expect(
      "'b' takes 3.0 MB. The models in use take \(ByteText(used)) of 5.0 MB; try again when one of them is "
        + "free."
    ) { _ = try await tight.lease("b") }
    #expect(lease.name == "a")
    await tight.shutdown(deadline: .seconds(1))
  }
}
