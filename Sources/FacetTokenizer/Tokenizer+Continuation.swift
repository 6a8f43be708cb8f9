// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension Tokenizer {
  /// The tokens of a prompt and what follows it, encoded as one text, and where the second begins.
  ///
  /// A token that both share belongs to the completion.
  public func encode(
    prompt: String, completion: String, parsing: SpecialTokenParsing = .literal, bos: Bool = false
  ) -> (tokens: [TokenID], completionStart: Int) {
    let head = Array(prompt.utf8)
    let text = head + Array(completion.utf8)
    let tokens = encode(utf8: text, parsing: parsing, bos: bos)
    return (tokens, firstToken(of: text, from: head.count, in: tokens, after: 0))
  }

  /// The first of `tokens` that stands for one of the bytes of `text` from `offset` on, where the
  /// tokens from `start` to the end are those of `text`.
  ///
  /// Goes from the end of the text to its front. Unknown tokens stand for whatever lies between the
  /// known ones.
  func firstToken(of text: [UInt8], from offset: Int, in tokens: [TokenID], after start: Int) -> Int
  {
    let isSentencePiece = if case .sentencePiece = storage.encoder { true } else { false }
    var head = Array(text[..<offset])
    var text = text
    if isSentencePiece {
      // The first token may have a dummy prefix in it; a text without one never gets that far.
      let space = SentencePieceEncoder.space
      head = space + TokenizerStorage.respace(head[...], space)
      text = space + TokenizerStorage.respace(text[...], space)
    }
    var position = text.count
    var index = tokens.count
    var isAfterUnknown = false
    while index > start && position > head.count {
      index -= 1
      if kind(tokens[index]) == .unknown {
        isAfterUnknown = true
        continue
      }
      let piece = spelling(tokens[index], isSentencePiece)
      // Bytes that no token stands for are passed over.
      var end = position - (isAfterUnknown ? 1 : 0)
      while end >= piece.count && !Self.ends(text, end, with: piece) { end -= 1 }
      guard end >= piece.count else { continue }
      if end <= head.count { return index + 1 }
      position = end - piece.count
      isAfterUnknown = false
    }
    return index
  }

  /// A token's bytes as they stand in the text that the encoder sees.
  private func spelling(_ token: TokenID, _ isSentencePiece: Bool) -> [UInt8] {
    let isByte = kind(token) == .byte
    guard isSentencePiece, !isByte, token >= 0, Int(token) < vocabularySize else {
      return bytes(of: token)
    }
    return TokenizerStorage.respace(storage.pieces[Int(token)], SentencePieceEncoder.space)
  }

  private static func ends(_ text: [UInt8], _ end: Int, with piece: [UInt8]) -> Bool {
    var index = piece.count
    while index > 0 {
      index -= 1
      if text[end - piece.count + index] != piece[index] { return false }
    }
    return true
  }
}
