// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetTokenizer

/// Follows a guide through one answer: which tokens may come next, and which must.
package struct GuideMatcher {
  package let guide: CompiledGuide
  var machine: GrammarMachine
  /// Where the text stands.
  package private(set) var state: GrammarMachine.State
  private var masks: [GrammarMachine.State: TokenMask] = [:]
  /// Tokens that leave a node's rule, by node and by the state that they go on from.
  private var leaving: [Leaving: TokenSet] = [:]
  /// States along a path through the trie.
  var path: [GrammarMachine.State]

  private struct Leaving: Hashable {
    var node: Int32
    var state: GrammarMachine.State
  }

  /// A matcher before the first token.
  package init(_ guide: CompiledGuide) {
    self.guide = guide
    machine = GrammarMachine(guide.program)
    state = machine.start
    path = Array(repeating: 0, count: guide.vocabulary.trie.longest + 1)
  }

  /// Whether the text may end here.
  package var mayEnd: Bool { machine.isAccepting(state) }

  /// Whether the text is complete and nothing may follow.
  package var isComplete: Bool { machine.isAccepting(state) && !machine.goesOn(state) }

  /// Whether the text can still become one that the guide allows.
  package var isAlive: Bool { machine.isAlive(state) }

  /// Notes a token of text.
  package mutating func accept(_ token: TokenID) {
    accept(guide.vocabulary.bytes(of: token))
  }

  /// Notes bytes of text.
  package mutating func accept(_ bytes: some Sequence<UInt8>) {
    state = machine.next(state, bytes)
    guard machine.isFull else { return }
    state = machine.compact(keeping: state)
    masks = [:]
    leaving = [:]
  }

  /// The tokens that may come next, those that end the answer included.
  package mutating func mask() throws(GuideError) -> TokenMask {
    if let known = masks[state] { return known }
    var mask = TokenMask(count: guide.vocabulary.count)
    let items = machine.contents[Int(state)].items
    if guide.maskCount > Self.mostNodes, items.count(where: { guide.mask(of: $0.node) == nil }) > 1
    {
      try walkAll(&mask)
    } else {
      for item in items { try add(item, to: &mask) }
    }
    if mayEnd { for token in guide.vocabulary.stops { mask.insert(token) } }
    if masks.count >= Self.mostMasks { masks = [:] }
    masks[state] = mask
    return mask
  }

  private static let mostMasks = 128
  /// Nodes that masks are made of one by one: a guide with more of them, such as a pattern written out
  /// for every length, seldom sees one again.
  private static let mostNodes = 64
  /// Numbers that one mask may take: beyond, a grammar is too ambiguous to follow.
  private static let mostWork = 40_000_000
}

// MARK: - Masks

extension GuideMatcher {
  private mutating func add(
    _ item: GrammarMachine.Item, to mask: inout TokenMask
  ) throws(GuideError) {
    let known = try nodeMask(item.node)
    let counter = guide.program.rules[Int(guide.program.ruleOf[Int(item.node)])].counter
    // Repetitions that may be done beside the one under way, and those that the rule may end with.
    let most = counter?.max.map { $0 - 1 - item.count } ?? .max
    if let tokens = known.inside(most: most) { mask.formUnion(tokens) }
    let after = machine.afterReturn(to: item.stack)
    guard machine.isAlive(after) else { return }
    let least = max(0, (counter?.min ?? 0) - item.count)
    let greatest = counter == nil ? 0 : counter?.max.map { $0 - item.count } ?? .max
    // What ends a repetition that is not the last is inside as well.
    for part in known.ending where part.count == greatest && part.count >= least {
      mask.formUnion(part.tokens)
    }
    let isAll = least == 0 && (counter == nil || greatest > guide.vocabulary.trie.longest)
    let key = Leaving(node: item.node, state: after)
    if isAll, let tokens = leaving[key] { return mask.formUnion(tokens) }
    let tokens = try tokens(of: known, least...max(least, greatest), after)
    if isAll { leaving[key] = tokens }
    mask.formUnion(tokens)
  }

