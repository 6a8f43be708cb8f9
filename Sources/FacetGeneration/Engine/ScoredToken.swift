// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// A token and how likely the model held it in its place.
public struct ScoredToken: Sendable, Hashable, Codable {
  /// The token.
  public var id: TokenID
  /// The natural logarithm of its probability; nil where it was not asked for, and for the first token.
  public var logProbability: Float?
  /// The likeliest tokens in its place, when asked for.
  public var alternatives: [TokenLogProbability]

  enum CodingKeys: String, CodingKey {
    case id
    case logProbability = "logprob"
    case alternatives = "top_logprobs"
  }
}
