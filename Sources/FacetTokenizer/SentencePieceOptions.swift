// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How a vocabulary is trained, with sentencepiece's defaults (but bytes, which are on).
public struct SentencePieceOptions: Sendable, Hashable {
  /// A special piece: its text and its id.
  public struct Special: Sendable, Hashable {
    /// The text, such as `<bos>`.
    public var piece: String
    /// The id; negative: the vocabulary has no such piece.
    public var id: Int

    /// Names a piece.
    public init(_ piece: String, id: Int) {
      self.piece = piece
      self.id = id
    }
  }

  /// How many pieces the vocabulary has, all kinds together.
  public var vocabularySize: Int
  /// The share of the text's characters that must have pieces of their own.
  public var characterCoverage: Float = 0.9995
  /// Whether a space is put before each line.
  public var addsDummyPrefix = true
  /// Whether runs of spaces in the training text count as one, and those at a line's ends as none.
  ///
  /// Only training sees it: the vocabulary keeps text as it is.
  public var removesExtraSpaces = false
  /// Whether each digit is a piece of its own.
  public var splitsDigits = false
  /// Whether there are 256 pieces for bytes.
  public var bytePieces = true
  /// Texts that are always one token.
  public var userSymbols: [String] = []
  /// The most characters of a piece.
  public var maxPieceLength = 16
  /// Stands for what the vocabulary cannot express; needed.
  public var unknown = Special("<unk>", id: 0)
  /// Beginning of sequence.
  public var bos = Special("<s>", id: 1)
  /// End of sequence.
  public var eos = Special("</s>", id: 2)
  /// Fills up batches.
  public var padding = Special("<pad>", id: -1)

  /// The defaults for a vocabulary of this size.
  public init(vocabularySize: Int) { self.vocabularySize = vocabularySize }

  /// Gemma's special pieces: `<pad>` 0, `<eos>` 1, `<bos>` 2, `<unk>` 3.
  public mutating func useGemmaSpecials() {
    padding = Special("<pad>", id: 0)
    eos = Special("<eos>", id: 1)
    bos = Special("<bos>", id: 2)
    unknown = Special("<unk>", id: 3)
  }

  /// A piece that is there whatever the text.
  struct Meta {
    var piece: String
    var kind: PieceKind
  }

  /// Refuses options that no vocabulary can be trained with.
  public func validate() throws(TokenizerError) { _ = try metaPieces() }

  /// The pieces that do not come from the text, by id.
  func metaPieces() throws(TokenizerError) -> [Int: Meta] {
    try checkRanges()
    var placed: [Int: Meta] = [:]
    var texts: Set<String> = []
    for (special, kind) in [(unknown, PieceKind.unknown), (bos, .control), (eos, .control)]
      + [(padding, .control)]
    where special.id >= 0 {
      guard special.id < vocabularySize else {
        throw refuse(
          "The id of '\(special.piece)' is \(special.id), but a vocabulary of \(vocabularySize) pieces "
            + "ends at \(vocabularySize - 1). Choose a smaller id.")
      }
      if let other = placed.updateValue(Meta(piece: special.piece, kind: kind), forKey: special.id)
      {
        throw refuse(
          "'\(other.piece)' and '\(special.piece)' both have the id \(special.id). Give each its own."
        )
      }
      try insert(special.piece, into: &texts)
    }
    var next = 0
    func place(_ piece: String, _ kind: PieceKind) {
      while placed[next] != nil { next += 1 }
      placed[next] = Meta(piece: piece, kind: kind)
    }
    for symbol in userSymbols {
      try insert(symbol, into: &texts)
      place(symbol, .userDefined)
    }
    guard bytePieces else { return placed }
    for byte in UInt8.min...UInt8.max {
      let digits = String(byte, radix: 16, uppercase: true)
      let piece = "<0x\(byte < 16 ? "0" : "")\(digits)>"
      try insert(piece, into: &texts)
      place(piece, .byte)
    }
    return placed
  }

  private func checkRanges() throws(TokenizerError) {
    guard 1...1 << 24 ~= vocabularySize else {
      throw refuse("A vocabulary has from 1 to 16777216 pieces, not \(vocabularySize).")
    }
    guard characterCoverage > 0, characterCoverage <= 1 else {
      throw refuse(
        "The character coverage is \(characterCoverage); it is a share above 0 and at most 1, such as "
          + "0.9995.")
    }
    guard 1...512 ~= maxPieceLength else {
      throw refuse("A piece has at most from 1 to 512 characters, not \(maxPieceLength).")
    }
    guard unknown.id >= 0 else {
      throw refuse(
        "A vocabulary needs a piece for what it does not know; give it an id of 0 or more.")
    }
  }

  private func insert(_ piece: String, into texts: inout Set<String>) throws(TokenizerError) {
    guard !piece.isEmpty else { throw refuse("A special piece or symbol is empty. Name it.") }
    guard !piece.utf8.contains(where: { $0 <= 0x20 }), !piece.unicodeScalars.contains("▁") else {
      throw refuse(
        "The piece \(piece.debugDescription) holds white space, which a special piece or symbol cannot "
          + "have.")
    }
    guard texts.insert(piece).inserted else {
      throw refuse("The piece '\(piece)' is asked for twice. Name it once.")
    }
  }

  private func refuse(_ message: String) -> TokenizerError { TokenizerError(.training, message) }
}
