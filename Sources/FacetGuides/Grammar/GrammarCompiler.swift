// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Turns expressions into nodes and edges (Thompson 1968), then looks at the whole
/// (GrammarCompiler+Analysis).
struct GrammarCompiler {
  let grammar: Grammar
  var program = GrammarProgram()
  /// Steps that read nothing, by node.
  var epsilons: [[Int32]] = []

  init(_ grammar: Grammar) { self.grammar = grammar }

  mutating func compile() throws(GuideError) -> GrammarProgram {
    program.root = Int32(grammar.root)
    for rule in grammar.rules { program.rules.append(GrammarProgram.Rule(name: rule.name)) }
    for (index, rule) in grammar.rules.enumerated() {
      let (start, end) = (try addNode(Int32(index)), try addNode(Int32(index)))
      program.rules[index].start = start
      program.rules[index].end = end
      program.rules[index].expression = rule.expression
      try add(rule.expression, start, end)
    }
    try analyse()
    return program
  }

  /// Nodes of a grammar at most: what a schema for people never needs.
  static let mostNodes = 400_000
  /// Repetitions up to this size are written out.
  private static let mostCopies = 64
  /// No text is this long.
  private static let mostCount = 1_000_000_000

  mutating func addNode(_ rule: Int32) throws(GuideError) -> Int32 {
    guard program.bytes.count < Self.mostNodes else {
      throw GuideError(
        "The grammar is too large: it takes more than \(Self.mostNodes) nodes. Make it smaller.")
    }
    program.bytes.append([])
    program.calls.append([])
    program.ruleOf.append(rule)
    epsilons.append([])
    return Int32(program.bytes.count - 1)
  }

  private func rule(_ node: Int32) -> Int32 { program.ruleOf[Int(node)] }

  private mutating func link(_ from: Int32, _ to: Int32) { epsilons[Int(from)].append(to) }

  private mutating func add(
    _ expression: GrammarExpression, _ from: Int32, _ to: Int32
  ) throws(GuideError) {
    switch expression {
    case .bytes(let bytes):
      try add(path: bytes.map { $0...$0 }, from, to)
    case .scalars(let set):
      for path in set.byteSequences { try add(path: path, from, to) }
    case .sequence(let parts):
      var node = from
      for part in parts {
        let next = try addNode(rule(from))
        try add(part, node, next)
        node = next
      }
      link(node, to)
    case .choice(let parts):
      for part in parts {
        let node = try addNode(rule(from))
        link(from, node)
        try add(part, node, to)
      }
    case .repeated(let part, let min, let max): try add(part, min, max, from, to)
    case .rule(let index):
      program.calls[Int(from)].append(
        GrammarProgram.CallEdge(rule: Int32(index), target: to))
    case .graph(let graph): try add(graph, from, to)
    }
  }

  private mutating func add(
    path: [ClosedRange<UInt8>], _ from: Int32, _ to: Int32
  ) throws(GuideError) {
    guard !path.isEmpty else { return link(from, to) }
    var node = from
    for (index, range) in path.enumerated() {
      let next = index == path.count - 1 ? to : try addNode(rule(from))
      program.bytes[Int(node)].append(
        GrammarProgram.ByteEdge(low: range.lowerBound, high: range.upperBound, target: next))
      node = next
    }
  }

  private mutating func add(
    _ graph: GrammarGraph, _ from: Int32, _ to: Int32
  ) throws(GuideError) {
    var nodes: [Int32] = []
    for _ in graph.edges { nodes.append(try addNode(rule(from))) }
    link(from, nodes[0])
    for (state, edges) in graph.edges.enumerated() {
      for edge in edges { try add(edge.label, nodes[state], nodes[edge.target]) }
      if graph.accepting.contains(state) { link(nodes[state], to) }
    }
  }
}

// MARK: - Repetition

extension GrammarCompiler {
  private mutating func add(
    _ part: GrammarExpression, _ min: Int, _ max: Int?, _ from: Int32, _ to: Int32
  ) throws(GuideError) {
    if let max, max < min { return }
    guard min <= Self.mostCount else {
      throw GuideError("A repetition of at least \(min) times is asked for; no text is that long.")
    }
    let max = max.flatMap { $0 > Self.mostCount ? nil : $0 }
    let copies = Swift.max(1, max ?? min)
    if copies == 1 || part.weight * copies <= Self.mostCopies {
      return try write(part, min, max, from, to)
    }
    let index = Int32(program.rules.count)
    program.rules.append(
      GrammarProgram.Rule(name: "repetition in \(program.rules[Int(rule(from))].name)"))
    let start = try addNode(index)
    let body = try addNode(index)
    let bodyEnd = try addNode(index)
    let end = try addNode(index)
    program.rules[Int(index)].start = start
    program.rules[Int(index)].end = end
    program.rules[Int(index)].expression = part
    program.rules[Int(index)].counter = GrammarProgram.Counter(
      min: Int32(min), max: max.map(Int32.init), bodyEnd: bodyEnd)
    link(start, body)
    try add(part, body, bodyEnd)
    program.calls[Int(from)].append(GrammarProgram.CallEdge(rule: index, target: to))
  }

  /// Writes a repetition out.
  private mutating func write(
    _ part: GrammarExpression, _ min: Int, _ max: Int?, _ from: Int32, _ to: Int32
  ) throws(GuideError) {
    var node = from
    for _ in 0..<min {
      let next = try addNode(rule(from))
      try add(part, node, next)
      node = next
    }
    guard let max else {
      let (loop, back) = (try addNode(rule(from)), try addNode(rule(from)))
      link(node, loop)
      try add(part, loop, back)
      link(back, loop)
      return link(loop, to)
    }
    for _ in min..<max {
      let begin = try addNode(rule(from))
      let next = try addNode(rule(from))
      link(node, begin)
      link(node, to)
      try add(part, begin, next)
      node = next
    }
    link(node, to)
  }
}

extension GrammarExpression {
  /// Whether no rule is called.
  var isSelfContained: Bool {
    switch self {
    case .bytes, .scalars: true
    case .sequence(let parts), .choice(let parts): parts.allSatisfy(\.isSelfContained)
    case .repeated(let part, _, _): part.isSelfContained
    case .rule: false
    case .graph(let graph): graph.edges.allSatisfy { $0.allSatisfy(\.label.isSelfContained) }
    }
  }

  /// About how many edges one copy takes.
  var weight: Int {
    switch self {
    case .bytes(let bytes): bytes.count
    case .scalars(let set): set.ranges.count + ((set.ranges.last?.upperBound ?? 0) > 0x7F ? 24 : 0)
    case .sequence(let parts), .choice(let parts): parts.reduce(1) { $0 + $1.weight }
    case .repeated(let part, let min, let max):
      part.weight.multipliedReportingOverflow(by: Swift.max(1, max ?? min)).overflow
        ? 64 : Swift.min(64, part.weight * Swift.max(1, max ?? min))
    case .rule: 1
    case .graph(let graph):
      graph.edges.reduce(0) { $1.reduce($0) { $0 + $1.label.weight } }
    }
  }
}
