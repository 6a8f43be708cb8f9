// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

extension TrainingExample {
  /// Neighbouring tokens that are all trained, or all not, as text.
  public struct Run: Sendable, Hashable {
    /// The text, with the names of control tokens in it.
    public var text: String
    /// Whether the tokens are trained.
    public var isTarget: Bool
    /// How many there are.
    public var tokenCount: Int
  }

  /// The example in runs, for people.
  public func runs(_ tokenizer: Tokenizer) -> [Run] {
    var runs: [Run] = []
    var start = 0
    for index in tokens.indices
    where index + 1 == tokens.count || isTarget[index] != isTarget[index + 1] {
      let bytes = tokens[start...index].flatMap(tokenizer.bytes)
      runs.append(
        Run(
          text: String(decoding: bytes, as: UTF8.self), isTarget: isTarget[index],
          tokenCount: index + 1 - start))
      start = index + 1
    }
    return runs
  }

  /// The text with trained runs in `⟦…⟧`.
  public func markedText(_ tokenizer: Tokenizer) -> String {
    runs(tokenizer).map { $0.isTarget ? "⟦\($0.text)⟧" : $0.text }.joined()
  }
}
