// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport

/// Conversations on one model at the same time, half of them on an engine, with readers that go away.
struct SessionStress: Sendable {
  /// One conversation: how many snapshots its first reader waits for, and what is asked then.
  struct Conversation: Sendable {
    var patience: Int
    var questions: [String]
    var seed: UInt64
    var isOnEngine: Bool

    init(_ index: Int, using generator: inout SeededGenerator) {
      patience = Int.random(in: 0..<6, using: &generator)
      questions = (0..<2).map { _ in "The \(Int.random(in: 0..<9, using: &generator))" }
      seed = UInt64.random(in: 0..<1 << 40, using: &generator)
      isOnEngine = index.isMultiple(of: 2)
    }

    var options: GenerationOptions {
      GenerationOptions(sampling: Sampling(temperature: 1, seed: seed), maxTokens: 6)
    }
  }

  /// Every session there was.
  private actor Roll {
    private struct Entry { weak var session: LanguageModelSession? }
    private var entries: [Entry] = []

    func add(_ session: LanguageModelSession) { entries.append(Entry(session: session)) }

    /// Sessions that something still holds; those that end later are waited for, three seconds at most.
    func living() async throws -> (count: Int, all: Int) {
      for _ in 0..<300 where entries.contains(where: { $0.session != nil }) {
        try await Task.sleep(for: .milliseconds(10))
      }
      return (entries.count { $0.session != nil }, entries.count)
    }
  }

  private let roll = Roll()
  let model: Model
  let engine: Engine
  let conversations: [Conversation]

  /// 64 conversations on a random model.
  init(using generator: inout SeededGenerator) throws {
    let language = try LanguageModel.load(
      path: Goldens.path("fixtures/llama/llama.gguf"),
      options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
    model = Model(language.conversing(as: "[INST] <<SYS>>"))
    engine = try Engine(
      model.language, options: Engine.Options(sequences: 16, prefixMemory: 2 << 20, chunk: 32))
    conversations = (0..<64).map { Conversation($0, using: &generator) }
  }

  /// How many sessions are still there although nobody uses them, and how many there were.
  func living() async throws -> (count: Int, all: Int) { try await roll.living() }

  /// Holds all conversations at once; how many gave another answer than the same questions alone.
  func run() async throws -> Int {
    let together = try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
      for (index, conversation) in conversations.enumerated() {
        group.addTask { (index, try await answers(conversation)) }
      }
      var found = [[String]](repeating: [], count: conversations.count)
      for try await (index, texts) in group { found[index] = texts }
      return found
    }
    await engine.shutdown(deadline: .seconds(5))
    var differing = 0
    for (conversation, texts) in zip(conversations, together) {
      let session = LanguageModelSession(model: model)
      var alone: [String] = []
      for question in conversation.questions {
        alone.append(
          try await session.respond(to: question, options: conversation.options).content)
      }
      if alone != texts { differing += 1 }
    }
    return differing
  }

  private func answers(_ conversation: Conversation) async throws -> [String] {
    let session = await fresh(conversation)
    session.prewarm(promptPrefix: "The ")
    // A reader that goes away, and a request that is cancelled: the session is as it was.
    var seen = 0
    for try await _ in session.streamResponse(to: "Away", options: conversation.options) {
      if seen == conversation.patience { break }
      seen += 1
    }
    while session.isResponding { await Task.yield() }
    if !session.transcript.entries.isEmpty {
      return try await ask(await fresh(conversation), conversation)
    }
    let cancelled = Task { try await session.respond(to: "Gone", options: conversation.options) }
    for _ in 0..<conversation.patience { await Task.yield() }
    cancelled.cancel()
    _ = try? await cancelled.value
    // Where it was answered before anybody went away, the questions are asked elsewhere.
    let isUnchanged = session.transcript.entries.isEmpty
    return try await ask(isUnchanged ? session : await fresh(conversation), conversation)
  }

  private func fresh(_ conversation: Conversation) async -> LanguageModelSession {
    let session =
      conversation.isOnEngine
      ? LanguageModelSession(engine: engine) : LanguageModelSession(model: model)
    await roll.add(session)
    return session
  }

  private func ask(
    _ session: LanguageModelSession, _ conversation: Conversation
  ) async throws -> [String] {
    var texts: [String] = []
    for question in conversation.questions {
      texts.append(try await session.respond(to: question, options: conversation.options).content)
    }
    return texts
  }
}
