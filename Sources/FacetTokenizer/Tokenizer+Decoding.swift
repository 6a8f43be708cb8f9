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

  /// Adds the bytes that a token stands for, as ``bytes(of:)`` has them, to `bytes`.
  ///
  /// For going through a whole vocabulary: most pieces take no array of their own.
  package func appendBytes(of token: TokenID, to bytes: inout [UInt8]) {
    guard case .sentencePiece = storage.encoder, let kind = kind(token),
      kind == .normal || kind == .userDefined
    else {
      bytes += self.bytes(of: token)
      return
    }
    let range = storage.pieces.range(Int(token))
    let pieces = storage.pieces.bytes
    var index = range.lowerBound
    while index < range.upperBound {
      // ▁ is E2 96 81.
      if pieces[index] == 0xE2, index + 2 < range.upperBound, pieces[index + 1] == 0x96,
        pieces[index + 2] == 0x81
      {
        bytes.append(0x20)
        index += 3
      } else {
        bytes.append(pieces[index])
        index += 1
      }
    }
  }

  /// A number that vocabularies which spell every token alike share, and others do not.
  package var spellingFingerprint: UInt64 {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ word: UInt64) {
      value = (value ^ word) &* 0xff51_afd7_ed55_8ccd
      value ^= value >> 32
    }
    if case .byteLevel = storage.encoder { add(1) } else { add(2) }
    var word: UInt64 = 0
    for (index, byte) in storage.pieces.bytes.enumerated() {
      word = word << 8 | UInt64(byte)
      if index % 8 == 7 { add(word) }
    }
    add(word)
    for offset in storage.pieces.offsets { add(UInt64(offset)) }
    for kind in storage.kinds { add(UInt64(kind)) }
    return value
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
