// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A finite automaton over scalars, for what trees alone cannot say: anchors anywhere, several patterns
/// at once, a pattern and a length.
struct ScalarAutomaton {
  struct Edge {
    var set: ScalarSet
    var target: Int
  }

  /// By state; state 0 is the beginning.
  private(set) var edges: [[Edge]] = [[]]
  private(set) var accepting: Set<Int> = []

  /// States at most.
  private static let mostStates = 8192

  private static func tooLarge(_ name: String) -> GuideError {
    GuideError(
      "The regular expression '\(name)' takes more than \(mostStates) states together with the lengths "
        + "and patterns beside it. Make it smaller.")
  }

  /// Texts of `min` to `max` scalars.
  init(min: Int, max: Int?, name: String) throws(GuideError) {
    let count = Swift.max(min, max ?? 0)
    guard count < Self.mostStates else { throw Self.tooLarge(name) }
    edges = (0...count).map { state in
      state < count ? [Edge(set: .all, target: state + 1)] : []
    }
    if max == nil { edges[count].append(Edge(set: .all, target: count)) }
    accepting = min <= count ? Set(min...count) : []
  }

  /// Texts that match both.
  func intersection(_ other: ScalarAutomaton, name: String) throws(GuideError)
    -> ScalarAutomaton
  {
    var result = self
    result.edges = []
    result.accepting = []
    var numbers: [Pair: Int] = [Pair(left: 0, right: 0): 0]
    var pairs = [Pair(left: 0, right: 0)]
    while result.edges.count < pairs.count {
      let pair = pairs[result.edges.count]
      if accepting.contains(pair.left), other.accepting.contains(pair.right) {
        result.accepting.insert(result.edges.count)
      }
      var own: [Edge] = []
      for left in edges[pair.left] {
        for right in other.edges[pair.right] {
          let set = left.set.intersection(right.set)
          guard !set.isEmpty else { continue }
          let next = Pair(left: left.target, right: right.target)
          if numbers[next] == nil {
            guard pairs.count < Self.mostStates else { throw Self.tooLarge(name) }
            numbers[next] = pairs.count
            pairs.append(next)
          }
          own.append(Edge(set: set, target: numbers[next] ?? 0))
        }
      }
      result.edges.append(own)
    }
    return result
  }

  private struct Pair: Hashable {
    var left: Int
    var right: Int
  }

  /// The texts that match, where `leaf` writes one scalar of a set.
  func expression(_ leaf: (ScalarSet) -> GrammarExpression) -> GrammarExpression {
    var graph = GrammarGraph()
    for _ in edges.dropFirst() { _ = graph.addState() }
    for (state, edges) in edges.enumerated() {
      for edge in edges { graph.add(leaf(edge.set), from: state, to: edge.target) }
    }
    graph.accepting = accepting
    return .graph(graph)
  }
}

// MARK: - Patterns

extension ScalarAutomaton {
  /// Steps of a pattern that read nothing.
  private enum Free { case always, atStart, atEnd }

  private struct Builder {
    var sets: [[Edge]] = [[]]
    var free: [[(Free, Int)]] = [[]]
    let name: String

    mutating func addState() throws(GuideError) -> Int {
      guard sets.count < ScalarAutomaton.mostStates * 4 else {
        throw ScalarAutomaton.tooLarge(name)
      }
      sets.append([])
      free.append([])
      return sets.count - 1
    }

    mutating func add(_ tree: RegularExpression, _ from: Int) throws(GuideError) -> Int {
      switch tree {
      case .scalars(let set):
        let to = try addState()
        sets[from].append(Edge(set: set, target: to))
        return to
      case .start, .end:
        let to = try addState()
        free[from].append((tree == .start ? .atStart : .atEnd, to))
        return to
      case .sequence(let parts):
        var state = from
        for part in parts { state = try add(part, state) }
        return state
      case .choice(let parts):
        let to = try addState()
        for part in parts {
          let begin = try addState()
          free[from].append((.always, begin))
          let end = try add(part, begin)
          free[end].append((.always, to))
        }
        return to
      case .repeated(let part, let min, let max): return try add(part, min, max, from)
      }
    }

    private mutating func add(
      _ part: RegularExpression, _ min: Int, _ max: Int?, _ from: Int
    ) throws(GuideError) -> Int {
      guard Swift.max(min, max ?? 0) <= ScalarAutomaton.mostStates else {
        throw ScalarAutomaton.tooLarge(name)
      }
      var state = from
      for _ in 0..<min { state = try add(part, state) }
      let to = try addState()
      guard let max else {
        let loop = try addState()
        free[state].append((.always, loop))
        let end = try add(part, loop)
        free[end].append((.always, loop))
        free[loop].append((.always, to))
        return to
      }
      for _ in min..<max {
        free[state].append((.always, to))
        let begin = try addState()
        free[state].append((.always, begin))
        state = try add(part, begin)
      }
      free[state].append((.always, to))
      return to
    }
  }

  /// Where a reading of a text stands.
  private struct Place: Hashable {
    var state: Int
    var isAtStart: Bool
    var isAtEnd = false
  }

  /// Texts that `tree` matches.
  init(
    _ tree: RegularExpression, _ reach: RegularExpression.Reach, name: String
  ) throws(GuideError) {
    var builder = Builder(name: name)
    if reach == .part { builder.sets[0].append(Edge(set: .all, target: 0)) }
    let begin = try builder.addState()
    builder.free[0].append((.always, begin))
    let end = try builder.add(tree, begin)
    let last = try builder.addState()
    builder.free[end].append((.always, last))
    if reach == .part { builder.sets[last].append(Edge(set: .all, target: last)) }

    var numbers = [Place(state: 0, isAtStart: true): 0]
    var places = [Place(state: 0, isAtStart: true)]
    edges = []
    while edges.count < places.count {
      var own: [Edge] = []
      for place in Self.closure(places[edges.count], builder) {
        if place.state == last { accepting.insert(edges.count) }
        guard !place.isAtEnd else { continue }
        for edge in builder.sets[place.state] {
          let next = Place(state: edge.target, isAtStart: false)
          if numbers[next] == nil {
            guard places.count < Self.mostStates else { throw Self.tooLarge(name) }
            numbers[next] = places.count
            places.append(next)
          }
          own.append(Edge(set: edge.set, target: numbers[next] ?? 0))
        }
      }
      edges.append(own)
    }
  }

  private static func closure(_ place: Place, _ builder: Builder) -> Set<Place> {
    var seen: Set<Place> = [place]
    var work = [place]
    while let place = work.popLast() {
      for (kind, target) in builder.free[place.state] {
        if kind == .atStart, !place.isAtStart { continue }
        var next = place
        next.state = target
        if kind == .atEnd { next.isAtEnd = true }
        if seen.insert(next).inserted { work.append(next) }
      }
    }
    return seen
  }
}
