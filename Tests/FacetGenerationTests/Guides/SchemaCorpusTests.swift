// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetTestSupport
import Foundation
import Testing

@Suite("Schemas of many sources")
struct SchemaCorpusTests {
  private struct Golden: Decodable {
    var schema: String
    var valid: [String]
    var invalid: [String]
  }

  @Test("allow what the oracle found valid of our answers, and nothing that it finds invalid")
  func golden() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Goldens.path("guides/schemas.json")))
    let cases = try JSONDecoder().decode([Golden].self, from: data)
    #expect(cases.count > 100)
    for entry in cases {
      var machine = GrammarMachine(try Guide.jsonSchema(entry.schema).program())
      for text in entry.valid {
        let isAccepted = machine.accepts(text.utf8)
        #expect(isAccepted, "\(text) for \(entry.schema)")
      }
      for text in entry.invalid {
        let isAccepted = machine.accepts(text.utf8)
        #expect(!isAccepted, "\(text) for \(entry.schema)")
      }
    }
  }

  private struct Case: Codable {
    struct Instance: Codable {
      var text: String
      var valid: Bool
      var accepted: Bool?
    }
    struct Answer: Codable {
      var text: String
      var finished: Bool
    }
    var source: String
    var schema: String
    var tests: [Instance]?
    var refusal: String?
    var instances: [Instance]?
    var answers: [Answer]?
  }

  private static let corpus = ProcessInfo.processInfo.environment["FACET_SCHEMAS"]

  @Test(
    "are answered by a random model for the oracle to judge (tools/schema_goldens.py)",
    .enabled(
      if: corpus != nil, "needs FACET_SCHEMAS, the file that tools/schema_goldens.py collects"))
  func answers() throws {
    let path = try #require(Self.corpus)
    var cases = try JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    let model = try Fixture("gemma3").model
    let prompt = model.prompt("the")
    for index in cases.indices {
      let guide = Guide.jsonSchema(cases[index].schema)
      do {
        var machine = GrammarMachine(try guide.program())
        cases[index].instances = (cases[index].tests ?? []).map { test in
          var test = test
          test.accepted = machine.accepts(test.text.utf8)
          return test
        }
        cases[index].answers = try (0..<8).map { try answer(guide, model, prompt, seed: $0) }
      } catch let error as GuideError {
        cases[index].refusal = error.message
      }
      cases[index].tests = nil
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(cases).write(to: URL(fileURLWithPath: path + ".answers"))
  }

  private func answer(
    _ guide: Guide, _ model: LanguageModel, _ prompt: Prompt, seed: UInt64
  ) throws -> Case.Answer {
    var options = GenerationOptions(
      sampling: Sampling(
        temperature: 1 + Float(seed % 3) / 2, topK: seed % 2 == 0 ? 0 : 64, topP: 1, seed: seed),
      maxTokens: 200)
    options.guide = guide
    var session = try Session(model)
    let transcript = try session.transcript(prompt, options)
    let reason = try #require(transcript.summary?.reason)
    return Case.Answer(
      text: transcript.text, finished: reason == .guideComplete || reason == .endOfTurn)
  }
}
