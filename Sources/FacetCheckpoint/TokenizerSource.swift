// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where a model keeps its tokenizer: neutral data, which FacetTokenizer understands.
public enum TokenizerSource: Sendable {
  /// Pieces in the metadata of a GGUF file.
  case gguf(GGUFTokenizer)
}
