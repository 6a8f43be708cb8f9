// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What is asked of a model of `/v1/models/{name}:verb`.
enum GeminiVerb: String, CaseIterable, Sendable {
  case generateContent, streamGenerateContent, countTokens, embedContent, batchEmbedContents

  /// The name and the verb of what stands after `/models/`; names have colons too.
  static func split(_ text: String) -> (name: String, verb: GeminiVerb)? {
    guard let colon = text.lastIndex(of: ":"),
      let verb = GeminiVerb(rawValue: String(text[text.index(after: colon)...]))
    else { return nil }
    return (String(text[..<colon]), verb)
  }
}
