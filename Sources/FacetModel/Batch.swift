// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The tokens of one forward pass: T of them, of one sequence or several, each sequence with its
/// own cache.
///
/// Sequences lie one after the other.
public struct Batch {
  /// One sequence's part of the batch.
  public struct Sequence {
    /// Where its earlier tokens are and its new ones go.
    public var cache: KVCache
    /// New tokens of this sequence.
    public var count: Int

    /// What changes the model's matrices for this sequence, one after the other.
    public var adapters: [Adapter]

    /// `count` new tokens for `cache`.
    public init(cache: KVCache, count: Int, adapters: [Adapter] = []) {
      self.cache = cache
      self.count = count
      self.adapters = adapters
    }
  }

  /// The rows whose logits are wanted.
  ///
  /// The head is the largest matrix of a small model: what is not asked for is not computed.
  public enum LogitRows: Sendable {
    /// None: prefill of all but the last chunk.
    case none
    /// The last token of every sequence.
    case last
    /// Every token.
    case all
    /// These rows of the batch, ascending.
    case rows([Int])
  }

  /// Token ids [T].
  public var tokens: [Int32]
  /// Whose they are.
  public var sequences: [Sequence]
  /// Which logits are wanted.
  public var logits: LogitRows

  /// Tokens of one sequence.
  public init(_ tokens: [Int32], cache: KVCache, logits: LogitRows = .last) {
    self.init(tokens, sequences: [Sequence(cache: cache, count: tokens.count)], logits: logits)
  }

  /// Tokens of several sequences, laid one after the other.
  public init(_ tokens: [Int32], sequences: [Sequence], logits: LogitRows) {
    self.tokens = tokens
    self.sequences = sequences
    self.logits = logits
  }

  var logitRows: [Int] {
    switch logits {
    case .none: return []
    case .all: return Array(tokens.indices)
    case .rows(let rows): return rows
    case .last:
      var end = 0
      return sequences.map { sequence in
        end += sequence.count
        return end - 1
      }
    }
  }
}
