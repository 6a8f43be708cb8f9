// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A tokenizer in the form in which a GGUF file holds it (`tokenizer.ggml.…`).
public struct TokenizerEntries: Sendable, Hashable {
  /// The algorithm: `llama` (SentencePiece BPE) or `gpt2` (byte-level BPE).
  public var model: String
  /// The rule by which byte-level BPE cuts words.
  public var pre: String?
  /// The pieces by token id.
  public var pieces: [String]
  /// The score of each piece; empty for byte-level BPE.
  public var scores: [Float]
  /// The kind of each piece: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var kinds: [UInt8]
  /// Merges in order of rank, `left right` each.
  public var merges: [String] = []
  /// The token before every text.
  public var bos: Int32?
  /// The token that ends a text.
  public var eos: Int32?
  /// The token that ends a turn.
  public var endOfTurn: Int32?
  /// The token for what the vocabulary cannot write.
  public var unknown: Int32?
  /// The token that fills up batches.
  public var padding: Int32?
  /// Whether a BOS is put before a text.
  public var addsBOS: Bool?
  /// Whether an EOS is put after a text.
  public var addsEOS: Bool?
  /// Whether a space is put before a text.
  public var addsSpacePrefix: Bool?

  /// Makes a tokenizer of its pieces.
  public init(
    model: String, pre: String? = nil, pieces: [String], scores: [Float] = [], kinds: [UInt8]
  ) {
    self.model = model
    self.pre = pre
    self.pieces = pieces
    self.scores = scores
    self.kinds = kinds
  }

  /// The same with exactly `count` pieces: the rows that the embedding has.
  func resized(to count: Int) -> TokenizerEntries {
    var result = self
    if pieces.count > count {
      result.pieces.removeLast(pieces.count - count)
      result.scores.removeLast(max(0, scores.count - count))
      result.kinds.removeLast(max(0, kinds.count - count))
    }
    for id in pieces.count..<max(pieces.count, count) {
      result.pieces.append("[PAD\(id)]")
      if !scores.isEmpty { result.scores.append(-10_000) }
      result.kinds.append(5)
    }
    return result
  }
}
