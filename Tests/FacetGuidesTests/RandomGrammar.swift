// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetTensor

/// Random grammars over a few characters, and random texts that they may allow.
struct RandomGrammar {
  var random: RandomGenerator

  init(seed: UInt64) { random = RandomGenerator(seed: seed) }

  mutating func below(_ count: Int) -> Int { Int(random.uniform() * Double(count)) }

  /// Three rules that may call each other.
  mutating func grammar() -> Grammar {
    let rules = (0..<3).map { index in
      Grammar.Rule(name: "r\(index)", expression: expression(depth: 3))
    }
    return Grammar(rules: rules, root: 0)
  }

  private mutating func expression(depth: Int) -> GrammarExpression {
    guard depth > 0 else { return leaf() }
    switch below(9) {
    case 0, 1, 2: return .sequence((0..<1 + below(3)).map { _ in expression(depth: depth - 1) })
    case 3, 4: return .choice((0..<1 + below(3)).map { _ in expression(depth: depth - 1) })
    case 5:
      let min = below(3)
      return .repeated(
        expression(depth: depth - 1), min: min, max: below(2) == 0 ? nil : min + below(3))
    case 6:
      // Too large to be written out: a counter.
      let min = below(4)
      return .repeated(
        .choice([leaf(), leaf(), .text(String(repeating: "ab", count: 20))]), min: min,
        max: below(3) == 0 ? nil : min + 40)
    case 7: return .rule(below(3))
    default: return leaf()
    }
  }

  private mutating func leaf() -> GrammarExpression {
    switch below(6) {
    case 0: return .text("a")
    case 1: return .text("ab")
    case 2: return .scalars(ScalarSet([0x61...0x62, 0xE9...0xEA]))
    case 3: return .scalars(ScalarSet([0x62...0x63, 0x20AC...0x1F600]))
    case 4: return .empty
    default: return .text("c")
    }
  }

  /// A text that follows `grammar` where that comes to an end, otherwise part of one.
  mutating func text(of grammar: Grammar) -> [UInt8] {
    var budget = 40
    return text(of: grammar.rules[grammar.root].expression, grammar, &budget)
  }

  private mutating func text(
    of expression: GrammarExpression, _ grammar: Grammar, _ budget: inout Int
  ) -> [UInt8] {
    budget -= 1
    guard budget > 0 else { return [] }
    switch expression {
    case .bytes(let bytes): return bytes
    case .scalars(let set):
      let range = set.ranges[below(set.ranges.count)]
      let value = range.lowerBound + UInt32(below(range.count))
      return Unicode.Scalar(value).map { Array(String($0).utf8) } ?? []
    case .sequence(let parts):
      var result: [UInt8] = []
      for part in parts { result += text(of: part, grammar, &budget) }
      return result
    case .choice(let parts):
      return parts.isEmpty ? [] : text(of: parts[below(parts.count)], grammar, &budget)
    case .repeated(let part, let min, let max):
      var result: [UInt8] = []
      for _ in 0..<min + below(Swift.min(4, (max ?? min + 3) - min + 1)) {
        result += text(of: part, grammar, &budget)
      }
      return result
    case .rule(let rule): return text(of: grammar.rules[rule].expression, grammar, &budget)
    case .graph: return []
    }
  }

  /// `text` with a byte taken out, put in or changed, or nothing done to it.
  mutating func spoilt(_ text: [UInt8]) -> [UInt8] {
    var text = text
    let bytes: [UInt8] = [0x61, 0x62, 0x63, 0xC3, 0xA9, 0x80, 0xE2, 0xF0]
    switch below(5) {
    case 0 where !text.isEmpty: text.remove(at: below(text.count))
    case 1: text.insert(bytes[below(bytes.count)], at: below(text.count + 1))
    case 2 where !text.isEmpty: text[below(text.count)] = bytes[below(bytes.count)]
    case 3: text = (0..<below(8)).map { _ in bytes[below(bytes.count)] }
    default: break
    }
    return text
  }
}
