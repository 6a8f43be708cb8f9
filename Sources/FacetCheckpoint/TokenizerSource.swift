// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where a model keeps its tokenizer: neutral data, which FacetTokenizer understands.
public enum TokenizerSource: Sendable {
  /// Pieces in the metadata of a GGUF file.
  case gguf(GGUFTokenizer)
  /// A SentencePiece model (tokenizer.model) of a Hugging Face directory.
  case sentencePiece(TokenizerFile, TokenizerSettings)
  /// A tokenizer.json of a Hugging Face directory.
  case json(TokenizerFile, TokenizerSettings)
  /// A tokenizer of llama2.c with this many pieces.
  case llama2c(TokenizerFile, vocabularySize: Int)
}

/// A tokenizer in a file of its own, read when asked.
public struct TokenizerFile: Sendable, Hashable {
  /// Where it is.
  public let path: String

  /// Names the file at `path`.
  public init(path: String) {
    self.path = path
  }

  /// The bytes of the file.
  public func bytes() throws(CheckpointError) -> [UInt8] { try FileSystem.read(path) }
}

/// What a Hugging Face directory says about its tokenizer outside of the tokenizer's file; nil
/// where it is silent.
public struct TokenizerSettings: Sendable, Hashable {
  /// The token before every text.
  public var bos: Int32?
  /// The token that ends a text, the first where there are several.
  public var eos: Int32?
  /// The token that fills up batches.
  public var padding: Int32?
  /// Whether a BOS is put before a text.
  public var addsBOS: Bool?
  /// Whether an EOS is put after a text.
  public var addsEOS: Bool?

  /// Makes settings; all may be left out.
  public init(
    bos: Int32? = nil, eos: Int32? = nil, padding: Int32? = nil, addsBOS: Bool? = nil,
    addsEOS: Bool? = nil
  ) {
    self.bos = bos
    self.eos = eos
    self.padding = padding
    self.addsBOS = addsBOS
    self.addsEOS = addsEOS
  }
}
