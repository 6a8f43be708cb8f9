// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension VocabularyDescription {
  /// Describes the vocabulary of a GGUF file from its `tokenizer.ggml` entries.
  ///
  /// - Parameters:
  ///   - name: `tokenizer.ggml.model`: `llama` (SentencePiece) or `gpt2` (byte-level BPE).
  ///   - pre: `tokenizer.ggml.pre`, which names the word pattern of byte-level BPE.
  ///   - pieces: `tokenizer.ggml.tokens`.
  ///   - scores: `tokenizer.ggml.scores`.
  ///   - kinds: `tokenizer.ggml.token_type`.
  ///   - merges: `tokenizer.ggml.merges`.
  ///   - addsSpacePrefix: `tokenizer.ggml.add_space_prefix`; Llama's files are silent and mean yes.
  ///   - addsBOS: `tokenizer.ggml.add_bos_token`; SentencePiece files that are silent mean yes.
  public init(
    ggufModel name: String, pre: String?, pieces: PackedStrings, scores: [Float], kinds: [UInt8],
    merges: PackedStrings, addsSpacePrefix: Bool?, addsBOS: Bool?
  ) throws(TokenizerError) {
    switch name {
    case "llama":
      self.init(
        model: .sentencePiece, pieces: pieces, scores: scores, kinds: kinds,
        dummyPrefix: addsSpacePrefix ?? true ? .everyFragment : .none, addsBOS: addsBOS ?? true)
    case "gpt2":
      self.init(
        model: .byteLevel(try Self.splitter(pre)), pieces: pieces, kinds: kinds, mergeTexts: merges,
        addsBOS: addsBOS ?? false)
    default:
      throw TokenizerError(
        .unsupported,
        "The file's tokenizer is of type '\(name)'; Facet reads 'llama' (SentencePiece) and 'gpt2' "
          + "(byte-level BPE).")
    }
  }

  /// The word pattern that a GGUF file names.
  private static func splitter(_ pre: String?) throws(TokenizerError) -> WordSplitter {
    switch pre ?? "default" {
    // Files that say nothing, or `default`, were converted before the entry existed, from models
    // with GPT-2's own pattern.
    case "gpt-2", "gpt2", "default": return .gpt2
    case "smollm": return .smolLM
    case let other:
      throw TokenizerError(
        .unsupported,
        "The file's byte-level BPE cuts words by the rule '\(other)'; Facet knows 'gpt-2' and "
          + "'smollm'.")
    }
  }
}
