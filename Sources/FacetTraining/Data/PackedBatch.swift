// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Several examples in one forward pass, laid one after the other without padding.
///
/// Attention is block-diagonal and positions begin anew with each example.
public struct PackedBatch: Sendable, Hashable {
  /// The examples, in the order in which they lie.
  public var examples: [TrainingExample]

  /// Makes a micro-batch.
  public init(examples: [TrainingExample]) { self.examples = examples }

  /// Tokens of all examples.
  public var tokenCount: Int { examples.reduce(0) { $0 + $1.tokens.count } }

  /// Trained tokens of all examples.
  public var targetCount: Int { examples.reduce(0) { $0 + $1.isTarget.count { $0 } } }
}
