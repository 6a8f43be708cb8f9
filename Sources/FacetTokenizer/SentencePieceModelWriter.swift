// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A trained vocabulary: pieces, scores and kinds by id, and the options behind them.
public struct SentencePieceVocabulary: Sendable {
  /// How it was trained.
  public let options: SentencePieceOptions
  /// The pieces, by id.
  public private(set) var pieces = PackedStrings()
  /// The score of each: minus its place among those learnt; special pieces have 0.
  public private(set) var scores: [Float] = []
  /// The kind of each, as `PieceKind`'s raw values.
  public private(set) var kinds: [UInt8] = []

  init(
    options: SentencePieceOptions, meta: [Int: SentencePieceOptions.Meta], learnt: [[UInt8]]
  ) {
    self.options = options
    var next = 0
    for id in 0..<meta.count + learnt.count {
      if let special = meta[id] {
        pieces.append(special.piece.utf8)
        scores.append(0)
        kinds.append(special.kind.rawValue)
      } else if next < learnt.count {
        pieces.append(learnt[next])
        scores.append(-Float(next))
        kinds.append(PieceKind.normal.rawValue)
        next += 1
      }
    }
  }

  /// The bytes of a `tokenizer.model`: SentencePiece's `ModelProto`.
  public func model() -> [UInt8] {
    var file = ProtobufWriter()
    for id in 0..<pieces.count {
      var piece = ProtobufWriter()
      piece.bytes(1, pieces[id])
      piece.float(2, scores[id])
      if kinds[id] != PieceKind.normal.rawValue { piece.varint(3, Int64(kinds[id])) }
      file.bytes(1, piece.output)
    }
    file.bytes(2, trainer().output)
    var normalizer = ProtobufWriter()
    normalizer.bytes(1, "identity".utf8)
    normalizer.bytes(2, [])
    normalizer.varint(3, options.addsDummyPrefix ? 1 : 0)
    normalizer.varint(4, 0)
    normalizer.varint(5, 1)
    file.bytes(3, normalizer.output)
    return file.output
  }

  private func trainer() -> ProtobufWriter {
    var spec = ProtobufWriter()
    spec.varint(3, 2)  // BPE
    spec.varint(4, Int64(options.vocabularySize))
    spec.float(10, options.characterCoverage)
    spec.varint(20, Int64(options.maxPieceLength))
    spec.varint(25, options.splitsDigits ? 1 : 0)
    for symbol in options.userSymbols { spec.bytes(31, symbol.utf8) }
    spec.varint(35, options.bytePieces ? 1 : 0)
    let specials = [options.unknown, options.bos, options.eos, options.padding]
    for (index, special) in specials.enumerated() {
      spec.varint(40 + UInt64(index), special.id < 0 ? -1 : Int64(special.id))
    }
    for (index, special) in specials.enumerated() {
      spec.bytes(45 + UInt64(index), special.piece.utf8)
    }
    return spec
  }
}

/// Writes Protocol Buffers' wire format, field by field: the counterpart of `ProtobufReader`.
struct ProtobufWriter {
  private(set) var output: [UInt8] = []

  /// A whole number; negative ones take ten bytes, as the format wants.
  mutating func varint(_ field: UInt64, _ value: Int64) {
    raw(field << 3)
    raw(UInt64(bitPattern: value))
  }

  /// A number of 32 bits.
  mutating func float(_ field: UInt64, _ value: Float) {
    raw(field << 3 | 5)
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      output.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
    }
  }

  /// Text, bytes, or a message.
  mutating func bytes(_ field: UInt64, _ value: some Collection<UInt8>) {
    raw(field << 3 | 2)
    raw(UInt64(value.count))
    output.append(contentsOf: value)
  }

  private mutating func raw(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(truncatingIfNeeded: rest))
  }
}
