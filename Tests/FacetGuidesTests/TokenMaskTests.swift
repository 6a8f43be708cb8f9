// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetTensor
import FacetTestSupport
import FacetTokenizer
import Foundation
import Testing

@Suite("Token masks")
struct TokenMaskTests {
  static let guides: [Guide] = [
    .jsonSchema("true"),
    .jsonSchema(
      #"""
      {"type": "object", "required": ["name", "tags"], "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 9},
        "age": {"type": "integer", "minimum": 3, "maximum": 250},
        "tags": {"type": "array", "items": {"enum": ["red", "reddish", "blue"]}, "maxItems": 70},
        "when": {"type": "string", "format": "date"},
        "next": {"$ref": "#"}}}
      """#),
    .regularExpression("[a-z ]{3,200}(ing|ed)?\\.?"),
    .regularExpression("(é|ü|[あ-ん])*x{70,}"),
    .grammar(
      #"""
      root ::= ws item (ws "," ws item){0,90} ws
      item ::= word | "(" root ")"
      word ::= [^\x00-\x1F(),]+
      ws ::= [ \n]*
      """#),
    // Written out for every length: many nodes, each seldom seen.
    .jsonSchema(#"{"type": "string", "pattern": "[0-9]|é", "maxLength": 60}"#),
    .choices(["the", "then", "there", "a", "of the people"]),
  ]

  /// The tokenizer of a fixture.
  static func tokenizer(_ fixture: String) throws -> Tokenizer {
    let path = Goldens.path("fixtures/\(fixture)/hf/tokenizer.model")
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    return try Tokenizer(VocabularyDescription(sentencePieceModel: bytes))
  }

  /// The tokens that lead on from the text so far, each one tried.
  static func bruteForce(
    _ vocabulary: GuideVocabulary, _ machine: inout GrammarMachine, _ state: GrammarMachine.State,
    tokens: some Sequence<TokenID>
  ) -> [TokenID] {
    let tokenizer = vocabulary.tokenizer
    return tokens.filter { token in
      if vocabulary.stops.contains(token) { return machine.isAccepting(state) }
      switch tokenizer.kind(token) {
      case .normal, .userDefined, .byte: break
      case .control, .unknown, .unused, nil: return false
      }
      let bytes = tokenizer.bytes(of: token)
      let next = machine.next(state, bytes)
      return !bytes.isEmpty && machine.isAlive(next)
    }
  }

  @Test(
    "are what trying every token gives, along random texts",
    arguments: ["gemma3", "llama"])
  func bruteForce(fixture: String) throws {
    let tokenizer = try Self.tokenizer(fixture)
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    let vocabulary = GuideVocabulary(tokenizer, count: tokenizer.vocabularySize)
    for guide in Self.guides {
      try compare(try guide.program(), vocabulary, &source, "\(guide), seed \(seed)")
    }
  }

  @Test("are what trying every token gives, for random grammars and a random vocabulary")
  func randomGrammars() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("seed \(seed)")
    var source = RandomGrammar(seed: seed)
    var pieces = ["<eos>"]
    let letters = ["a", "b", "c", "é", "€", "ab", "abab"]
    while pieces.count < 400 {
      let piece = (0..<1 + source.below(5)).map { _ in letters[source.below(letters.count)] }
        .joined()
      if !pieces.contains(piece) { pieces.append(piece) }
    }
    let count = pieces.count
    pieces += (0..<256).map {
      "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">"
    }
    var strings = PackedStrings()
    for piece in pieces { strings.append(piece.utf8) }
    var description = VocabularyDescription(
      model: .sentencePiece, pieces: strings, scores: pieces.indices.map { -Float($0) },
      kinds: pieces.indices.map { $0 == 0 ? 3 : $0 < count ? 1 : 6 })
    description.eos = 0
    let vocabulary = GuideVocabulary(try Tokenizer(description), count: pieces.count)
    for _ in 0..<80 {
      let grammar = source.grammar()
      guard let program = try? GrammarProgram(grammar) else { continue }
      try compare(program, vocabulary, &source, "\(grammar), seed \(seed)")
    }
  }

  /// Follows random tokens and compares the masks on the way.
  private func compare(
    _ program: GrammarProgram, _ vocabulary: GuideVocabulary, _ source: inout RandomGrammar,
    _ what: String
  ) throws {
    let guide = CompiledGuide(program, vocabulary)
    for _ in 0..<2 {
      var matcher = GuideMatcher(guide)
      var machine = GrammarMachine(program)
      var state = machine.start
      for _ in 0..<40 {
        let expected = Self.bruteForce(
          vocabulary, &machine, state, tokens: 0..<TokenID(vocabulary.count))
        let mask = try matcher.mask()
        let found = (0..<TokenID(vocabulary.count)).filter(mask.contains)
        #expect(found == expected, "\(what)")
        let forced = matcher.forcedTokens(most: 8)
        #expect(forced.first.map(mask.contains) ?? true, "\(what)")
        let choice = expected.filter { !vocabulary.stops.contains($0) }
        guard !choice.isEmpty else { break }
        let next = forced.isEmpty ? [choice[source.below(choice.count)]] : forced
        for token in next {
          matcher.accept(token)
          state = machine.next(state, vocabulary.tokenizer.bytes(of: token))
        }
        #expect(machine.isAlive(state) && matcher.isAlive, "\(what)")
      }
    }
  }

  @Test(
    "forced tokens are the tokenizer's own for the forced text, less the last where more follows")
  func forced() throws {
    let tokenizer = try Self.tokenizer("gemma3")
    let vocabulary = GuideVocabulary(tokenizer, count: tokenizer.vocabularySize)
    let whole = "the cat sat on the mat"
    var matcher = GuideMatcher(CompiledGuide(try Guide.choices([whole]).program(), vocabulary))
    #expect(matcher.forcedTokens(most: 100) == tokenizer.encode(whole))
    #expect(matcher.forcedTokens(most: 2) == Array(tokenizer.encode(whole).prefix(2)))
    let open = Guide.regularExpression(whole + "[a-z]+")
    matcher = GuideMatcher(CompiledGuide(try open.program(), vocabulary))
    #expect(matcher.forcedTokens(most: 100) == tokenizer.encode(whole).dropLast())
    let either = Guide.choices(["the cat", "a dog"])
    matcher = GuideMatcher(CompiledGuide(try either.program(), vocabulary))
    #expect(matcher.forcedTokens(most: 100).isEmpty)
  }
}
