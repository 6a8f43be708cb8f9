// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

@Suite("Model")
struct ModelTests {
  static let path = Goldens.path("fixtures/gemma3/gemma3.gguf")

  /// A library with nothing in it.
  static func emptyStore() -> ModelStore {
    ModelStore(home: Scratch.path("none"))
  }

  @Test("a file is loaded and its text streamed, as a session gives it")
  func text() async throws {
    let model = try await Model.load(
      Self.path, options: .init(threads: 2, precision: .exact), store: Self.emptyStore())
    let options = GenerationOptions(sampling: .greedy, maxTokens: 24)
    var text = ""
    for try await piece in model.text("The rain on the", options: options) { text += piece }
    var session = try Session(model.language)
    var expected = ""
    try session.generate(model.language.prompt("The rain on the"), options: options) { event in
      switch event {
      case .token(let token): expected += token.text
      case .rest(let rest): expected += rest
      default: break
      }
    }
    #expect(text == expected)
    #expect(!text.isEmpty)
  }

  @Test("a stream that is no longer read cancels its answer")
  func abandoned() async throws {
    let model = try await Model.load(Self.path, store: Self.emptyStore())
    let prompt = model.language.prompt("The")
    for _ in 0..<20 {
      var count = 0
      for try await event in model.events(prompt) {
        if case .token = event { count += 1 }
        if count == 2 { break }
      }
      #expect(count == 2)
    }
  }

  @Test("an error in the answer ends the stream with it")
  func failing() async throws {
    let model = try await Model.load(Self.path, store: Self.emptyStore())
    var message = ""
    do {
      for try await _ in model.events(Prompt(tokens: [2]), context: 1000) {}
    } catch { message = "\(error)" }
    #expect(
      message
        == "A context of 1000 tokens is asked for; \(model.language.card.name) takes between 1 and 256."
    )
  }

  @Test("a name that nobody knows is refused without a pull")
  func unknown() async {
    var message = ""
    do { _ = try await Model.load("no-such-model:1b", store: Self.emptyStore()) } catch {
      message = "\(error)"
    }
    #expect(message.hasPrefix("There is no model 'no-such-model:1b'."), "\(message)")
  }

  @Test("a plan needs no weights in memory")
  func plan() throws {
    let plan = try Model.plan(path: Self.path, context: 128)
    #expect(plan.weights > 0 && plan.cache > 0 && plan.scratch > 0)
    #expect(plan.fits == true || plan.memory == nil)
  }
}
