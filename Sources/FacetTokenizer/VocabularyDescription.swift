// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The number of a piece in its vocabulary.
public typealias TokenID = Int32

/// What a piece is for; the raw values are those of GGUF's `token_type` and of SentencePiece.
public enum PieceKind: UInt8, Sendable, CaseIterable {
  /// Text found by merging.
  case normal = 1
  /// Stands for text that the vocabulary cannot express.
  case unknown = 2
  /// Structure (`<bos>`, `<start_of_turn>`): never made from a user's text.
  case control = 3
  /// Text that is always one token, found before any merging.
  case userDefined = 4
  /// Takes part in merging but is never a result.
  case unused = 5
  /// One byte, for characters without a piece: `<0x0A>`.
  case byte = 6
}

/// A vocabulary as neutral data: what every file format is read into, and all that a `Tokenizer`
/// needs.
public struct VocabularyDescription: Sendable {
  /// How text becomes pieces.
  public enum Model: Sendable, Hashable {
    /// SentencePiece BPE: characters, merged by `scores`, or by `merges` where they are given.
    case sentencePiece
    /// GPT-2's BPE: bytes, written as printable characters, merged by `merges` within words.
    case byteLevel(WordSplitter)
  }

  /// Where SentencePiece puts a space that the text does not have.
  public enum DummyPrefix: Sendable, Hashable {
    /// Nowhere: Gemma.
    case none
    /// Before the text.
    case start
    /// Before the text and after every control token in it: Llama 2 and Mistral.
    case everyFragment
  }

  /// How text becomes pieces.
  public var model: Model
  /// The pieces as the file spells them, by token id.
  public var pieces: PackedStrings
  /// The score of each piece (SentencePiece: higher merges first); empty when `merges` rule.
  public var scores: [Float]
  /// The kind of each piece, as `PieceKind`'s raw values; empty: all normal.
  public var kinds: [UInt8]
  /// Merges in order of rank: each is one string, `left right`.
  public var mergeTexts: PackedStrings
  /// The same with two strings for each merge, left and right; used when `mergeTexts` is empty.
  public var mergeParts: PackedStrings
  /// Whether a word that is a piece is taken whole, whatever the merges say.
  public var ignoresMergesForWholeWords: Bool
  /// Where a space is put that the text does not have.
  public var dummyPrefix: DummyPrefix
  /// Whether the dummy prefix is left out before text that begins with a space (Hugging Face's
  /// `Metaspace`; SentencePiece itself puts it there all the same).
  public var omitsDummyPrefixBeforeSpace: Bool
  /// Beginning of sequence.
  public var bos: TokenID?
  /// End of sequence.
  public var eos: TokenID?
  /// Stands for text that the vocabulary cannot express.
  public var unknown: TokenID?
  /// Fills up batches.
  public var padding: TokenID?
  /// End of a turn of conversation, where the file names it.
  public var endOfTurn: TokenID?
  /// Further ids that end an answer, such as those of generation_config.json.
  public var additionalStops: [TokenID]
  /// Whether sequences begin with `bos`.
  public var addsBOS: Bool

  /// Describes a vocabulary; what is not given is absent from it.
  public init(
    model: Model, pieces: PackedStrings, scores: [Float] = [], kinds: [UInt8] = [],
    mergeTexts: PackedStrings = PackedStrings(), dummyPrefix: DummyPrefix = .none,
    addsBOS: Bool = false
  ) {
    self.model = model
    self.pieces = pieces
    self.scores = scores
    self.kinds = kinds
    self.mergeTexts = mergeTexts
    self.mergeParts = PackedStrings()
    self.ignoresMergesForWholeWords = false
    self.dummyPrefix = dummyPrefix
    self.omitsDummyPrefixBeforeSpace = false
    self.additionalStops = []
    self.addsBOS = addsBOS
  }
}
