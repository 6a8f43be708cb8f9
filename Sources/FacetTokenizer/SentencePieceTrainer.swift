// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Trains a SentencePiece BPE vocabulary: text goes in by `add`, `train` learns the pieces.
///
/// The rules are those of sentencepiece's BPE trainer: words begin at spaces; of equally frequent
/// pairs the one with fewer characters is merged first, then the one whose bytes sort first. Counts
/// here are exact, where sentencepiece looks at the most frequent twentieth of the pairs and forgets
/// some overlaps, so that pieces may differ where frequencies are tied or nearly so.
public struct SentencePieceTrainer: Sendable {
  /// How it trains.
  public let options: SentencePieceOptions

  let meta: [Int: SentencePieceOptions.Meta]
  private var words: [[UInt8]: Int] = [:]
  private var rest: [UInt8] = []
  private var line = 0
  private let symbols: [[UInt8]]

  /// Words longer than this are counted in parts, so that no line takes quadratic time.
  private static let longestWord = 512
  /// Stands where a symbol of the user was; no piece holds it (nor a tab of the text).
  static let boundary: UInt8 = 0x09
  private static let marker: [UInt8] = [0xE2, 0x96, 0x81]

  /// Begins to train.
  public init(_ options: SentencePieceOptions) throws(TokenizerError) {
    self.options = options
    meta = try options.metaPieces()
    symbols = options.userSymbols.map { Array($0.utf8) }.sorted { $0.count > $1.count }
  }

  /// Reads the next part of a file, which may end anywhere; errors name the file.
  public mutating func add(_ bytes: some Sequence<UInt8>, file: String) throws(TokenizerError) {
    for byte in bytes {
      if byte == 0x0A { try endLine(file) } else { rest.append(byte) }
    }
  }

  /// Ends a file: the last line needs no newline.
  public mutating func endFile(_ file: String) throws(TokenizerError) {
    if !rest.isEmpty { try endLine(file) }
    line = 0
  }

  /// Learns the pieces.
  public func train() throws(TokenizerError) -> SentencePieceVocabulary {
    guard !words.isEmpty else {
      throw TokenizerError(
        .training, "The text to train on is empty. Name files with lines of text.")
    }
    // Places of symbols have 32 bits.
    guard words.keys.reduce(0, { $0 + $1.count }) < 1 << 31 else {
      throw TokenizerError(
        .training, "The text's different words take 2 GiB or more. Train on a part of the text.")
    }
    let required = requiredCharacters()
    let least = meta.count + required.count
    guard options.vocabularySize >= least else {
      throw TokenizerError(
        .training,
        "A vocabulary of \(options.vocabularySize) pieces is too small: \(meta.count) special pieces and "
          + "\(required.count) characters need \(least). Ask for at least \(least), or for a lower "
          + "character coverage.")
    }
    var merges = SentencePieceMerges(
      words: words, required: required, taken: meta.values.map { Array($0.piece.utf8) },
      options: options)
    let learnt = merges.learn(atMost: options.vocabularySize - least)
    guard least + learnt.count == options.vocabularySize else {
      let most = least + learnt.count
      throw TokenizerError(
        .training,
        "The text supports a vocabulary of at most \(most) pieces, not \(options.vocabularySize). Ask "
          + "for \(most), or train on more text.")
    }
    let characters = required.map {
      Array(String(Unicode.Scalar($0).map(Character.init) ?? "?").utf8)
    }
    return SentencePieceVocabulary(options: options, meta: meta, learnt: learnt + characters)
  }

  /// The characters that need pieces, most frequent first, as many as the coverage asks.
  private func requiredCharacters() -> [UInt32] {
    var counts: [UInt32: Int] = [:]
    for (word, count) in words {
      for scalar in String(decoding: word, as: UTF8.self).unicodeScalars where scalar.value != 0 {
        counts[scalar.value, default: 0] += count
      }
    }
    let all = counts.values.reduce(0, +)
    let taken = Set(meta.values.map(\.piece))
    var covered = 0
    var required: [UInt32] = []
    for (scalar, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      if Float(covered) / Float(all) >= options.characterCoverage { break }
      covered += count
      guard scalar != UInt32(Self.boundary), let character = Unicode.Scalar(scalar),
        !taken.contains(String(Character(character)))
      else { continue }
      required.append(scalar)
    }
    return required
  }

  private mutating func endLine(_ file: String) throws(TokenizerError) {
    line += 1
    if rest.last == 0x0D { rest.removeLast() }
    defer { rest.removeAll(keepingCapacity: true) }
    guard String(validating: rest, as: UTF8.self) != nil else {
      throw TokenizerError(
        .training,
        "Line \(line) of '\(file)' is not UTF-8. Convert the file, or leave the line out.")
    }
    var text = options.removesExtraSpaces ? Self.squeezed(rest) : rest
    guard !text.isEmpty else { return }
    if options.addsDummyPrefix { text.insert(0x20, at: 0) }
    if !symbols.isEmpty { text = withoutSymbols(text) }
    count(text)
  }

  private static func squeezed(_ line: [UInt8]) -> [UInt8] {
    Array(line.split(separator: 0x20).joined(separator: [0x20]))
  }

  private func withoutSymbols(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    while position < text.count {
      if let symbol = symbols.first(where: { text[position...].starts(with: $0) }) {
        result.append(Self.boundary)
        position += symbol.count
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  /// Counts a line's words: each begins at a space, written ▁.
  private mutating func count(_ text: [UInt8]) {
    var word: [UInt8] = []
    var length = 0
    var position = 0
    while position < text.count {
      let size = text[position] == 0x20 ? 1 : UTF8Scan.characterLength(text, position, text.count)
      let isSpace =
        text[position] == 0x20
        || size == 3 && text[position..<position + 3].elementsEqual(Self.marker)
      if !word.isEmpty, isSpace || length == Self.longestWord {
        words[word, default: 0] += 1
        word.removeAll(keepingCapacity: true)
        length = 0
      }
      word += isSpace ? Self.marker[...] : text[position..<position + size]
      length += 1
      position += size
    }
    if !word.isEmpty { words[word, default: 0] += 1 }
  }
}
