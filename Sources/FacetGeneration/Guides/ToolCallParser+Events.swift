// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGuides

extension ToolCallParser {
  /// Follows answers of `model` to `guide`.
  public init(_ guide: ToolGuide, _ model: LanguageModel) throws(GenerationError) {
    self.init(guide, try model.guides.compiled(.toolCalls(guide)))
  }

  /// What is certain once `event` has happened.
  public mutating func append(_ event: GenerationEvent) -> [AnswerPart] {
    switch event {
    case .token(let token): return append(token.id, token.text)
    case .rest(let text): return append(text)
    case .finished: return finish()
    case .prefill: return []
    }
  }
}
