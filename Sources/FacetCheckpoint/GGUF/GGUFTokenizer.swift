// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// The tokenizer inside a GGUF file.
///
/// Small settings are at hand; the vocabulary, hundreds of thousands of strings, is read by
/// ``vocabulary()``.
public struct GGUFTokenizer: Sendable {
  /// The algorithm: `llama` (SentencePiece BPE) or `gpt2` (byte-level BPE).
  public let model: String
  /// The name of the pre-tokenizer of byte-level BPE, such as `smollm`.
  public let pre: String?
  /// The token before every text.
  public let bos: Int32?
  /// The token that ends a text.
  public let eos: Int32?
  /// The token that ends a turn, when it differs from ``eos``.
  public let endOfTurn: Int32?
  /// The token for what the vocabulary cannot write.
  public let unknown: Int32?
  /// The token that fills up batches.
  public let padding: Int32?
  /// Whether a BOS is put before a text; nil when the file is silent.
  public let addsBOS: Bool?
  /// Whether an EOS is put after a text; nil when the file is silent.
  public let addsEOS: Bool?
  /// Whether a space is put before a text; nil when the file is silent.
  public let addsSpacePrefix: Bool?

  let path: String
  let storage: TensorStorage
  let tokens: GGUFArray
  let scores: GGUFArray?
  let types: GGUFArray?
  let merges: GGUFArray?

  /// Pieces in the vocabulary.
  public var count: Int { tokens.count }

  /// Reads the vocabulary in one pass over each of its arrays.
  public func vocabulary() throws(CheckpointError) -> GGUFVocabulary {
    let (pieces, offsets) = try strings(tokens)
    var vocabulary = GGUFVocabulary(pieces: pieces, offsets: offsets)
    if let scores { vocabulary.scores = try numbers(scores) { Float(bitPattern: $0) } }
    if let types { vocabulary.types = try numbers(types) { UInt8(clamping: $0) } }
    if let merges { (vocabulary.merges, vocabulary.mergeOffsets) = try strings(merges) }
    return vocabulary
  }

  /// The bytes of an array of strings end to end, and where each begins.
  private func strings(
    _ array: GGUFArray
  ) throws(CheckpointError) -> (bytes: [UInt8], offsets: [UInt32]) {
    // Every string carries an eight-byte length in the file; the rest are its bytes.
    let total = array.byteCount - 8 * array.count
    guard total <= Int(UInt32.max) else {
      throw CheckpointError(.unsupported, "The vocabulary of '\(path)' is larger than 4 GB.")
    }
    var cursor = ByteCursor(storage.bytes, path: path, at: array.offset)
    var offsets: [UInt32] = []
    offsets.reserveCapacity(array.count + 1)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(total)
    offsets.append(0)
    for _ in 0..<array.count {
      let length = try cursor.count("The length of a piece", bytesEach: 1)
      try cursor.append(length, to: &bytes)
      offsets.append(UInt32(truncatingIfNeeded: bytes.count))
    }
    return (bytes, offsets)
  }

  private func numbers<T>(
    _ array: GGUFArray, _ convert: (UInt32) -> T
  ) throws(CheckpointError) -> [T] {
    var cursor = ByteCursor(storage.bytes, path: path, at: array.offset)
    var result: [T] = []
    result.reserveCapacity(array.count)
    for _ in 0..<array.count {
      result.append(convert(try cursor.integer(UInt32.self, "A number of the vocabulary")))
    }
    return result
  }
}

/// The vocabulary of a GGUF file as flat arrays.
public struct GGUFVocabulary: Sendable {
  /// The bytes of all pieces, end to end.
  public var pieces: [UInt8]
  /// Piece i is the bytes `offsets[i] ..< offsets[i + 1]`; one more entry than there are pieces.
  public var offsets: [UInt32]
  /// The score of every piece; empty when the file has none.
  public var scores: [Float] = []
  /// The kind of every piece: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte;
  /// empty when the file has none.
  public var types: [UInt8] = []
  /// The bytes of all merges, `left right` each, end to end; empty when the file has none.
  public var merges: [UInt8] = []
  /// Merge i is the bytes `mergeOffsets[i] ..< mergeOffsets[i + 1]`; empty when there are none.
  public var mergeOffsets: [UInt32] = []

  /// Pieces in the vocabulary.
  public var count: Int { offsets.count - 1 }
}
