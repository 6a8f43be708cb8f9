// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGuides

/// What an answer should be like.
public struct GenerationOptions: Sendable, Hashable, Codable {
  /// How tokens are drawn.
  public var sampling: Sampling
  /// Most tokens to generate; nil: until the model ends, or the context does.
  public var maxTokens: Int?
  /// Texts that end the answer; they are not part of it.
  ///
  /// In an answer that may call tools they are looked for in the text before the calls.
  public var stop: [String]
  /// When given: log-probabilities of each token, and this many of the likeliest ones beside it.
  public var logProbabilities: Int?
  /// What the answer must look like; nil: anything.
  public var guide: Guide?

  /// Gemma's recommended sampling, until the model ends, unless said otherwise.
  public init(
    sampling: Sampling = Sampling(), maxTokens: Int? = nil, stop: [String] = [],
    logProbabilities: Int? = nil, guide: Guide? = nil
  ) {
    self.sampling = sampling
    self.maxTokens = maxTokens
    self.stop = stop
    self.logProbabilities = logProbabilities
    self.guide = guide
  }

  /// Refuses values out of range with a sentence that names the option.
  public func validate() throws(GenerationError) {
    try sampling.validate()
    if let maxTokens, maxTokens < 1 {
      throw GenerationError(.invalidOption, "Max-tokens is \(maxTokens); it must be 1 or more.")
    }
    if stop.contains("") {
      throw GenerationError(
        .invalidOption, "A stop text is empty; it must have at least one character.")
    }
    if let guide, !stop.isEmpty, !guide.allowsStopTexts {
      throw GenerationError(
        .invalidOption,
        "A guide and stop texts are given; a stop text would cut off what the guide asks for. Give one "
          + "of the two.")
    }
    if let logProbabilities, !(0...Self.mostLogProbabilities).contains(logProbabilities) {
      throw GenerationError(
        .invalidOption,
        "Log-probabilities are asked for \(logProbabilities) tokens; it must be between 0 and "
          + "\(Self.mostLogProbabilities).")
    }
  }

  /// Most alternatives that are given beside a token.
  public static let mostLogProbabilities = 100
}
