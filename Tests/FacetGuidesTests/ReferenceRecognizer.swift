// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides

/// Says by definition whether a text follows a grammar.
///
/// It finds which ends an expression can reach from each place, with rules solved as the least fixed
/// point. No automaton, no stack, no counters.
struct ReferenceRecognizer {
  private struct Call: Hashable {
    var rule: Int
    var start: Int
  }

  let grammar: Grammar
  let text: [UInt8]
  private var ends: [Call: Set<Int>] = [:]
  private var isChanged = false

  static func accepts(_ grammar: Grammar, _ text: [UInt8]) -> Bool {
    var recognizer = ReferenceRecognizer(grammar: grammar, text: text)
    return recognizer.solve().contains(text.count)
  }

  private init(grammar: Grammar, text: [UInt8]) {
    self.grammar = grammar
    self.text = text
  }

  private mutating func solve() -> Set<Int> {
    repeat {
      isChanged = false
      for call in Array(ends.keys) + [Call(rule: grammar.root, start: 0)] {
        let found = reach(grammar.rules[call.rule].expression, call.start)
        if found != ends[call] {
          ends[call] = found
          isChanged = true
        }
      }
    } while isChanged
    return ends[Call(rule: grammar.root, start: 0)] ?? []
  }

  private mutating func reach(_ expression: GrammarExpression, _ start: Int) -> Set<Int> {
    switch expression {
    case .bytes(let bytes):
      return text[start...].starts(with: bytes) ? [start + bytes.count] : []
    case .scalars(let set):
      // Decoded by the standard library, not by our own ranges of bytes.
      for count in 1...4 where start + count <= text.count {
        if let part = String(validating: text[start..<start + count], as: UTF8.self),
          part.unicodeScalars.count == 1, let scalar = part.unicodeScalars.first
        {
          return set.contains(scalar.value) ? [start + count] : []
        }
      }
      return []
    case .sequence(let parts):
      return parts.reduce([start]) { places, part in
        places.reduce(into: []) { $0.formUnion(reach(part, $1)) }
      }
    case .choice(let parts): return parts.reduce(into: []) { $0.formUnion(reach($1, start)) }
    case .repeated(let part, let min, let max): return repeated(part, min, max, start)
    case .rule(let rule):
      let call = Call(rule: rule, start: start)
      if ends[call] == nil {
        ends[call] = []
        isChanged = true
      }
      return ends[call] ?? []
    case .graph(let graph): return walk(graph, start)
    }
  }

  private mutating func repeated(
    _ part: GrammarExpression, _ min: Int, _ max: Int?, _ start: Int
  ) -> Set<Int> {
    var result: Set<Int> = min == 0 ? [start] : []
    var places: Set<Int> = [start]
    var seen: Set<Set<Int>> = []
    var count = 0
    while count < max ?? .max, !places.isEmpty {
      places = places.reduce(into: []) { $0.formUnion(reach(part, $1)) }
      count += 1
      if count >= min {
        result.formUnion(places)
        // The same places again add nothing, however often.
        if !seen.insert(places).inserted { break }
      }
    }
    return result
  }

  private mutating func walk(_ graph: GrammarGraph, _ start: Int) -> Set<Int> {
    struct Place: Hashable {
      var state: Int
      var offset: Int
    }
    var seen: Set<Place> = [Place(state: 0, offset: start)]
    var work = Array(seen)
    while let place = work.popLast() {
      for edge in graph.edges[place.state] {
        for end in reach(edge.label, place.offset) {
          let next = Place(state: edge.target, offset: end)
          if seen.insert(next).inserted { work.append(next) }
        }
      }
    }
    return Set(seen.filter { graph.accepting.contains($0.state) }.map(\.offset))
  }
}
