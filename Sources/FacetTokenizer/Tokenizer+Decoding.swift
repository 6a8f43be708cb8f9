// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension Tokenizer {
  /// Where decoded tokens stand in their text.
  public enum DecodingStart: Sendable, Hashable {
    /// At its beginning: the space that Llama's and Mistral's encoding put there is taken away.
    case text
    /// After other text: every space is kept.
    case continuation
  }

  /// The text of `tokens`; bytes that are not UTF-8 become U+FFFD.
  public func decode(
    _ tokens: [TokenID], skippingControl: Bool = true, from start: DecodingStart = .text
  ) -> String {
    String(
      decoding: decodeBytes(tokens, skippingControl: skippingControl, from: start), as: UTF8.self)
  }

  /// The bytes of the text of `tokens`.
  public func decodeBytes(
    _ tokens: [TokenID], skippingControl: Bool = true, from start: DecodingStart = .text
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(tokens.count * 4)
    var isAtStart = start == .text
    for token in tokens {
      append(token, skippingControl: skippingControl, isAtStart: &isAtStart, to: &bytes)
    }
    return bytes
  }

  /// Adds the text of one token; `isAtStart` says whether a dummy space may still come.
  func append(
    _ token: TokenID, skippingControl: Bool, isAtStart: inout Bool, to bytes: inout [UInt8]
  ) {
    guard let kind = kind(token), !(skippingControl && kind == .control) else { return }
    let text = kind == .unknown ? Array(" \u{2047} ".utf8) : self.bytes(of: token)
    guard isAtStart, kind != .control, !text.isEmpty else {
      bytes += text
      return
    }
    isAtStart = false
    let hasDummySpace =
      storage.dummyPrefix != .none && kind != .byte && kind != .unknown && text.first == 0x20
    bytes += hasDummySpace ? text.dropFirst() : text[...]
  }

  /// The bytes that a token stands for: a control token's are its name, and an id outside the
  /// vocabulary has none.
  public func bytes(of token: TokenID) -> [UInt8] {
    guard let kind = kind(token) else { return [] }
    let piece = storage.pieces[Int(token)]
    switch (kind, storage.encoder) {
    case (.byte, _): return storage.byteValues[token].map { [$0] } ?? [UInt8](piece)
    case (.control, _), (.unknown, _), (.userDefined, .byteLevel): return [UInt8](piece)
    case (_, .sentencePiece): return TokenizerStorage.respace(piece, [0x20])
    case (_, .byteLevel): return ByteAlphabet.decode(piece) ?? [UInt8](piece)
    }
  }

  /// The piece as the vocabulary spells it (`▁the`, `Ġthe`); nil for an id outside the vocabulary.
  public func piece(_ token: TokenID) -> String? {
    guard kind(token) != nil else { return nil }
    return String(decoding: storage.pieces[Int(token)], as: UTF8.self)
  }

  /// The token that the vocabulary spells `piece`.
  public func token(forPiece piece: String) -> TokenID? {
    storage.structural.find(piece.utf8) ?? storage.mergeable.find(piece.utf8)
  }

  /// Whether a token is structure and not text.
  public func isControl(_ token: TokenID) -> Bool { kind(token) == .control }

  /// The kind of a token; nil for an id outside the vocabulary.
  public func kind(_ token: TokenID) -> PieceKind? {
    guard token >= 0, Int(token) < vocabularySize else { return nil }
    return PieceKind(rawValue: storage.kinds[Int(token)]) ?? .normal
  }
}
