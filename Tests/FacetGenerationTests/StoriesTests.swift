// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

/// A trained model of 260 thousand parameters, in llama2.c's own format.
@Suite(
  "stories260K",
  .enabled(if: SharedData.path("stories260k/stories260K.bin") != nil, "no ../shared/data here"))
struct StoriesTests {
  struct Golden: Decodable {
    let tokens: [Int32]
    let greedy: [Int32]
    let text: String
  }

  @Test("tells the story that transformers tells, token by token and as text")
  func story() throws {
    let url = URL(fileURLWithPath: Goldens.path("stories260k/greedy.json"))
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    let path = try #require(SharedData.path("stories260k/stories260K.bin"))
    let model = try LanguageModel.load(
      path: path, options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
    #expect(model.prompt("").tokens == golden.tokens)
    var session = try Session(model)
    let transcript = try session.transcript(
      Prompt(tokens: golden.tokens), SessionTests.greedy(golden.greedy.count))
    #expect(transcript.ids == golden.greedy)
    #expect(transcript.text.trimmingPrefix(" ") == golden.text)
  }
}
