// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
import FacetModel
import FacetTokenizer

extension ModelConverter {
  /// Writes a model that has learned nothing yet to the GGUF file `path`: the architecture of config.json and
  /// the tokenizer of `directory`, weights from `seed`.
  public func initialize(
    _ directory: String, seed: UInt64, to path: String,
    progress: (ConversionEvent) throws -> Void = { _ in }
  ) throws -> ConversionSummary {
    let blank = try Checkpoint.blank(directory)
    let pieces = try Tokenizer(blank).vocabularySize
    guard let vocabulary = blank.architecture.vocabulary else {
      throw GenerationError(
        .mismatchedModel,
        "config.json of '\(directory)' does not say 'vocab_size'. The tokenizer has \(pieces) pieces."
      )
    }
    guard pieces >= vocabulary else {
      throw GenerationError(
        .mismatchedModel,
        "config.json of '\(directory)' wants \(vocabulary) tokens ('vocab_size'), and the tokenizer has "
          + "\(pieces) pieces. Make vocab_size \(pieces), or bring another tokenizer.")
    }
    let configuration = try ModelConfiguration(blank.architecture)
    let tensors = try configuration.randomTensors(
      seed: seed, deviation: blank.architecture.initializerRange ?? 0.02)
    return try convert(
      blank.replacing(tensors), tokenizer: try TokenizerEntries(blank), to: path,
      progress: progress)
  }
}
