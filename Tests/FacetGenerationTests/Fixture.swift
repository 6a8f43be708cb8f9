// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTestSupport
import Foundation

/// A small random model of a family, with what an independent implementation makes of it
/// (Tests/Goldens/PROVENANCE.md).
struct Fixture {
  let path: String
  let model: LanguageModel

  // One thread: tests run side by side, and the threads of two pools on two cores wait for one another.
  init(_ family: String = "gemma3", precision: Precision = .exact, threads: Int = 1) throws {
    path = Goldens.path("fixtures/\(family)/\(family).gguf")
    model = try LanguageModel.load(
      path: path, options: LanguageModel.LoadOptions(threads: threads, precision: precision))
  }

  /// The prompt that the oracle calls `name`, and its greedy continuation.
  static func golden(
    _ name: String, family: String = "gemma3"
  ) throws -> (tokens: [Int32], greedy: [Int32]) {
    struct File: Decodable {
      struct Prompt: Decodable {
        var name: String
        var tokens: [Int32]
        var greedy: [Int32]
      }
      var prompts: [Prompt]
    }
    let url = URL(fileURLWithPath: Goldens.path("fixtures/\(family)/goldens.json"))
    let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
    let prompt = file.prompts.first { $0.name == name }
    return (prompt?.tokens ?? [], prompt?.greedy ?? [])
  }
}

/// All that happened while an answer came about.
struct Transcript {
  var prefill: [Int] = []
  var tokens: [GeneratedToken] = []
  var text = ""
  var summary: GenerationSummary?

  mutating func note(_ event: GenerationEvent) {
    switch event {
    case .prefill(let done, _): prefill.append(done)
    case .token(let token):
      tokens.append(token)
      text += token.text
    case .rest(let rest): text += rest
    case .finished(let summary): self.summary = summary
    }
  }

  var ids: [Int32] { tokens.map(\.id) }
}

extension Session {
  /// Generates and keeps everything.
  mutating func transcript(
    _ prompt: Prompt, _ options: GenerationOptions = GenerationOptions()
  ) throws -> Transcript {
    var transcript = Transcript()
    try generate(prompt, options: options) { transcript.note($0) }
    return transcript
  }
}
