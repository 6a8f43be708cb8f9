// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Who leads to a node.
private struct Sources {
  var epsilons: [Int32] = []
  var bytes: [Int32] = []
  var calls: [(source: Int32, rule: Int32)] = []
}

extension GrammarCompiler {
  /// Finds what is empty, what leads nowhere and what is left-recursive, and computes closures.
  mutating func analyse() throws(GuideError) {
    let sources = reversed()
    let (emptyNodes, emptyRules) = reaching(sources, readingBytes: false)
    for rule in program.rules.indices {
      // A part that may be empty can be taken any number of times without reading anything.
      if let counter = program.rules[rule].counter, bodyIsIn(emptyNodes, rule), counter.min > 0 {
        program.rules[rule].counter?.min = 0
      }
      program.rules[rule].isNullable = emptyRules[rule]
    }
    let (aliveNodes, aliveRules) = reaching(sources, readingBytes: true)
    guard aliveRules[Int(program.root)] else {
      throw GuideError(
        "No text at all fits: the grammar's rule '\(program.rules[Int(program.root)].name)' can never "
          + "come to an end. Loosen it.")
    }
    prune(aliveNodes, aliveRules)
    classifyBytes()
    joinNodes()
    computeClosures()
    try rankRules()
    findFollowingBytes()
  }

  /// The node that ends a rule's own paths.
  private func goal(_ rule: Int) -> Int32 {
    program.rules[rule].counter?.bodyEnd ?? program.rules[rule].end
  }

  private func bodyIsIn(_ nodes: [Bool], _ rule: Int) -> Bool {
    epsilons[Int(program.rules[rule].start)].contains { nodes[Int($0)] }
  }

  private func reversed() -> [Sources] {
    var sources = [Sources](repeating: Sources(), count: program.bytes.count)
    for node in program.bytes.indices {
      for target in epsilons[node] { sources[Int(target)].epsilons.append(Int32(node)) }
      for edge in program.bytes[node] { sources[Int(edge.target)].bytes.append(Int32(node)) }
      for edge in program.calls[node] {
        sources[Int(edge.target)].calls.append((Int32(node), edge.rule))
      }
    }
    return sources
  }

  /// The nodes that a rule's end can be reached from, and the rules that can be followed: with bytes
  /// on the way, or without.
  private func reaching(_ sources: [Sources], readingBytes: Bool) -> (nodes: [Bool], rules: [Bool])
  {
    var nodes = [Bool](repeating: false, count: program.bytes.count)
    var rules = program.rules.map { $0.counter?.min == 0 }
    /// Call edges whose target is reached but whose rule is not known to be.
    var waiting = [[Int32]](repeating: [], count: rules.count)
    var work: [Int32] = []
    for rule in rules.indices { work.append(goal(rule)) }
    while let node = work.popLast() {
      guard !nodes[Int(node)] else { continue }
      nodes[Int(node)] = true
      work += sources[Int(node)].epsilons
      if readingBytes { work += sources[Int(node)].bytes }
      for (source, rule) in sources[Int(node)].calls {
        if rules[Int(rule)] { work.append(source) } else { waiting[Int(rule)].append(source) }
      }
      let rule = Int(program.ruleOf[Int(node)])
      if program.rules[rule].start == node, !rules[rule] {
        rules[rule] = true
        work += waiting[rule]
        waiting[rule] = []
      }
    }
    return (nodes, rules)
  }

  private mutating func prune(_ nodes: [Bool], _ rules: [Bool]) {
    for node in program.bytes.indices {
      program.bytes[node].removeAll { !nodes[Int($0.target)] }
      program.calls[node].removeAll { !nodes[Int($0.target)] || !rules[Int($0.rule)] }
      epsilons[node].removeAll { !nodes[Int($0)] }
    }
  }

  private mutating func classifyBytes() {
    var begins = [Bool](repeating: false, count: 257)
    for edges in program.bytes {
      for edge in edges {
        begins[Int(edge.low)] = true
        begins[Int(edge.high) + 1] = true
      }
    }
    var current = 0
    program.classOf = (0..<256).map { byte in
      if byte > 0, begins[byte] { current += 1 }
      return UInt8(current)
    }
    program.classCount = current + 1
  }

  /// Lets edges skip nodes that only pass on.
  private mutating func joinNodes() {
    var isKept = [Bool](repeating: false, count: program.bytes.count)
    for rule in program.rules.indices {
      isKept[Int(goal(rule))] = true
      isKept[Int(program.rules[rule].start)] = true
    }
    func last(_ node: Int32) -> Int32 {
      var node = node
      for _ in 0..<64 {
        let index = Int(node)
        guard !isKept[index], program.bytes[index].isEmpty, program.calls[index].isEmpty,
          epsilons[index].count == 1
        else { break }
        node = epsilons[index][0]
      }
      return node
    }
    for node in program.bytes.indices {
      for edge in program.bytes[node].indices {
        program.bytes[node][edge].target = last(program.bytes[node][edge].target)
      }
      for edge in program.calls[node].indices {
        program.calls[node][edge].target = last(program.calls[node][edge].target)
      }
      epsilons[node] = epsilons[node].map(last)
    }
  }
}

// MARK: - Closures

extension GrammarCompiler {
  private struct Place: Hashable {
    var node: Int32
    var finishes: Bool
    var starts: Bool
  }

