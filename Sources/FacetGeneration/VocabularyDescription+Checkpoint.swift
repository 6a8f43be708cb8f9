// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetCheckpoint
package import FacetTokenizer

extension Tokenizer {
  /// Builds the tokenizer that a checkpoint carries (docs/adr/0002-transitive-arrows.md).
  package init(_ checkpoint: Checkpoint) throws {
    var description = try VocabularyDescription(checkpoint.tokenizer)
    description.additionalStops += checkpoint.generationDefaults.stopTokens
    try self.init(description)
  }
}

extension VocabularyDescription {
  /// Reads the vocabulary where the checkpoint says it is.
  init(_ source: TokenizerSource) throws {
    switch source {
    case .gguf(let tokenizer): try self.init(tokenizer)
    case .sentencePiece(let file, let settings):
      try self.init(sentencePieceModel: file.bytes(), file: file.path)
      apply(settings)
    case .json(let file, let settings):
      try self.init(tokenizerJSON: file.bytes(), file: file.path)
      apply(settings)
    case .llama2c(let file, let size):
      try self.init(llama2C: file.bytes(), vocabularySize: size, file: file.path)
    }
  }

  private init(_ tokenizer: GGUFTokenizer) throws {
    let vocabulary = try tokenizer.vocabulary()
    let hasMerges = !vocabulary.mergeOffsets.isEmpty
    try self.init(
      ggufModel: tokenizer.model, pre: tokenizer.pre,
      pieces: PackedStrings(bytes: vocabulary.pieces, offsets: vocabulary.offsets),
      scores: vocabulary.scores, kinds: vocabulary.types,
      merges: hasMerges
        ? PackedStrings(bytes: vocabulary.merges, offsets: vocabulary.mergeOffsets)
        : PackedStrings(),
      addsSpacePrefix: tokenizer.addsSpacePrefix, addsBOS: tokenizer.addsBOS)
    bos = tokenizer.bos
    eos = tokenizer.eos
    unknown = tokenizer.unknown
    padding = tokenizer.padding
    endOfTurn = tokenizer.endOfTurn
  }

  /// What the files beside the tokenizer say outweighs what it says itself.
  private mutating func apply(_ settings: TokenizerSettings) {
    bos = settings.bos ?? bos
    eos = settings.eos ?? eos
    padding = settings.padding ?? padding
    addsBOS = settings.addsBOS ?? addsBOS
  }
}
