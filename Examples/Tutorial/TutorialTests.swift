// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

// The code of the tutorial in Sources/Facet/Facet.docc, word for word: a test compares them. It runs
// where SmolLM2 135M is in the store.

struct City: Codable, Sendable {
  enum Size: String, Codable, CaseIterable, Sendable { case village, town, metropolis }
  var name: String
  var size: Size
  var sights: [String]?
}

struct Weather: Tool {
  struct Arguments: Decodable, Sendable { var city: String }

  let name = "get_weather"
  let description = "The weather of a city today."

  func call(arguments: Arguments) async throws -> String {
    "Sunny, 21 degrees in \(arguments.city)."
  }
}

@Suite("The tutorial")
struct TutorialTests {
  static var model: Model? {
    get async throws {
      guard let path = StoredModels.path(sha256: StoredModels.smolLM2Hash) else {
        print("skipped: needs smollm2:135m in the store (facet pull smollm2:135m)")
        return nil
      }
      return try await Model.load(path)
    }
  }

  static let options = GenerationOptions(sampling: .greedy, maxTokens: 64)

  @Test("a first answer")
  func firstAnswer() async throws {
    guard let model = try await Self.model else { return }
    let session = LanguageModelSession(model: model, instructions: "You answer in one sentence.")
    for try await text in session.streamResponse(to: "Name three colours.").deltas {
      print(text, terminator: "")
    }
    let answer = try await session.respond(to: "Which of them is the sky?")
    print(answer.content)
    #expect(session.transcript.entries.count == 5)
  }

  @Test("a typed answer")
  func typedAnswer() async throws {
    guard let model = try await Self.model else { return }
    let session = LanguageModelSession(model: model)
    let options = GenerationOptions(sampling: .greedy, maxTokens: 200)
    let answer = try? await session.respond(
      to: "Describe Rome.", generating: City.self, options: options)
    if let city = answer?.content {
      print(city.name, city.size, city.sights ?? [])
    }
    let schema = try Schema(of: City.self)
    #expect(schema.text.contains("metropolis"))
  }

  @Test("a tool")
  func tool() async throws {
    guard let model = try await Self.model else { return }
    let session = LanguageModelSession(model: model, tools: [Weather()]) { call in
      print("The model asks for \(call.name) with \(call.arguments).")
      return .run
    }
    let answer = try await session.respond(
      to: "How is the weather in Rome?", options: Self.options, toolChoice: .required)
    for entry in answer.entries { print(entry) }
    #expect(answer.entries.count >= 4)
  }

  @Test("a search by meaning")
  func search() async throws {
    guard let model = try await Self.model else { return }
    let texts = [
      "How do I bake bread?", "Bread needs flour, water and time.", "The train is late.",
    ]
    let vectors = try await model.embed(texts)
    print(vectors[0].similarity(to: vectors[1]), vectors[0].similarity(to: vectors[2]))
    #expect(vectors[0].similarity(to: vectors[1]) > vectors[0].similarity(to: vectors[2]))
  }

  @Test("many sessions at once, and one that goes on tomorrow")
  func serverAndSaving() async throws {
    guard let model = try await Self.model else { return }
    let engine = try Engine(model.language)
    let answers = try await withThrowingTaskGroup(of: String.self) { group in
      for question in ["Name a colour.", "Name an animal.", "Name a city."] {
        group.addTask {
          let session = LanguageModelSession(engine: engine)
          return try await session.respond(to: question, options: Self.options).content
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    print(answers)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "chat-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let session = LanguageModelSession(model: model)
    _ = try await session.respond(to: "My name is Ada.", options: Self.options)
    try await session.save(to: folder)
    let later = try await LanguageModelSession.restore(from: folder, model: model)
    print(try await later.respond(to: "What is my name?", options: Self.options).content)
    #expect(answers.count == 3 && later.transcript.entries.count == 4)
  }
}
