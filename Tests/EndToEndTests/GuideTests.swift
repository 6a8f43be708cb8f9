// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation
import Testing

extension RealModelTests {
  /// Guides over a vocabulary of 262,144 pieces.
  @Suite("Guides")
  struct GuideTests {
    private static let schema = Guide.jsonSchema(
      #"""
      {"type": "object", "additionalProperties": false, "required": ["name", "born", "email", "skills", "notes"],
        "properties": {
          "name": {"type": "string", "maxLength": 40},
          "born": {"type": "string", "format": "date"},
          "email": {"type": "string", "pattern": "^[a-z.]{1,20}@[a-z]{2,12}\\.(com|org)$"},
          "role": {"enum": ["engineer", "teacher", "doctor", "artist"]},
          "skills": {"type": "array", "items": {"type": "string", "maxLength": 20}, "minItems": 1, "maxItems": 5},
          "address": {"$ref": "#/$defs/address"},
          "notes": {"type": "string", "maxLength": 120}},
        "$defs": {"address": {"type": "object", "additionalProperties": false, "required": ["street", "zip"],
          "properties": {"street": {"type": "string", "maxLength": 30}, "zip": {"type": "integer", "minimum": 10000, "maximum": 99999}}}}}
      """#)

    @Test("masks are what trying a sample of the 262,144 tokens gives, along a drawn answer")
    func masks() throws {
      let model = try RealModel.fast()
      let guide = try model.guides.compiled(Self.schema)
      let program = try Self.schema.program()
      let tokenizer = model.tokenizer
      var session = try Session(model)
      var options = GenerationOptions(
        sampling: Sampling(temperature: 1.3, topK: 0, topP: 1, seed: 4), maxTokens: 150)
      options.guide = Self.schema
      var ids: [TokenID] = []
      try session.generate(model.prompt("A person as JSON: "), options: options) {
        if case .token(let token) = $0 { ids.append(token.id) }
      }
      var matcher = GuideMatcher(guide)
      var machine = GrammarMachine(program)
      var state = machine.start
      for (index, id) in ids.enumerated() where !tokenizer.special.stop.contains(id) {
        let mask = try matcher.mask()
        #expect(mask.contains(id))
        for token in stride(from: TokenID(index % 37), to: TokenID(mask.words.count * 64), by: 37) {
          var isExpected = false
          switch tokenizer.kind(token) {
          case .normal, .userDefined, .byte:
            let next = machine.next(state, tokenizer.bytes(of: token))
            isExpected = machine.isAlive(next)
          case .control:
            isExpected = tokenizer.special.stop.contains(token) && machine.isAccepting(state)
          default: break
          }
          #expect(mask.contains(token) == isExpected, "token \(token) after \(index) tokens")
        }
        matcher.accept(id)
        state = machine.next(state, tokenizer.bytes(of: id))
      }
    }

    @Test("cost little: the figures are printed")
    func costs() throws {
      let model = try RealModel.fast()
      let clock = ContinuousClock()
      for (name, wanted) in [("schema", Self.schema), ("any JSON", .jsonSchema("true"))] {
        var vocabulary: GuideVocabulary?
        let trie = clock.measure {
          vocabulary = GuideVocabulary(model.tokenizer, count: model.configuration.vocabulary)
        }
        var program: GrammarProgram?
        let compile = try clock.measure { program = try wanted.program() }
        let guide = CompiledGuide(try #require(program), try #require(vocabulary))
        for round in 1...3 {
          let ids = try Self.answer(wanted, model, seed: UInt64(round))
          let figures = try Self.costs(of: ids, along: guide)
          print(
            "\(name), answer \(round): trie \(Self.milliseconds(trie)), compile "
              + "\(Self.milliseconds(compile)), \(ids.count) tokens, \(figures)")
        }
        // Generous: machines differ, and other work disturbs.
        #expect(trie < .seconds(3) && compile < .milliseconds(500))
      }
    }

    private static func milliseconds(_ time: Duration) -> String {
      "\((time / .milliseconds(1) * 1000).rounded() / 1000) ms"
    }

    private static func answer(
      _ guide: Guide, _ model: LanguageModel, seed: UInt64
    ) throws -> [TokenID] {
      var session = try Session(model)
      var options = GenerationOptions(
        sampling: Sampling(temperature: 1, seed: seed), maxTokens: 200)
      options.guide = guide
      var ids: [TokenID] = []
      try session.generate(model.prompt("A person as JSON: "), options: options) {
        if case .token(let token) = $0 { ids.append(token.id) }
      }
      return ids.filter { !model.tokenizer.special.stop.contains($0) }
    }

    /// What masks and steps take along an answer.
    private static func costs(of ids: [TokenID], along guide: CompiledGuide) throws -> String {
      let clock = ContinuousClock()
      var matcher = GuideMatcher(guide)
      var (masks, most, steps) = (Duration.zero, Duration.zero, Duration.zero)
      for id in ids {
        let mask = try clock.measure { _ = try matcher.mask() }
        steps += clock.measure {
          _ = matcher.forcedTokens(most: 64)
          matcher.accept(id)
        }
        masks += mask
        most = max(most, mask)
      }
      return
        "mask \(milliseconds(masks / ids.count)) mean, \(milliseconds(most)) most, steps "
        + "\(milliseconds(steps / ids.count)) mean"
    }
  }
}
