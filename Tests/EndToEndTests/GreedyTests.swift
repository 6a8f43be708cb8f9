// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation
import Testing

extension RealModelTests {
  /// Gemma 3 270M as people download it, against transformers on the same weights expanded to f32.
  @Suite("Against transformers")
  struct GreedyTests {
    struct Golden: Decodable {
      struct Prompt: Decodable {
        let text: String
        let tokens: [Int32]
        let greedy: [Int32]
      }
      let prompts: [Prompt]

      static func read() throws -> [Prompt] {
        let url = URL(fileURLWithPath: Goldens.path("gemma3-270m/greedy.json"))
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url)).prompts
      }
    }

    @Test("the ids of ten prompts are sentencepiece's")
    func promptIDs() throws {
      let model = try RealModel.exact()
      let prompts = try Golden.read()
      #expect(prompts.count == 10)
      for prompt in prompts { #expect(model.prompt(prompt.text).tokens == prompt.tokens) }
    }

    @Test("64 greedy tokens after each of ten prompts are transformers', on the exact path")
    func greedy() throws {
      let model = try RealModel.exact()
      var session = try Session(model, context: 256)
      for prompt in try Golden.read() {
        var ids: [Int32] = []
        let options = GenerationOptions(sampling: .greedy, maxTokens: 64)
        try session.generate(Prompt(tokens: prompt.tokens), options: options) { event in
          if case .token(let token) = event { ids.append(token.id) }
        }
        // The oracle goes on after a stop token; we end with it.
        let stops = model.tokenizer.special.stop
        let end = prompt.greedy.firstIndex(where: stops.contains).map { $0 + 1 } ?? 64
        #expect(ids == Array(prompt.greedy[..<end]), "\(prompt.text)")
      }
    }
  }
}