  /// The tokens that leave a rule with so many repetitions done and go on from `state`.
  private mutating func tokens(
    of mask: NodeMask, _ counts: ClosedRange<Int32>, _ state: GrammarMachine.State
  ) throws(GuideError) -> TokenSet {
    let trie = guide.vocabulary.trie
    var found: [TokenID] = []
    let bytes = machine.nextBytes(state)
    for (byte, places) in mask.leaving where bytes.contains(byte) {
      for place in places where counts.contains(place.count) {
        let node = Int(place.node)
        path[Int(trie.depths[node]) - 1] = state
        try walk(node..<Int(trie.ends[node])) { node in
          found += trie.tokens[trie.tokens(at: node)]
        }
      }
    }
    return TokenSet(found, count: guide.vocabulary.count)
  }

  /// Follows every token from the present state.
  private mutating func walkAll(_ mask: inout TokenMask) throws(GuideError) {
    let trie = guide.vocabulary.trie
    var found: [TokenID] = []
    path[0] = state
    try walk(0..<trie.nodeCount) { node in
      for index in trie.tokens(at: node) { found.append(trie.tokens[index]) }
    }
    mask.formUnion(.few(found))
  }

  /// What is known of a node above any stack.
  private mutating func nodeMask(_ node: Int32) throws(GuideError) -> NodeMask {
    if let known = guide.mask(of: node) { return known }
    let mask = try makeMask(of: node)
    guide.keep(mask, of: node)
    return mask
  }

  /// Visits the nodes of the trie that the machine can follow, from the states in `path`.
  @inline(__always)
  private mutating func walk(
    _ nodes: Range<Int>, _ visit: (Int) -> Void
  ) throws(GuideError) {
    let trie = guide.vocabulary.trie
    var node = nodes.lowerBound
    while node < nodes.upperBound {
      let depth = Int(trie.depths[node])
      let state = machine.next(path[depth - 1], trie.bytes[node])
      path[depth] = state
      if state != GrammarMachine.dead { visit(node) }
      node = machine.goesOn(state) ? node + 1 : Int(trie.ends[node])
      try checkWork()
    }
  }

  /// Gives up on a grammar that can be read in too many ways.
  func checkWork() throws(GuideError) {
    guard machine.size < Self.mostWork else {
      throw GuideError(
        "The guide can be read in too many ways to be followed. Make its rules less ambiguous.")
    }
  }
}

// MARK: - Forced text

extension GuideMatcher {
  /// Bytes of forced text that are looked at at once.
  private static let mostForced = 4096

  /// The tokens that spell what must come next, at most `most` of them.
  ///
  /// They are the tokenizer's own for that text. The last one is left to the model where the text goes
  /// on behind it: it could become a longer one.
  package mutating func forcedTokens(most: Int) -> [TokenID] {
    var text: [UInt8] = []
    var next = state
    var isBeforeMark = false
    while text.count < Self.mostForced, let byte = machine.forcedByte(next) {
      isBeforeMark = byte == GuideMark.lead
      if isBeforeMark { break }
      text.append(byte)
      next = machine.next(next, byte)
    }
    if isBeforeMark, text.isEmpty { return most > 0 ? forcedMark(next) : [] }
    guard !text.isEmpty else { return [] }
    let tokenizer = guide.vocabulary.tokenizer
    var tokens = tokenizer.encode(continuation: text)
    guard tokens.flatMap(tokenizer.bytes) == text,
      tokens.allSatisfy({ Int($0) < guide.vocabulary.count && tokenizer.kind($0) != .unknown })
    else { return [] }
    // No token joins text and a mark.
    let ends = isBeforeMark || machine.isAccepting(next) && !machine.goesOn(next)
    if !ends, !tokens.isEmpty { tokens.removeLast() }
    return Array(tokens.prefix(max(0, most)))
  }

  /// The control token that must come next.
  private mutating func forcedMark(_ state: GrammarMachine.State) -> [TokenID] {
    let inside = machine.next(state, GuideMark.lead)
    guard let byte = machine.forcedByte(inside) else { return [] }
    return guide.vocabulary.marks.filter { $0.value.rawValue == byte }.map(\.key).sorted()
      .prefix(1).map { $0 }
  }
}
