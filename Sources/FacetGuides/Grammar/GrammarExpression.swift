// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a rule of a grammar stands for.
package indirect enum GrammarExpression: Sendable, Hashable {
  /// These bytes.
  case bytes([UInt8])
  /// One scalar of a set, in UTF-8.
  case scalars(ScalarSet)
  /// One after the other; none: the empty text.
  case sequence([GrammarExpression])
  /// One of them; none: no text at all.
  case choice([GrammarExpression])
  /// Several times, at least `min` and at most `max` (nil: any number).
  case repeated(GrammarExpression, min: Int, max: Int?)
  /// What a rule of the grammar stands for.
  case rule(Int)
  /// A path through a graph.
  case graph(GrammarGraph)

  /// The empty text.
  package static let empty = GrammarExpression.sequence([])
  /// No text at all.
  package static let nothing = GrammarExpression.choice([])

  /// A text.
  package static func text(_ text: String) -> GrammarExpression { .bytes([UInt8](text.utf8)) }

  /// The expression or the empty text.
  package var optional: GrammarExpression { .repeated(self, min: 0, max: 1) }

  /// One of `texts`, which share their beginnings so that many of them stay cheap.
  package static func oneOf(_ texts: [[UInt8]]) -> GrammarExpression {
    if texts.count == 1 { return .bytes(texts[0]) }
    var graph = GrammarGraph()
    var children: [[UInt8: Int]] = [[:]]
    for text in texts {
      var state = 0
      for byte in text {
        if let child = children[state][byte] {
          state = child
        } else {
          let child = graph.addState()
          children.append([:])
          children[state][byte] = child
          graph.add(.bytes([byte]), from: state, to: child)
          state = child
        }
      }
      graph.accepting.insert(state)
    }
    return .graph(graph)
  }
}

/// States and what leads from one to the other; state 0 is the beginning.
package struct GrammarGraph: Sendable, Hashable {
  /// What leads on from a state, and where to.
  package struct Edge: Sendable, Hashable {
    package var label: GrammarExpression
    package var target: Int
  }

  /// The edges that leave each state.
  package private(set) var edges: [[Edge]] = [[]]
  /// The states that a path may end in.
  package var accepting: Set<Int> = []

  /// One state, without edges.
  package init() {}

  /// Adds a state and returns its number.
  package mutating func addState() -> Int {
    edges.append([])
    return edges.count - 1
  }

  /// Adds an edge.
  package mutating func add(_ label: GrammarExpression, from: Int, to: Int) {
    edges[from].append(Edge(label: label, target: to))
  }
}

/// A context-free grammar over bytes.
package struct Grammar: Sendable, Hashable {
  /// A rule: its name, for messages, and what it stands for.
  package struct Rule: Sendable, Hashable {
    package var name: String
    package var expression: GrammarExpression

    package init(name: String, expression: GrammarExpression) {
      self.name = name
      self.expression = expression
    }
  }

  /// The rules.
  package var rules: [Rule]
  /// The rule that whole texts follow.
  package var root: Int

  package init(rules: [Rule], root: Int) {
    self.rules = rules
    self.root = root
  }

  /// A grammar of one rule.
  package init(_ expression: GrammarExpression) {
    self.init(rules: [Rule(name: "root", expression: expression)], root: 0)
  }

  /// Adds a rule and returns its number.
  package mutating func add(_ name: String, _ expression: GrammarExpression) -> Int {
    rules.append(Rule(name: name, expression: expression))
    return rules.count - 1
  }
}
