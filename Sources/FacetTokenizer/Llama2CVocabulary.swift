// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension VocabularyDescription {
  /// Reads llama2.c's `tokenizer.bin`.
  ///
  /// The file holds the length of the longest piece, then for each piece its
  /// score, its length and its bytes, with plain spaces. The form is Llama 2's: 0 is unknown, 1 and 2
  /// begin and end a sequence, 3…258 are bytes.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - size: The number of pieces, which the file does not say; the model's vocabulary.
  ///   - file: What errors call the file.
  public init(llama2C bytes: [UInt8], vocabularySize size: Int, file: String = "tokenizer.bin")
    throws(TokenizerError)
  {
    // Every piece takes eight bytes and its text.
    guard size > 258, size <= bytes.count / 8 else {
      throw TokenizerError(
        .malformed,
        "\(file) has \(bytes.count) bytes, which cannot be a vocabulary of \(size) pieces; it belongs "
          + "to another model, or is damaged.")
    }
    var pieces = PackedStrings()
    var scores: [Float] = []
    var position = 4
    for id in 0..<size {
      guard position + 8 <= bytes.count else { throw Self.endsEarly(file, id, size) }
      scores.append(Float(bitPattern: Self.word(bytes, position)))
      let length = Int(Self.word(bytes, position + 4))
      position += 8
      guard length <= bytes.count - position else { throw Self.endsEarly(file, id, size) }
      pieces.append(Self.llama2CPiece(bytes[position..<position + length], id))
      position += length
    }
    let kinds = (0..<size).map { id in
      switch id {
      case 0: PieceKind.unknown.rawValue
      case 1, 2: PieceKind.control.rawValue
      case 3...258: PieceKind.byte.rawValue
      default: PieceKind.normal.rawValue
      }
    }
    self.init(
      model: .sentencePiece, pieces: pieces, scores: scores, kinds: kinds,
      dummyPrefix: .everyFragment, addsBOS: true)
    unknown = 0
    bos = 1
    eos = 2
  }

  private static func word(_ bytes: [UInt8], _ position: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
  }

  /// A piece as SentencePiece spells it: ▁ for spaces, and no line breaks around `<s>` and `</s>`.
  private static func llama2CPiece(_ piece: ArraySlice<UInt8>, _ id: Int) -> [UInt8] {
    if id == 1 || id == 2 { return piece.filter { $0 != 0x0A } }
    return TokenizerStorage.respace(piece, SentencePieceEncoder.space)
  }

  private static func endsEarly(_ file: String, _ id: Int, _ size: Int) -> TokenizerError {
    TokenizerError(
      .malformed,
      "\(file) ends inside piece \(id) of \(size); it is truncated or belongs to another model. "
        + "Download it again.")
  }
}
