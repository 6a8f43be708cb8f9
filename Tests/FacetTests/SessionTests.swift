// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

/// A tool that adds, and counts what it did.
struct Adder: Tool {
  struct Arguments: Codable, Sendable {
    var a: Int
    var b: Int
  }
  struct Sum: Codable, Sendable, Equatable { var sum: Int }

  let name = "add"
  let description = "Adds two numbers."
  var done = Counter<[Int]>([])

  func call(arguments: Arguments) async throws -> Sum {
    let sum = arguments.a + arguments.b
    done.change { $0.append(sum) }
    return Sum(sum: sum)
  }
}

/// A tool without arguments that always fails.
struct Broken: Tool {
  struct Arguments: Decodable, Sendable {}
  struct Failure: Error {}

  let name = "broken"
  let description = "Fails."

  func call(arguments: Arguments) async throws -> String { throw Failure() }
}

@Suite("Sessions")
struct SessionTests {
  static let call = #"{"name": "add", "parameters": {"a": 2, "b": 40}}"#

  /// A session whose answers were written beforehand.
  static func scripted(
    _ answers: [String], tools: [any Tool] = [], instructions: String? = nil,
    approval: (@Sendable (ToolCall) async throws -> ToolDecision)? = nil
  ) throws -> (LanguageModelSession, ScriptedAnswers) {
    let model = try TestModels.conversing()
    let source = ScriptedAnswers(model.language, answers)
    let session = LanguageModelSession(
      model: model, source: source, tools: tools, instructions: instructions,
      transcript: Transcript(), approval: approval)
    return (session, source)
  }

