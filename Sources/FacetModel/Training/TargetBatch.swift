// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Texts that a model learns from in one pass: T tokens of whole sequences, one after the other, and
/// the tokens that it should have said.
///
/// Sequences see nothing of one another, and each begins at position 0.
public struct TargetBatch: Sendable, Hashable {
  /// A token that was to come.
  public struct Target: Sendable, Hashable {
    /// The row of the batch whose logits predict it.
    public var row: Int
    /// The token.
    public var token: Int32

    /// `token` should follow what the tokens up to `row` of the same sequence say.
    public init(row: Int, token: Int32) {
      self.row = row
      self.token = token
    }
  }

  /// Token ids [T].
  public var tokens: [Int32]
  /// Tokens of each sequence; T together.
  public var lengths: [Int]
  /// What is to be learned.
  public var targets: [Target]

  /// Joins the three; `lengths` must sum up to the tokens, and targets lie among them.
  public init(tokens: [Int32], lengths: [Int], targets: [Target]) {
    precondition(
      lengths.reduce(0, +) == tokens.count && lengths.allSatisfy { $0 > 0 },
      "\(tokens.count) tokens in sequences of \(lengths)")
    precondition(
      targets.allSatisfy { tokens.indices.contains($0.row) }, "a target beyond the batch")
    self.tokens = tokens
    self.lengths = lengths
    self.targets = targets
  }
}
