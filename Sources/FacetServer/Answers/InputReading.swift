// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetTokenizer

/// A text, or the tokens that a client has made of one.
enum TextInput: Sendable {
  case text(String)
  case tokens([TokenID])

  /// The inputs under `key`: a text, several, tokens, or several lists of them.
  static func read(_ fields: Fields, _ key: String) throws(ServerError) -> [TextInput] {
    guard let value = fields[key] else { throw fields.missing(key) }
    if let text = value.string { return [.text(text)] }
    guard let values = value.array else {
      throw fields.wrong(key, "a string, an array of strings, or an array of token ids")
    }
    if let first = values.first, first.integer != nil {
      return [.tokens(try tokens(values, fields.path(key)))]
    }
    var inputs: [TextInput] = []
    for (index, value) in values.enumerated() {
      let path = "\(fields.path(key))[\(index)]"
      if let text = value.string {
        inputs.append(.text(text))
      } else if let list = value.array {
        inputs.append(.tokens(try tokens(list, path)))
      } else {
        throw Fields.wrong(path, "a string or an array of token ids")
      }
    }
    return inputs
  }

  /// The token ids of an array.
  static func tokens(_ values: [JSON], _ path: String) throws(ServerError) -> [TokenID] {
    var tokens: [TokenID] = []
    tokens.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard let number = value.integer, let token = TokenID(exactly: number), token >= 0 else {
        throw Fields.wrong("\(path)[\(index)]", "a token id")
      }
      tokens.append(token)
    }
    return tokens
  }

  /// The tokens, and how many of the first were not written by the client: the beginning of sequence.
  func tokens(_ tokenizer: Tokenizer) throws(ServerError) -> (tokens: [TokenID], added: Int) {
    switch self {
    case .text(let text):
      // A prompt that somebody has rendered may name its control tokens; the beginning comes once.
      let tokens = tokenizer.encode(text, parsing: .recognized, bos: true)
      let bos = tokenizer.special.bos.flatMap(tokenizer.piece)
      let isAdded = tokenizer.special.addsBOS && !(bos.map { text.hasPrefix($0) } ?? false)
      return (tokens, isAdded ? 1 : 0)
    case .tokens(let tokens):
      if let wrong = tokens.first(where: { Int($0) >= tokenizer.vocabularySize }) {
        throw ServerError(
          .invalidRequest,
          "The token \(wrong) is not in the vocabulary, which has \(tokenizer.vocabularySize) pieces."
        )
      }
      let (full, isAdded) = tokenizer.withBeginning(tokens)
      return (full, isAdded ? 1 : 0)
    }
  }
}
