// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Everything that a tokenizer knows, built once and shared by its copies.
final class TokenizerStorage: Sendable {
  /// Which algorithm merges.
  enum Encoder: Sendable {
    case sentencePiece(SentencePieceEncoder)
    case byteLevel(ByteLevelEncoder)
  }

  let pieces: PackedStrings
  let kinds: [UInt8]
  let special: SpecialTokens
  let dummyPrefix: VocabularyDescription.DummyPrefix
  let omitsDummyPrefixBeforeSpace: Bool
  let encoder: Encoder
  /// Control and user-defined pieces as they stand in a text.
  let inText: PieceTrie
  /// Finds mergeable pieces, and the others.
  let mergeable: PieceTable
  let structural: PieceTable
  /// The value of each byte piece, by id; empty for byte-level vocabularies.
  let byteValues: [TokenID: UInt8]

  init(_ description: VocabularyDescription) throws(TokenizerError) {
    try Self.check(description)
    let isByteLevel = description.model != .sentencePiece
    pieces = description.pieces
    let kinds = Self.kinds(description)
    self.kinds = kinds
    dummyPrefix = description.dummyPrefix
    omitsDummyPrefixBeforeSpace = description.omitsDummyPrefixBeforeSpace

    let ids = 0..<description.pieces.count
    let others = ids.filter { !Self.isMergeable(kinds[$0]) }
    mergeable =
      others.isEmpty
      ? PieceTable(pieces, ids: ids)
      : PieceTable(pieces, ids: ids.filter { Self.isMergeable(kinds[$0]) })
    structural = PieceTable(pieces, ids: others)
    special = Self.special(description, kinds, structural, mergeable)
    inText = Self.trie(pieces, kinds, spaces: isByteLevel ? nil : [0x20], controls: true)

    var byteValues: [TokenID: UInt8] = [:]
    for id in others where kinds[id] == PieceKind.byte.rawValue {
      byteValues[TokenID(id)] = Self.byteValue(pieces[id])
    }
    self.byteValues = byteValues
    if case .byteLevel(let splitter) = description.model {
      encoder = .byteLevel(try Self.byteLevel(description, splitter, kinds, mergeable, structural))
    } else {
      encoder = .sentencePiece(
        try Self.sentencePiece(description, kinds, mergeable, structural, byteValues))
    }
  }

  static func isMergeable(_ kind: UInt8) -> Bool {
    kind == PieceKind.normal.rawValue || kind == PieceKind.userDefined.rawValue
      || kind == PieceKind.unused.rawValue
  }

  private static func check(_ description: VocabularyDescription) throws(TokenizerError) {
    let count = description.pieces.count
    guard count > 0, count < 1 << 30 else {
      throw TokenizerError(
        .malformed, "The vocabulary has \(count) pieces; it needs between 1 and 2^30.")
    }
    for (name, values) in [
      ("scores", description.scores.count), ("kinds", description.kinds.count),
    ]
    where values != 0 && values != count {
      throw TokenizerError(
        .malformed, "The vocabulary has \(count) pieces but \(values) \(name); one file, one count."
      )
    }
    let ids: [(String, TokenID?)] = [
      ("bos", description.bos), ("eos", description.eos), ("unknown", description.unknown),
      ("padding", description.padding), ("end-of-turn", description.endOfTurn),
    ]
    for case (let name, let id?) in ids where id < 0 || Int(id) >= count {
      throw TokenizerError(
        .malformed, "The \(name) token is \(id), but the vocabulary has only \(count) pieces.")
    }
  }

  /// The kinds, with the markers of chat formats turned into control pieces.
  static func kinds(_ description: VocabularyDescription) -> [UInt8] {
    let pieces = description.pieces
    var kinds = description.kinds
    if kinds.isEmpty { kinds = [UInt8](repeating: PieceKind.normal.rawValue, count: pieces.count) }
    for id in kinds.indices where kinds[id] != PieceKind.control.rawValue {
      let range = pieces.range(id)
      // Only `<…>` and `[…]` can be markers; the test keeps this loop at one byte per piece.
      guard range.count > 3, range.count < 32,
        pieces.bytes[range.lowerBound] == 0x3C || pieces.bytes[range.lowerBound] == 0x5B,
        kinds[id] == PieceKind.normal.rawValue || kinds[id] == PieceKind.userDefined.rawValue
      else { continue }
      let name = String(decoding: pieces[id], as: UTF8.self)
      if SpecialTokens.controlNames.contains(name) || isPlaceholder(name) {
        kinds[id] = PieceKind.control.rawValue
      }
    }
    return kinds
  }

  /// Whether a piece is one of Gemma's reserved ones: `<unused0>` and so on.
  private static func isPlaceholder(_ name: String) -> Bool {
    name.hasPrefix("<unused") && name.hasSuffix(">")
      && name.utf8.dropFirst(7).dropLast().allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func special(
    _ description: VocabularyDescription, _ kinds: [UInt8], _ structural: PieceTable,
    _ mergeable: PieceTable
  ) -> SpecialTokens {
    let endOfTurn =
      description.endOfTurn
      ?? SpecialTokens.endOfTurnNames.lazy.compactMap { structural.find($0.utf8) }.first
    let stop = [description.eos, endOfTurn].compactMap { $0 } + description.additionalStops
    return SpecialTokens(
      bos: description.bos, eos: description.eos, unknown: description.unknown,
      padding: description.padding, endOfTurn: endOfTurn, addsBOS: description.addsBOS,
      stop: Set(stop))
  }

  /// The pieces that are looked for in a text before merging, with `spaces` for ▁.
  static func trie(
    _ pieces: PackedStrings, _ kinds: [UInt8], spaces: [UInt8]?, controls: Bool
  ) -> PieceTrie {
    var trie = PieceTrie()
    for id in kinds.indices {
      let isControl = kinds[id] == PieceKind.control.rawValue
      guard isControl ? controls : kinds[id] == PieceKind.userDefined.rawValue else { continue }
      let piece = spaces.map { respace(pieces[id], $0) } ?? [UInt8](pieces[id])
      trie.insert(piece, token: TokenID(id), isControl: isControl)
    }
    return trie
  }

  /// `piece` with every space, plain or ▁, written as `space`.
  static func respace(_ piece: ArraySlice<UInt8>, _ space: [UInt8]) -> [UInt8] {
    let text = [UInt8](piece)
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      if text[index] == 0x20 {
        result += space
        index += 1
      } else if SentencePieceEncoder.isSpace(text, index) {
        result += space
        index += 3
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  /// The byte that `<0x0A>` names.
  static func byteValue(_ piece: ArraySlice<UInt8>) -> UInt8? {
    guard piece.count == 6, piece.starts(with: "<0x".utf8), piece.last == 0x3E else { return nil }
    return UInt8(String(decoding: piece.dropFirst(3).dropLast(), as: UTF8.self), radix: 16)
  }
}
