// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import Foundation
import Testing

@Suite("Generation options")
struct GenerationOptionsTests {
  @Test(
    "values out of range are refused by name",
    arguments: [
      (GenerationOptions(maxTokens: 0), "Max-tokens is 0; it must be 1 or more."),
      (
        GenerationOptions(stop: ["a", ""]),
        "A stop text is empty; it must have at least one character."
      ),
      (
        GenerationOptions(logProbabilities: 101),
        "Log-probabilities are asked for 101 tokens; it must be between 0 and 100."
      ),
      (
        GenerationOptions(sampling: Sampling(temperature: -1)),
        "The temperature is -1.0; it must be 0 (always the likeliest token) or more."
      ),
    ])
  func refusals(options: GenerationOptions, sentence: String) {
    var message = ""
    do { try options.validate() } catch { message = error.message }
    #expect(message == sentence)
  }

  @Test("stop texts go with tools, and with no other guide")
  func stopsBesideGuides() throws {
    let tools = ToolGuide([TestTools.time], syntax: .hermes)
    try GenerationOptions(stop: ["x"], guide: .toolCalls(tools)).validate()
    let formed = ToolGuide([TestTools.time], syntax: .hermes, answer: .choices(["a"]))
    for guide in [.choices(["a"]), .toolCalls(formed)] as [Guide] {
      var message = ""
      do {
        try GenerationOptions(stop: ["x"], guide: guide).validate()
      } catch { message = error.message }
      #expect(
        message
          == "A guide and stop texts are given; a stop text would cut off what the guide asks for. Give one "
          + "of the two.")
    }
  }

  @Test("options survive JSON")
  func json() throws {
    let options = GenerationOptions(
      sampling: Sampling(temperature: 0.5, logitBias: [7: -1], seed: 3), maxTokens: 9, stop: ["x"],
      logProbabilities: 2)
    let data = try JSONEncoder().encode(options)
    #expect(try JSONDecoder().decode(GenerationOptions.self, from: data) == options)
  }
}
