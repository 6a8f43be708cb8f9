// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension VocabularyDescription {
  /// Reads a SentencePiece `tokenizer.model` (Gemma, Llama 2, Mistral): a protobuf `ModelProto`.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - addsBOS: Whether sequences begin with a beginning-of-sequence token, which the file does not
  ///     say; all models of these families want it.
  ///   - file: What errors call the file.
  public init(
    sentencePieceModel bytes: [UInt8], addsBOS: Bool = true, file: String = "tokenizer.model"
  ) throws(TokenizerError) {
    var model = SentencePieceModel(file: file)
    try model.read(bytes)
    try model.check()
    self.init(
      model: .sentencePiece, pieces: model.pieces, scores: model.scores, kinds: model.kinds,
      dummyPrefix: model.addsDummyPrefix ? .everyFragment : .none, addsBOS: addsBOS)
    bos = model.id(model.bos)
    eos = model.id(model.eos)
    unknown = model.id(model.unknown)
    padding = model.id(model.padding)
  }
}

/// The parts of SentencePiece's `ModelProto` that say how to tokenize, with the defaults of
/// `sentencepiece_model.proto` where a file is silent.
private struct SentencePieceModel {
  let file: String
  var pieces = PackedStrings()
  var scores: [Float] = []
  var kinds: [UInt8] = []
  // TrainerSpec
  var modelType: UInt64 = 1
  var unknown: Int64 = 0
  var bos: Int64 = 1
  var eos: Int64 = 2
  var padding: Int64 = -1
  var treatsSpaceAsSuffix = false
  // NormalizerSpec
  var normalizerIsIdentity = true
  var addsDummyPrefix = true
  var removesExtraSpaces = true
  var escapesSpaces = true

  init(file: String) { self.file = file }

  mutating func read(_ bytes: [UInt8]) throws(TokenizerError) {
    // Offsets of pieces have 32 bits.
    guard bytes.count < 1 << 31 else {
      throw TokenizerError(.unsupported, "\(file) has 2 GiB or more; no vocabulary is that large.")
    }
    var reader = ProtobufReader(bytes, bytes.indices, file: file)
    while let field = try reader.next() {
      guard case .bytes(let range) = field.value else { continue }
      switch field.number {
      case 1: try readPiece(bytes, range)
      case 2: try readTrainer(bytes, range)
      case 3: try readNormalizer(bytes, range)
      default: break
      }
    }
  }

  private mutating func readPiece(_ bytes: [UInt8], _ range: Range<Int>) throws(TokenizerError) {
    var reader = ProtobufReader(bytes, range, file: file)
    var piece = 0..<0
    var score: Float = 0
    var kind = PieceKind.normal.rawValue
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): piece = range
      case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
      case (3, .varint(let value)): kind = UInt8(exactly: value) ?? 0
      default: break
      }
    }
    guard PieceKind(rawValue: kind) != nil else {
      throw TokenizerError(
        .malformed, "Piece \(pieces.count) of \(file) is of a kind that SentencePiece does not have.")
    }
    pieces.append(bytes[piece])
    scores.append(score)
    kinds.append(kind)
  }

  private mutating func readTrainer(_ bytes: [UInt8], _ range: Range<Int>) throws(TokenizerError) {
    var reader = ProtobufReader(bytes, range, file: file)
    while let field = try reader.next() {
      guard case .varint(let value) = field.value else { continue }
      switch field.number {
      case 3: modelType = value
      case 24: treatsSpaceAsSuffix = value != 0
      case 40: unknown = Int64(bitPattern: value)
      case 41: bos = Int64(bitPattern: value)
      case 42: eos = Int64(bitPattern: value)
      case 43: padding = Int64(bitPattern: value)
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ bytes: [UInt8], _ range: Range<Int>)
    throws(TokenizerError)
  {
    var reader = ProtobufReader(bytes, range, file: file)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (2, .bytes(let map)): normalizerIsIdentity = map.isEmpty
      case (3, .varint(let value)): addsDummyPrefix = value != 0
      case (4, .varint(let value)): removesExtraSpaces = value != 0
      case (5, .varint(let value)): escapesSpaces = value != 0
      default: break
      }
    }
  }

  /// Refuses what would be tokenized wrongly.
  func check() throws(TokenizerError) {
    guard pieces.count > 0 else {
      throw TokenizerError(.malformed, "\(file) has no pieces; it is no SentencePiece model.")
    }
    let obstacle: String? =
      if modelType != 2 {
        "is of SentencePiece's model type \(modelType)"
      } else if !normalizerIsIdentity {
        "rewrites text before it is tokenized (a character map)"
      } else if removesExtraSpaces {
        "removes repeated spaces"
      } else if treatsSpaceAsSuffix || !escapesSpaces {
        "marks spaces in an uncommon way"
      } else {
        nil
      }
    guard let obstacle else { return }
    throw TokenizerError(
      .unsupported,
      "\(file) \(obstacle); Facet reads BPE models that keep text as it is, like those of Gemma, Llama "
        + "2 and Mistral.")
  }

  /// A special id; -1 means that there is none.
  func id(_ value: Int64) -> TokenID? { value < 0 ? nil : TokenID(exactly: value) ?? .max }
}