  static func message(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return "no error"
    } catch { return "\(error)" }
  }

  @Test("a random model answers as its session does without this one, and remembers what was said")
  func plain() async throws {
    let model = try TestModels.conversing()
    let options = GenerationOptions(sampling: .greedy, maxTokens: 12)
    let session = LanguageModelSession(model: model, instructions: "Be brief.")
    #expect(!session.isResponding)
    let first = try await session.respond(to: "The rain", options: options)
    let second = try await session.respond(to: "And then?", options: options)
    var expected = ""
    for try await text in try model.reply(
      to: [
        ChatMessage(.system, "Be brief."), ChatMessage(.user, "The rain"),
        ChatMessage(.assistant, first.content), ChatMessage(.user, "And then?"),
      ], options: options)
    { expected += text }
    #expect(second.content == expected && !expected.isEmpty)
    #expect(second.summary.cachedTokens > 0)
    #expect(
      session.transcript.entries == [
        .instructions("Be brief."), .prompt("The rain"), .response(first.content),
        .prompt("And then?"), .response(second.content),
      ])
  }

  @Test("snapshots grow to the answer, and deltas join to it")
  func streamed() async throws {
    let model = try TestModels.conversing()
    let options = GenerationOptions(sampling: .greedy, maxTokens: 12)
    let whole = try await LanguageModelSession(model: model).respond(to: "The", options: options)
    var last = ""
    var joined = ""
    for try await snapshot in LanguageModelSession(model: model)
      .streamResponse(to: "The", options: options)
    {
      #expect(snapshot.content.hasPrefix(last) && snapshot.content == last + snapshot.delta)
      last = snapshot.content
      joined += snapshot.delta
    }
    #expect(last == whole.content && joined == whole.content)
    var deltas = ""
    for try await delta in LanguageModelSession(model: model)
      .streamResponse(to: "The", options: options).deltas
    { deltas += delta }
    #expect(deltas == whole.content)
    let collected = try await LanguageModelSession(model: model)
      .streamResponse(to: "The", options: options).collect()
    #expect(collected.content == whole.content && collected.entries == whole.entries)
  }

  @Test("a cancelled request leaves the session as it was, ready for the next")
  func cancelled() async throws {
    let model = try TestModels.conversing()
    let session = LanguageModelSession(model: model)
    // Without an end of its own, the answer goes on until it is cancelled.
    let endless = GenerationOptions(sampling: Sampling(logitBias: [2: -1000]))
    for try await _ in session.streamResponse(to: "The", options: endless) { break }
    for _ in 0..<10 {
      while session.isResponding { await Task.yield() }
      let task = Task { try await session.respond(to: "The", options: endless) }
      try await Task.sleep(for: .milliseconds(2))
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    #expect(session.transcript.entries.isEmpty && !session.isResponding)
    let options = GenerationOptions(sampling: .greedy, maxTokens: 4)
    let after = try await session.respond(to: "The", options: options)
    let fresh = try await LanguageModelSession(model: model).respond(to: "The", options: options)
    #expect(after.content == fresh.content)
  }

  @Test("a second request while one is answered is refused")
  func concurrent() async throws {
    let session = LanguageModelSession(model: try TestModels.conversing())
    let task = Task { try await session.respond(to: "The") }
    while !session.isResponding { await Task.yield() }
    let message = await Self.message { _ = try await session.respond(to: "More") }
    #expect(
      message
        == "The session is still answering another request. Wait for it, or use a session of its own."
    )
    task.cancel()
    _ = try? await task.value
  }

  @Test("sessions side by side on one model answer as alone")
  func sideBySide() async throws {
    let model = try TestModels.conversing()
    let options = GenerationOptions(sampling: .greedy, maxTokens: 16)
    let prompts = (0..<6).map { "The rain \($0)" }
    var alone: [String] = []
    for prompt in prompts {
      alone.append(
        try await LanguageModelSession(model: model).respond(to: prompt, options: options).content)
    }
    let together = try await withThrowingTaskGroup(of: (Int, String).self) { group in
      for (index, prompt) in prompts.enumerated() {
        group.addTask {
          let session = LanguageModelSession(model: model)
          return (index, try await session.respond(to: prompt, options: options).content)
        }
      }
      var found = [String](repeating: "", count: prompts.count)
      for try await (index, text) in group { found[index] = text }
      return found
    }
    #expect(together == alone)
  }

  @Test("64 sessions on one engine answer as alone, while others are cancelled")
  func engine() async throws {
    let model = try TestModels.conversing()
    let engine = try Engine(model.language)
    let options = GenerationOptions(sampling: .greedy, maxTokens: 8)
    let endless = GenerationOptions(sampling: Sampling(logitBias: [2: -1000]))
    let alone = try await LanguageModelSession(model: model).respond(
      to: "The rain", options: options)
    let found = try await withThrowingTaskGroup(of: String?.self) { group in
      for index in 0..<64 {
        group.addTask {
          let session = LanguageModelSession(engine: engine)
          session.prewarm()
          guard index % 4 == 0 else {
            return try await session.respond(to: "The rain", options: options).content
          }
          var count = 0
          for try await _ in session.streamResponse(to: "The rain \(index)", options: endless) {
            count += 1
            if count > index / 4 { break }
          }
          return nil
        }
      }
      var found: [String] = []
      for try await text in group { if let text { found.append(text) } }
      return found
    }
    #expect(found == [String](repeating: alone.content, count: 48))
    await engine.shutdown(deadline: .seconds(5))
  }

  @Test("what is warmed up is not read again, and a saved session goes on where it was")
  func saved() async throws {
    let model = try TestModels.conversing()
    let options = GenerationOptions(sampling: .greedy, maxTokens: 8)
    let session = LanguageModelSession(model: model, instructions: "Be brief and kind.")
    session.prewarm(promptPrefix: "The rain ")
    let first = try await session.respond(to: "The rain falls", options: options)
    #expect(first.summary.cachedTokens > 10)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "facet-session-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await session.save(to: folder)
    let restored = try await LanguageModelSession.restore(from: folder, model: model)
    #expect(restored.transcript == session.transcript)
    let next = try await restored.respond(to: "And?", options: options)
    #expect(next.summary.cachedTokens >= first.summary.promptTokens)
    #expect(try await session.respond(to: "And?", options: options).content == next.content)
    let missing = folder.appendingPathComponent("none")
    let message = await Self.message {
      _ = try await LanguageModelSession.restore(from: missing, model: model)
    }
    #expect(
      message
        == "The saved session '\(missing.path)/transcript.json' cannot be read. Check its name, or begin "
        + "a new session.")
  }

  @Test("calls of tools are run, told to the model, and kept in the transcript")
  func tools() async throws {
    let adder = Adder()
    let twice = Self.call + "\n" + #"{"name": "add", "parameters": {"a": 1, "b": 1}}"#
    let (session, source) = try Self.scripted(
      ["Let me see.\n" + twice, "It is 42."], tools: [adder], instructions: "Add.")
    var texts: [String] = []
    for try await snapshot in session.streamResponse(to: "2 + 40?") {
      texts.append(snapshot.content)
    }
    #expect(texts.last == "It is 42." && texts.contains("Let me see."))
    #expect(adder.done.value.sorted() == [2, 42])
    let entries = session.transcript.entries
    #expect(entries.count == 6)
    guard case .toolCalls(let calls, "Let me see.") = entries[2],
      case .toolOutput(let one) = entries[3], case .toolOutput(let two) = entries[4]
    else {
      Issue.record("\(entries)")
      return
    }
    #expect(calls.map(\.arguments) == [#"{"a": 2, "b": 40}"#, #"{"a": 1, "b": 1}"#])
    #expect(one.content == #"{"sum":42}"# && two.content == #"{"sum":2}"#)
    #expect(one.id == calls[0].id && two.id == calls[1].id)
    #expect(entries[5] == .response("It is 42."))
    #expect(source.prompts.value[1].contains(#"{"sum":42}"#))
    #expect(source.prompts.value[0].contains("Adds two numbers."))
    let coded = try JSONDecoder().decode(
      Transcript.self, from: JSONEncoder().encode(session.transcript))
    #expect(coded == session.transcript)
  }

  @Test("each call is asked about before it is run")
  func approved() async throws {
    let adder = Adder()
    let (session, _) = try Self.scripted([Self.call, "No."], tools: [adder]) { call in
      .deny("Not allowed: \(call.name).")
    }
    let denied = try await session.respond(to: "?")
    #expect(adder.done.value.isEmpty && denied.entries.count == 4)
    guard case .toolOutput(let result) = denied.entries[2] else { return }
    #expect(result.content == "Not allowed: add.")
    let (other, _) = try Self.scripted([Self.call, "Yes."], tools: [adder]) { _ in
      .runWith(arguments: #"{"a": 5, "b": 6}"#)
    }
    _ = try await other.respond(to: "?")
    #expect(adder.done.value == [11])
  }

  @Test("what goes wrong is told in a sentence, and the session stays as it was")
  func failing() async throws {
    let (broken, _) = try Self.scripted(
      [#"{"name": "broken", "parameters": {}}"#], tools: [Broken()])
    #expect(
      await Self.message { _ = try await broken.respond(to: "?") }
        == "The tool 'broken' failed: Failure()")
    #expect(broken.transcript.entries.isEmpty && !broken.isResponding)
    let (endless, _) = try Self.scripted(
      [String](repeating: Self.call, count: 20), tools: [Adder()])
    #expect(
      await Self.message { _ = try await endless.respond(to: "?") }
        == "The model called tools 16 times over without an answer. Say in the instructions when to stop, "
        + "or describe what the tools give.")
    let model = try TestModels.conversing()
    let session = LanguageModelSession(model: model)
    #expect(
      await Self.message { _ = try await session.respond(to: "?", schema: Schema("{\"not\": 1}")) }
        .hasPrefix("The schema's keyword 'not' at '#/not'"))
    let small = LanguageModelSession(model: model, context: 16)
    let code = await Self.code { _ = try await small.respond(to: "A longer question than fits") }
    #expect(code == .exceededContext)
    let full = LanguageModelSession(model: model, context: 64)
    #expect(await Self.code { _ = try await full.respond(to: "The") } == .exceededContext)
  }

  private static func code(_ body: () async throws -> Void) async -> SessionError.Code? {
    do {
      try await body()
      return nil
    } catch { return (error as? SessionError)?.code }
  }

  @Test("a random model that must call a tool calls it, and then answers")
  func called() async throws {
    let adder = Adder()
    let session = LanguageModelSession(
      model: try TestModels.conversing(), tools: [adder], context: 2048)
    let sampling = Sampling(temperature: 1, seed: 3)
    let options = GenerationOptions(sampling: sampling, maxTokens: 300)
    let response = try await session.respond(
      to: "Add.", options: options, toolChoice: .named("add"))
    guard case .toolCalls(let calls, _) = response.entries[1] else {
      Issue.record("\(response.entries)")
      return
    }
    #expect(!calls.isEmpty && adder.done.value.count >= calls.count)
  }
}

