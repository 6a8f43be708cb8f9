// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a text is embedded for, in the words that EmbeddingGemma was trained with (its model card).
public enum EmbeddingPurpose: String, Sendable, Hashable, Codable, CaseIterable {
  /// A question, to find documents.
  case searchQuery
  /// A document, to be found.
  case document
  /// A question, to find what answers it.
  case questionAnswering
  /// A claim, to find what speaks for or against it.
  case factChecking
  /// A text, to be given a label.
  case classification
  /// A text, to be put with others like it.
  case clustering
  /// A text, to be compared with another.
  case similarity
  /// A question, to find code.
  case codeRetrieval

  /// `text` as the model wants to read it; a document may have a `title`.
  public func text(_ text: String, title: String? = nil) -> String {
    switch self {
    case .document: "title: \(title ?? "none") | text: \(text)"
    case .searchQuery: "task: search result | query: \(text)"
    case .questionAnswering: "task: question answering | query: \(text)"
    case .factChecking: "task: fact checking | query: \(text)"
    case .classification: "task: classification | query: \(text)"
    case .clustering: "task: clustering | query: \(text)"
    case .similarity: "task: sentence similarity | query: \(text)"
    case .codeRetrieval: "task: code retrieval | query: \(text)"
    }
  }
}
