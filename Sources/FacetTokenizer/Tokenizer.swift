// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Turns text into tokens and back, exactly as the model's makers did.
///
/// Immutable, cheap to copy and safe to share. It is made from a `VocabularyDescription`, or read
/// from `tokenizer.model`, `tokenizer.json` or llama2.c's file.
public struct Tokenizer: Sendable {
  let storage: TokenizerStorage

  /// Builds the tables of a vocabulary; 262,144 pieces take a few hundredths of a second.
  public init(_ description: VocabularyDescription) throws(TokenizerError) {
    storage = try TokenizerStorage(description)
  }

  /// How many pieces the vocabulary has; ids are below this.
  public var vocabularySize: Int { storage.pieces.count }

  /// The tokens that carry structure.
  public var special: SpecialTokens { storage.special }

  /// What the names of control tokens in a text are.
  public enum SpecialTokenParsing: Sendable, Hashable {
    /// Text like any other: right for whatever a user wrote.
    case literal
    /// The control tokens that they name: right for rendered prompts.
    case recognized
  }

  /// The tokens of `text`.
  ///
  /// With `bos`, exactly one beginning-of-sequence token comes first, if the model wants one.
  public func encode(
    _ text: String, parsing: SpecialTokenParsing = .literal, bos: Bool = false
  ) -> [TokenID] {
    encode(utf8: Array(text.utf8), parsing: parsing, bos: bos)
  }

  /// The tokens of a text given as bytes; bytes that are not UTF-8 become byte tokens.
  public func encode(
    utf8 text: [UInt8], parsing: SpecialTokenParsing = .literal, bos: Bool = false
  ) -> [TokenID] {
    var output: [TokenID] = []
    output.reserveCapacity(text.count / 3 + 4)
    if bos, special.addsBOS, let token = special.bos { output.append(token) }
    let start = output.count
    encode(text, parsing, dummyPrefix: storage.dummyPrefix, into: &output)
    if start == 1, output.count > 1, output[1] == output[0] { output.removeFirst() }
    return output
  }

  /// The tokens of a text that goes on with another: no space is put before it.
  package func encode(continuation text: [UInt8]) -> [TokenID] {
    var output: [TokenID] = []
    encode(text, .literal, dummyPrefix: .none, into: &output)
    return output
  }

  /// Adds the tokens of a text, cut at the pieces that are found before merging.
  func encode(
    _ text: [UInt8], _ parsing: SpecialTokenParsing,
    dummyPrefix: VocabularyDescription.DummyPrefix, into output: inout [TokenID]
  ) {
    switch storage.encoder {
    case .sentencePiece(let encoder):
      var isFirst = true
      cut(text, at: parsing == .recognized ? .controls : .nothing, &output) { fragment, output in
        let prefixed = dummyPrefix == .everyFragment || (dummyPrefix == .start && isFirst)
        let omitted =
          storage.omitsDummyPrefixBeforeSpace
          && (fragment.first == 0x20 || fragment.starts(with: SentencePieceEncoder.space))
        encoder.encode(fragment, dummyPrefix: prefixed && !omitted, into: &output)
      } after: {
        isFirst = false
      }
    case .byteLevel(let encoder):
      cut(text, at: parsing == .recognized ? .controlsAndUserDefined : .userDefined, &output) {
        encoder.encode($0, into: &$1)
      } after: {
      }
    }
  }

  /// The pieces at which a text is cut.
  private enum Cuts { case nothing, controls, userDefined, controlsAndUserDefined }

  private func cut(
    _ text: [UInt8], at cuts: Cuts, _ output: inout [TokenID],
    fragment: (ArraySlice<UInt8>, inout [TokenID]) -> Void, after: () -> Void
  ) {
    var start = 0
    var index = 0
    let controls = cuts == .controls || cuts == .controlsAndUserDefined
    let trie = storage.inText
    while cuts != .nothing && !trie.isEmpty && index < text.count {
      guard let match = trie.longestMatch(in: text, from: index, to: text.count, controls: controls)
      else {
        index += 1
        continue
      }
      let begin = index
      index = match.end
      // SentencePiece finds its user-defined pieces itself, inside the fragment.
      if !match.isControl && cuts == .controls { continue }
      if start < begin { fragment(text[start..<begin], &output) }
      output.append(match.token)
      after()
      start = match.end
    }
    if start < text.count { fragment(text[start...], &output) }
  }
}
