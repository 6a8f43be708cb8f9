// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTestSupport
import FacetTokenizer
import Testing

/// Many at once, coming and going at random.
@Suite("Engine: stress")
struct EngineStressTests {
  @Test("200 random requests, a third of them given up: the others are answered as if alone")
  func fuzz() async throws {
    let model = try Fixture("gemma3").model
    let engine = try Engine(
      model, options: Engine.Options(sequences: 7, prefixMemory: 1 << 20, chunk: 24))
    var generator = SeededGenerator.announced("engine fuzz", salt: 23)
    let checked = try await run(engine, model, count: 200, atOnce: 40, using: &generator)
    #expect(checked > 60)
    let status = try await engine.settle()
    #expect(status.finished.values.reduce(0, +) == 200)
    #expect(status.running == 0 && status.refused == 0)
  }

  @Test("64 at once with random cancellation")
  func sixtyFour() async throws {
    let model = try Fixture("gemma3").model
    let engine = try Engine(model, options: Engine.Options(sequences: 64))
    var generator = SeededGenerator.announced("engine 64", salt: 29)
    let checked = try await run(engine, model, count: 64, atOnce: 64, using: &generator)
    #expect(checked > 20)
    #expect(try await engine.settle().running == 0)
  }

  /// Asks `count` random questions, `atOnce` of them at a time, gives up a third of them after some tokens,
  /// and holds the others to what a session gives; returns how many those were.
  private func run(
    _ engine: Engine, _ model: LanguageModel, count: Int, atOnce: Int,
    using generator: inout SeededGenerator
  ) async throws -> Int {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      var checked = 0
      for index in 0..<count {
        let question = EngineQuestion.random(using: &generator)
        let patience =
          Int.random(in: 0..<3, using: &generator) == 0
          ? Int.random(in: 0..<12, using: &generator) : nil
        if index >= atOnce, let next = try await group.next(), next { checked += 1 }
        group.addTask {
          guard let patience else {
            let found = try await engine.transcript(question.prompt, question.options)
            let list = differences(found, try question.alone(model))
            #expect(list.isEmpty, "\(question)")
            return true
          }
          var seen = 0
          for try await _ in try engine.events(question.prompt, options: question.options) {
            if seen == patience { break }
            seen += 1
          }
          return false
        }
      }
      while let next = try await group.next() { if next { checked += 1 } }
      return checked
    }
  }
}
