// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Testing

extension RealModelTests {
  /// Guessing ahead on the default model: other times, the same answers.
  @Suite("Speculation")
  struct SpeculationTests {
    /// A paragraph, and its beginning again: the answer is mostly a copy.
    static func copying(_ model: LanguageModel) throws -> Prompt {
      let text = String(try Text.emma().dropFirst(200).prefix(700))
      return model.prompt("\(text)\n\nThe same text again, word for word:\n\n\(text.prefix(100))")
    }

    static let length = Quality.isAsked ? 100 : 48

    static func ids(
      _ prompt: Prompt, _ sampling: Sampling, _ session: inout Session
    ) throws -> (ids: [Int32], summary: GenerationSummary) {
      var ids: [Int32] = []
      let summary = try session.generate(
        prompt, options: GenerationOptions(sampling: sampling, maxTokens: length)
      ) { event in
        if case .token(let token) = event { ids.append(token.id) }
      }
      return (ids, summary)
    }

    @Test("answers are those of decoding one by one, greedy and drawn")
    func sameAnswers() throws {
      let model = try RealModel.fast()
      let ordinary = model.prompt("The history of the steam engine begins")
      let drawn = Sampling(temperature: 0.7, repetitionPenalty: 1.05, seed: 11)
      for prompt in [try Self.copying(model), ordinary] {
        for sampling in [Sampling.greedy, drawn] {
          var plain = try Session(model, context: 1024)
          let expected = try Self.ids(prompt, sampling, &plain)
          for pace in [Speculation.Pace.always, .adaptive] {
            var guessing = try Session(
              model, context: 1024, speculation: Speculation(.lookup, pace: pace))
            #expect(try Self.ids(prompt, sampling, &guessing).ids == expected.ids)
          }
        }
        var plain = try Session(model, context: 1024)
        var drafting = try Session(
          model, context: 1024, speculation: Speculation(.draft(model), pace: .always))
        let found = try Self.ids(prompt, .greedy, &drafting)
        #expect(found.ids == (try Self.ids(prompt, .greedy, &plain)).ids)
        #expect(found.summary.acceptedTokens > Self.length * 3 / 5)
      }
    }
  }
}