  private mutating func computeClosures() {
    var isReached = [Bool](repeating: false, count: program.bytes.count)
    for edges in program.bytes { for edge in edges { isReached[Int(edge.target)] = true } }
    for edges in program.calls { for edge in edges { isReached[Int(edge.target)] = true } }
    program.closures = program.bytes.indices.map { node in
      guard isReached[node] else { return GrammarProgram.Closure() }
      return closure([Place(node: Int32(node), finishes: false, starts: false)])
    }
    program.starts = program.rules.indices.map { rule in
      let start = program.rules[rule].start
      guard let counter = program.rules[rule].counter else {
        return closure([Place(node: start, finishes: false, starts: false)])
      }
      var result = closure(
        epsilons[Int(start)].map { Place(node: $0, finishes: false, starts: true) })
      result.ends = counter.min == 0
      return result
    }
  }

  private func closure(_ places: [Place]) -> GrammarProgram.Closure {
    var result = GrammarProgram.Closure()
    var work = places
    var seen = Set(places)
    func visit(_ place: Place) {
      if seen.insert(place).inserted { work.append(place) }
    }
    while let place = work.popLast() {
      let node = Int(place.node)
      let rule = program.rules[Int(program.ruleOf[node])]
      if !program.bytes[node].isEmpty || !program.calls[node].isEmpty {
        result.entries.append(
          GrammarProgram.Closure.Entry(
            node: place.node, finishes: place.finishes, starts: place.starts))
      }
      for target in epsilons[node] {
        visit(Place(node: target, finishes: place.finishes, starts: place.starts))
      }
      for edge in program.calls[node] where program.rules[Int(edge.rule)].isNullable {
        visit(Place(node: edge.target, finishes: place.finishes, starts: place.starts))
      }
      if rule.counter == nil {
        if place.node == rule.end { result.ends = true }
      } else if place.node == rule.counter?.bodyEnd, !place.starts {
        // One time more is done. The next one may begin, but not end before it has read something.
        result.endsAfterOneMore = true
        for target in epsilons[Int(rule.start)] {
          visit(Place(node: target, finishes: true, starts: true))
        }
      }
    }
    return result
  }
}

// MARK: - Left recursion

extension GrammarCompiler {
  /// Orders the rules by what they may begin with; throws when one may begin with itself.
  private mutating func rankRules() throws(GuideError) {
    let begins = program.starts.map { closure in
      Set(closure.entries.flatMap { program.calls[Int($0.node)].map { Int($0.rule) } }).sorted()
    }
    var order: [Int] = []
    /// 0: not seen; 1: under way; 2: done.
    var state = [UInt8](repeating: 0, count: begins.count)
    for first in begins.indices where state[first] == 0 {
      var path: [(rule: Int, next: Int)] = [(first, 0)]
      state[first] = 1
      while let (rule, next) = path.last {
        guard next < begins[rule].count else {
          state[rule] = 2
          order.append(rule)
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let callee = begins[rule][next]
        if state[callee] == 1 { throw leftRecursion(path.map(\.rule), callee) }
        if state[callee] == 0 {
          state[callee] = 1
          path.append((callee, 0))
        }
      }
    }
    for (index, rule) in order.enumerated() { program.rules[rule].rank = order.count - index }
  }

  private func leftRecursion(_ path: [Int], _ rule: Int) -> GuideError {
    let cycle = path[(path.firstIndex(of: rule) ?? 0)...] + [rule]
    let names = cycle.prefix(8).map { program.rules[$0].name }.joined(separator: " → ")
    return GuideError(
      "The rule '\(program.rules[rule].name)' may begin with itself (\(names)), which has no end. Let it "
        + "begin with something else, or write a repetition.")
  }
}

// MARK: - What follows

extension GrammarCompiler {
  /// Finds the bytes that may follow each rule.
  private mutating func findFollowingBytes() {
    var first = [ByteSet](repeating: ByteSet(), count: program.rules.count)
    // What a rule begins with has a higher rank.
    let order = program.rules.indices.sorted { program.rules[$0].rank > program.rules[$1].rank }
    for rule in order { first[rule] = beginning(program.starts[rule], first) }
    // Whoever calls a rule last passes on what may follow itself.
    var passesOn: [(from: Int, to: Int)] = []
    for node in program.calls.indices {
      for edge in program.calls[node] {
        let closure = program.closures[Int(edge.target)]
        _ = program.rules[Int(edge.rule)].follow.formUnion(beginning(closure, first))
        if closure.ends || closure.endsAfterOneMore {
          passesOn.append((Int(program.ruleOf[node]), Int(edge.rule)))
        }
      }
    }
    var isChanged = true
    while isChanged {
      isChanged = false
      for (from, to) in passesOn
      where program.rules[to].follow.formUnion(program.rules[from].follow) { isChanged = true }
    }
  }

  private func beginning(_ closure: GrammarProgram.Closure, _ first: [ByteSet]) -> ByteSet {
    var result = ByteSet()
    for entry in closure.entries {
      for edge in program.bytes[Int(entry.node)] { result.insert(edge.low...edge.high) }
      for edge in program.calls[Int(entry.node)] { _ = result.formUnion(first[Int(edge.rule)]) }
    }
    return result
  }
}
