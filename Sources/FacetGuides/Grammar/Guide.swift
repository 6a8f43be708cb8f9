// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What an answer must look like: only tokens that lead to such a text are drawn.
///
/// docs/guided-generation.md says what of each form is supported; what is not is refused before the
/// first token, never passed over.
public enum Guide: Sendable, Hashable, Codable {
  /// JSON that holds to a JSON Schema (draft 2020-12), given as its text; `true` allows any JSON.
  case jsonSchema(String)
  /// A text of the rule `root` of a grammar in GBNF, llama.cpp's form.
  case grammar(String)
  /// A text that matches a regular expression (ECMA-262) as a whole.
  case regularExpression(String)
  /// One of these texts.
  case choices([String])
  /// Text that may call tools, each call being well formed.
  indirect case toolCalls(ToolGuide)

  /// Refuses what is malformed or not supported with a sentence that says where.
  public func validate() throws(GuideError) { _ = try program() }

  /// The grammar of the texts that the guide allows.
  package func grammar() throws(GuideError) -> Grammar {
    switch self {
    case .jsonSchema(let text): return try SchemaCompiler.grammar(text)
    case .grammar(let text): return try GBNFParser.parse(text)
    case .regularExpression(let pattern): return try RegularExpression.grammar(pattern)
    case .choices(let texts):
      guard !texts.isEmpty, !texts.contains("") else {
        throw GuideError(
          "The list of choices is empty or has an empty text; give texts to choose from."
        )
      }
      return Grammar(.oneOf(texts.map { Array($0.utf8) }))
    case .toolCalls(let guide): return try guide.grammar()
    }
  }

  /// Whether every byte of the answer is the guide's, a space at its beginning too.
  package var isExact: Bool { if case .toolCalls = self { false } else { true } }

  /// Whether stop texts may be given beside it: text around calls of tools is like any other.
  package var allowsStopTexts: Bool {
    if case .toolCalls(let guide) = self { guide.answer == nil } else { false }
  }

  /// The guide ready to be run.
  package func program() throws(GuideError) -> GrammarProgram {
    try GrammarProgram(grammar())
  }
}
