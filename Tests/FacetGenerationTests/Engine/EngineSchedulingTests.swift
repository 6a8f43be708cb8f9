// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetModel
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

/// Who is served when, and who is turned away.
@Suite("Engine: coming and going")
struct EngineSchedulingTests {
  /// A model that writes long enough for others to come in between.
  static func model(context: Int = 2048) throws -> LanguageModel {
    try withFolder { folder in
      var model = RandomModel()
      model.context = context
      try model.write(to: folder + "model.gguf")
      return try LanguageModel.load(
        path: folder + "model.gguf",
        options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
    }
  }

  static func letters(_ count: Int, _ start: Int = 0) -> [TokenID] {
    [2] + (0..<count).map { TokenID(262 + (start + $0 * 7 + $0 / 3) % 24) }
  }

  @Test("a long prompt is read beside running answers: no token waits for more than a chunk")
  func chunks() async throws {
    let model = try Self.model()
    let engine = try Engine(model, options: Engine.Options(chunk: 32))
    let question = EngineQuestion.long(Self.letters(4), 900, model)
    let events = try engine.events(question.prompt, options: question.options)
    let others = try engine.events(
      Prompt(tokens: Self.letters(799, 5)), options: SessionTests.greedy(1))
    var other = Transcript()
    for try await event in others { other.note(event) }
    #expect(other.prefill.first == 0 && other.prefill.last == 800)
    #expect(zip(other.prefill, other.prefill.dropFirst()).allSatisfy { $1 - $0 <= 32 })
    #expect(other.prefill.count >= 26)
    var transcript = Transcript()
    for try await event in events { transcript.note(event) }
    #expect(transcript.tokens.count == 900)
    // One step for the first prompt, one for each token that is read: the chunks had none of their own.
    #expect(try await engine.settle().steps == 900)
  }

  @Test("short prompts that come together are read in one step")
  func together() async throws {
    let model = try Self.model()
    let engine = try Engine(model)
    // Occupies the thread while the others arrive.
    let first = EngineQuestion.long(Self.letters(900), 1, model)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = try await engine.transcript(first.prompt, first.options) }
      for index in 0..<8 {
        let question = EngineQuestion.long(Self.letters(15, 3 + index), 10, model)
        group.addTask { _ = try await engine.transcript(question.prompt, question.options) }
      }
      try await group.waitForAll()
    }
    // 4 chunks, and all eight answers in the same ten steps or a few more.
    #expect(try await engine.settle().steps < 4 + 8 * 10)
  }

  @Test("when its reader goes, an answer ends at the next token and its place is free")
  func cancellation() async throws {
    let model = try Self.model(context: 8192)
    let engine = try Engine(model, options: Engine.Options(sequences: 1))
    let question = EngineQuestion.long(Self.letters(4), nil, model)
    // On a thread of its own: other tests may keep the shared ones busy until the answer is written.
    let reader = Task(executorPreference: OwnThread()) {
      var count = 0
      for try await event in try engine.events(question.prompt, options: question.options) {
        if case .token = event { count += 1 }
        if count == 3 { break }
      }
    }
    try await reader.value
    let next = try await engine.transcript(
      Prompt(tokens: Self.letters(9, 3)), SessionTests.greedy(5))
    #expect(next.tokens.count <= 5)
    let status = try await engine.settle()
    #expect(status.finished[.cancelled] == 1)
    // It would have gone on to the end of its context.
    #expect(status.generatedTokens < 8000)
  }

  @Test("a request that is given up while it waits is never begun")
  func givenUp() async throws {
    // On a thread of its own, for the first answer must still be under way when this looks.
    try await Task(executorPreference: OwnThread()) { try await Self.giveUp() }.value
  }

  private static func giveUp() async throws {
    let model = try Self.model(context: 8192)
    let engine = try Engine(model, options: Engine.Options(sequences: 1))
    let first = EngineQuestion.long(Self.letters(4), nil, model)
    let running = Task(executorPreference: OwnThread()) {
      try await engine.transcript(first.prompt, first.options)
    }
    while engine.status.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
    let waiting = Task(executorPreference: OwnThread()) {
      try await engine.score(Self.letters(30, 5))
    }
    while engine.status.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(engine.status.running == 1)
    running.cancel()
    _ = try await running.value
    let status = try await engine.settle()
    #expect(status.finished == [.cancelled: 2])
    #expect(status.promptTokens == 5)
  }

  @Test("a full queue refuses at once, and takes requests again when there is room")
  func queueFull() async throws {
    let model = try Self.model()
    let engine = try Engine(model, options: Engine.Options(sequences: 2, queueLimit: 1))
    let question = EngineQuestion.long(Self.letters(4), nil, model)
    let streams = try (0..<3).map { _ in
      try engine.events(question.prompt, options: question.options)
    }
    var refusal: GenerationError?
    do {
      _ = try engine.events(question.prompt, options: question.options)
    } catch {
      refusal = error as? GenerationError
    }
    #expect(refusal?.code == .queueFull)
    #expect(refusal?.message.hasSuffix("as many as it takes. Try again later.") == true)
    #expect(engine.status.refused == 1)
    let readers = streams.map { stream in Task { for try await _ in stream {} } }
    for reader in readers { reader.cancel() }
    for reader in readers { try await reader.value }
    _ = try await engine.settle()
    let after = try await engine.transcript(question.prompt, SessionTests.greedy(3))
    #expect(after.tokens.count <= 3 && !after.tokens.isEmpty)
  }

  @Test("shutting down lets running answers finish, and refuses new ones")
  func shutdown() async throws {
    let model = try Self.model()
    let engine = try Engine(model)
    let question = EngineQuestion.long(Self.letters(4), 50, model)
    let stream = try engine.events(question.prompt, options: question.options)
    await engine.shutdown(deadline: .seconds(60))
    var transcript = Transcript()
    for try await event in stream { transcript.note(event) }
    #expect(transcript.tokens.count == 50 && transcript.summary?.reason == .maxTokens)
    #expect(
      throws: GenerationError(
        .shutDown, "The engine is shutting down and takes no more requests. Ask another one.")
    ) { try engine.events(question.prompt) }
    #expect(engine.status.refused == 1)
  }

  @Test("shutting down ends what is not done by the deadline, with what there is of it")
  func deadline() async throws {
    // On a machine with much else to do all may be done before this thread comes to its turn: then again.
    for _ in 0..<20 {
      let ends = try await Self.endsOfShutdown()
      // The first two were under way; the others had their turn, at most, and were then ended too.
      #expect(ends.allSatisfy { $0 == nil || $0 == .cancelled || $0 == .contextFull })
      if ends.contains(.cancelled) { return }
    }
    Issue.record("no answer was under way at any of twenty shutdowns")
  }

  /// How answers end when the engine shuts down in the middle of them; nil: never begun.
  private static func endsOfShutdown() async throws -> [FinishReason?] {
    let model = try model()
    let engine = try Engine(model, options: Engine.Options(sequences: 2))
    let question = EngineQuestion.long(letters(4), nil, model)
    let streams = try (0..<200).map { _ in
      try engine.events(question.prompt, options: question.options)
    }
    while engine.status.steps < 5 { await Task.yield() }
    await engine.shutdown(deadline: .zero)
    #expect(engine.status.running == 0 && engine.status.waiting == 0)
    var ends: [FinishReason?] = []
    for stream in streams {
      var transcript = Transcript()
      do {
        for try await event in stream { transcript.note(event) }
        ends.append(transcript.summary?.reason)
      } catch is CancellationError {
        ends.append(nil)
      }
    }
    return ends
  }

  @Test("an engine that nobody holds finishes what it was asked")
  func released() async throws {
    let model = try Self.model()
    let question = EngineQuestion.long(Self.letters(4), 40, model)
    let stream = try Engine(model).events(question.prompt, options: question.options)
    var count = 0
    for try await event in stream {
      if case .token = event { count += 1 }
    }
    #expect(count == 40)
  }

  @Test("what cannot be answered is refused before anything starts, in words")
  func refusals() async throws {
    let model = try Self.model(context: 128)
    let engine = try Engine(model)
    func refusal(_ tokens: [TokenID], _ options: GenerationOptions = .init()) -> String {
      do {
        _ = try engine.events(Prompt(tokens: tokens), options: options)
        return "taken"
      } catch {
        return "\(error)"
      }
    }
    #expect(refusal([]) == "The prompt has no tokens; give at least one word.")
    #expect(
      refusal(Self.letters(128))
        == "The prompt has 129 tokens and the context 128. Shorten the prompt, or use a larger context "
        + "(this model takes up to 128).")
    #expect(refusal([2, 100_000]).hasPrefix("Token 100000 is not in the model's vocabulary of"))
    #expect(
      refusal([2], GenerationOptions(maxTokens: 0)) == "Max-tokens is 0; it must be 1 or more.")
    #expect(
      refusal([2], GenerationOptions(guide: .regularExpression("("))).contains("expression"))
    #expect(engine.status.running == 0 && engine.status.steps == 0)
    for (options, sentence) in [
      (
        Engine.Options(sequences: 0),
        "The number of sequences at once is 0; it must lie between 1 and 256."
      ),
      (
        Engine.Options(queueLimit: -1),
        "The number of requests that may wait is -1; it must lie between 0 and 1048576."
      ),
      (
        Engine.Options(chunk: 257),
        "The number of prompt tokens read in a step is 257; it must lie between 1 and 256."
      ),
    ] {
      #expect(throws: GenerationError(.invalidOption, sentence)) {
        try Engine(model, options: options)
      }
    }
    #expect(throws: GenerationError.self) {
      try Engine(model, options: Engine.Options(context: 129))
    }
  }

  @Test("one request's failure is its own")
  func failure() async throws {
    let model = try Self.model()
    let engine = try Engine(model)
    let good = EngineQuestion.long(Self.letters(6), 60, model)
    var ruledOut = GenerationOptions(sampling: .greedy, maxTokens: 4)
    for token in 0..<model.configuration.vocabulary {
      ruledOut.sampling.logitBias[TokenID(token)] = -.infinity
    }
    async let fine = engine.transcript(good.prompt, good.options)
    var failure: GenerationError.Code?
    do {
      _ = try await engine.transcript(Prompt(tokens: Self.letters(5, 2)), ruledOut)
    } catch {
      failure = (error as? GenerationError)?.code
    }
    #expect(failure == .noCandidate)
    #expect(try await fine.tokens.count == 60)
    #expect(try await engine.settle().finished[.failed] == 1)
  }

  @Test("an engine with nothing to do takes no time")
  func idle() async throws {
    let model = try Self.model()
    let engine = try Engine(model)
    _ = try await engine.transcript(Prompt(tokens: Self.letters(5)), SessionTests.greedy(3))
    _ = try await engine.settle()
    let steps = engine.status.steps
    try await Task.sleep(for: .milliseconds(50))
    #expect(engine.status.steps == steps)
  }
}
