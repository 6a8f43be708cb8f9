// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How a text becomes a vector.
public struct EmbeddingOptions: Sendable, Hashable, Codable {
  /// How the states of a text's tokens become one.
  public enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
    /// Their mean, the beginning of sequence included.
    case mean
    /// The last token's, which in a decoder has seen all others.
    case last
  }

  /// How long the vectors are.
  public enum Scaling: String, Sendable, Hashable, Codable, CaseIterable {
    /// Of length 1, so that a dot product is the cosine of the angle.
    case unit
    /// As the model leaves them.
    case none
  }

  /// What becomes of a text with more tokens than the context.
  public enum Overlong: String, Sendable, Hashable, Codable, CaseIterable {
    /// It is refused.
    case refuse
    /// Its beginning is taken.
    case truncate
  }

  /// How the states of a text's tokens become one.
  public var pooling: Pooling
  /// How long the vectors are.
  public var scaling: Scaling
  /// Keeps the first so many numbers of each vector, before it is scaled; nil: all.
  public var dimensions: Int?
  /// What becomes of a text with more tokens than the context.
  public var overlong: Overlong

  /// Means of length 1 of texts that fit, unless said otherwise.
  public init(
    pooling: Pooling = .mean, scaling: Scaling = .unit, dimensions: Int? = nil,
    overlong: Overlong = .refuse
  ) {
    self.pooling = pooling
    self.scaling = scaling
    self.dimensions = dimensions
    self.overlong = overlong
  }
}

/// A text as a vector: texts of like meaning point in like directions.
public struct Embedding: Sendable, Hashable, Codable {
  /// The vector.
  public var vector: [Float]
  /// Tokens that it was made of.
  public var tokenCount: Int

  /// Pairs a vector with the number of its tokens.
  public init(vector: [Float], tokenCount: Int) {
    self.vector = vector
    self.tokenCount = tokenCount
  }

  /// The dot product with `other`: for vectors of length 1 the cosine of the angle between them, from
  /// -1 to 1; of as many numbers as both have.
  public func similarity(to other: Embedding) -> Float {
    Float(zip(vector, other.vector).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
  }
}