@Suite("A real model in a session")
struct RealSessionTests {
  struct Sky: Codable, Sendable {
    enum Colour: String, Codable, CaseIterable, Sendable { case red, green, blue }
    var colour: Colour
    var isBright: Bool
  }

  @Test("SmolLM2 answers a question, fills a type, and calls a tool")
  func smolLM2() async throws {
    guard let model = try TestModels.smolLM2() else {
      print("skipped: needs smollm2:135m in the store (facet pull smollm2:135m)")
      return
    }
    let options = GenerationOptions(sampling: .greedy, maxTokens: 100)
    let session = LanguageModelSession(model: model)
    let answer = try await session.respond(to: "Name three colours.", options: options)
    #expect(answer.content.contains("Red"), "\(answer.content)")
    let typed = try await session.respond(
      to: "Which colour has the sky?", generating: Sky.self, options: options)
    #expect(
      typed.text.hasPrefix("{\"colour\": \"\(typed.content.colour.rawValue)\", \"isBright\": "))
    #expect(typed.summary.forcedTokens > 4)
    let adder = Adder()
    let calling = LanguageModelSession(model: model, tools: [adder])
    let sum = try await calling.respond(
      to: "What is 2 plus 40? Use the tool.", options: options, toolChoice: .named("add"))
    #expect(!adder.done.value.isEmpty, "\(sum.entries)")
  }
}
