// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
import FacetTokenizer

extension ModelConverter {
  /// Writes the model at `source` (a GGUF file, a Hugging Face directory, a llama2.c checkpoint) to
  /// `path` with its tokenizer.
  public func convert(
    _ source: String, to path: String, progress: (ConversionEvent) throws -> Void = { _ in }
  ) throws -> ConversionSummary {
    let checkpoint = try Checkpoint.open(source)
    let tokenizer = checkpoint.format == .gguf ? nil : try TokenizerEntries(checkpoint)
    return try convert(checkpoint, tokenizer: tokenizer, to: path, progress: progress)
  }
}

extension TokenizerEntries {
  /// The tokenizer that `checkpoint` carries, in the form of a GGUF file.
  public init(_ checkpoint: Checkpoint) throws {
    let description = try VocabularyDescription(checkpoint.tokenizer)
    let pieces = (0..<description.pieces.count).map {
      String(decoding: description.pieces[$0], as: UTF8.self)
    }
    switch description.model {
    case .sentencePiece:
      self.init(
        model: "llama", pieces: pieces,
        scores: description.scores.isEmpty ? description.scoresOfMerges() : description.scores,
        kinds: description.resolvedKinds)
      addsSpacePrefix = description.dummyPrefix != .none
    case .byteLevel(let splitter):
      self.init(
        model: "gpt2", pre: splitter == .smolLM ? "smollm" : "gpt-2", pieces: pieces,
        kinds: description.resolvedKinds)
      merges = description.merges.map { "\($0) \($1)" }
    }
    bos = description.bos
    eos = description.eos
    unknown = description.unknown
    padding = description.padding
    endOfTurn =
      description.endOfTurn
      ?? checkpoint.generationDefaults.stopTokens.first { $0 != description.eos }
    addsBOS = description.addsBOS
    addsEOS = false
  }
}
