// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Runs a program over bytes: a pushdown automaton that follows all readings of a text at once.
///
/// States and stacks are numbers: equal ones have the same number, so a state is a cheap value, and what
/// was worked out for one is found again. A stack is a set of frames and each frame names the stack below
/// it, so readings that meet share what is above and below (a graph-structured stack, Tomita 1985). The
/// work for a byte is bounded by the grammar and the depth, never by the number of readings.
package struct GrammarMachine {
  /// A number that stands for a state.
  package typealias State = Int32

  /// Where a rule goes on when the one it called has ended.
  struct Frame: Hashable {
    var node: Int32
    var count: Int32
    var below: Int32
  }

  /// A node with edges for bytes, in a count, above a stack.
  struct Item: Hashable {
    var node: Int32
    var count: Int32
    var stack: Int32
  }

  struct Traits: OptionSet {
    let rawValue: UInt8
    static let goesOn = Traits(rawValue: 1)
    static let accepts = Traits(rawValue: 2)
    static let escapes = Traits(rawValue: 4)
  }

  struct Content: Hashable {
    var items: [Item] = []
    /// Whether the text may end here.
    var isAccepting = false
    /// The counts in which the rule above the unknown stack may have ended.
    var escapes: [Int32] = []
  }

  package let program: GrammarProgram

  /// By number; see the pseudo frames below.
  private(set) var stacks: [[Frame]] = []
  private var stackNumbers: [[Frame]: Int32] = [:]
  /// The least count of the rule above the unknown stack, by stack.
  private var leastCounts: [Int32] = []

  private(set) var contents: [Content] = []
  /// By state: whether it goes on, may end, or has escapes.
  private(set) var traits: [Traits] = []
  /// By state: the least count of the rule above the unknown stack.
  private(set) var leastOfState: [Int32] = []
  private var numbers: [Content: State] = [:]
  /// By state and class of byte; -1: not known.
  private var transitions: [State] = []
  private var afterReturn: [Int32: State] = [:]

  // Pseudo frames: the end of the text, and a stack of which nothing is known.
  static let end = Frame(node: -1, count: 0, below: -1)
  static let unknown = Frame(node: -2, count: 0, below: -1)
  /// Counts from here on are relative to one that is not known.
  static let relative: Int32 = 1 << 30

  /// The state that nothing leads out of.
  package static let dead: State = 0
  /// The state before the first byte.
  package private(set) var start: State = 0

  /// A machine at the beginning of a text.
  package init(_ program: GrammarProgram) {
    self.program = program
    reset()
  }

  private mutating func reset() {
    stacks = []
    stackNumbers = [:]
    leastCounts = []
    contents = []
    traits = []
    leastOfState = []
    numbers = [:]
    transitions = []
    afterReturn = [:]
    _ = number(Content())
    let bottom = stackNumber([Self.end])
    var step = Step()
    let root = Int(program.root)
    step.isAccepting = program.starts[root].ends
    step.frames[program.root] = Set(stacks[Int(bottom)])
    start = finish(step)
  }

  /// Whether the text may end in `state`.
  package func isAccepting(_ state: State) -> Bool { traits[Int(state)].contains(.accepts) }

  /// Whether more may follow in `state`.
  package func goesOn(_ state: State) -> Bool { traits[Int(state)].contains(.goesOn) }

  /// Whether `state` is of any use.
  package func isAlive(_ state: State) -> Bool {
    !traits[Int(state)].isDisjoint(with: [.goesOn, .accepts])
  }

  /// The state after `byte`.
  package mutating func next(_ state: State, _ byte: UInt8) -> State {
    let slot = Int(state) * program.classCount + Int(program.classOf[Int(byte)])
    let known = transitions[slot]
    if known >= 0 { return known }
    let result = step(state, byte)
    transitions[slot] = result
    return result
  }

  /// The state after `bytes`.
  package mutating func next(_ state: State, _ bytes: some Sequence<UInt8>) -> State {
    var state = state
    for byte in bytes where state != Self.dead { state = next(state, byte) }
    return state
  }

  /// Whether `text` follows the grammar.
  package mutating func accepts(_ text: some Sequence<UInt8>) -> Bool {
    let end = next(start, text)
    return isAccepting(end)
  }

  /// The only byte that may follow in `state`; nil when there are several, or the text may end.
  package func forcedByte(_ state: State) -> UInt8? {
    guard !contents[Int(state)].isAccepting else { return nil }
    var only: UInt8?
    for item in contents[Int(state)].items {
      for edge in program.bytes[Int(item.node)] {
        guard edge.low == edge.high, only == nil || only == edge.low else { return nil }
        only = edge.low
      }
    }
    return only
  }
}

extension GrammarMachine {
  /// The bytes that may come next in `state`.
  func nextBytes(_ state: State) -> ByteSet {
    var result = ByteSet()
    for item in contents[Int(state)].items {
      for edge in program.bytes[Int(item.node)] { result.insert(edge.low...edge.high) }
    }
    return result
  }
}

// MARK: - Steps

extension GrammarMachine {
  /// A state in the making.
  private struct Step {
    struct Key: Hashable {
      var node: Int32
      var count: Int32
    }
    /// Frames of what was reached by a byte.
    var live: [Key: Set<Int32>] = [:]
    /// Frames of the rules that are called.
    var frames: [Int32: Set<Frame>] = [:]
    var isAccepting = false
    var escapes: Set<Int32> = []
  }

  private mutating func step(_ state: State, _ byte: UInt8) -> State {
    var work: [Item] = []
    for item in contents[Int(state)].items {
      for edge in program.bytes[Int(item.node)] where edge.low <= byte && byte <= edge.high {
        work.append(Item(node: edge.target, count: item.count, stack: item.stack))
      }
    }
    return enter(work)
  }

  /// The state after the rule above `stack` has ended.
  mutating func afterReturn(to stack: Int32) -> State {
    if let known = afterReturn[stack] { return known }
    var step = Step()
    var work: [Item] = []
    for frame in stacks[Int(stack)] { leave(frame, nil, &step, &work) }
    let result = enter(work, step)
    afterReturn[stack] = result
    return result
  }

  /// Goes on where a rule ends.
  private func leave(_ frame: Frame, _ count: Int32?, _ step: inout Step, _ work: inout [Item]) {
    if frame == Self.end {
      step.isAccepting = true
    } else if frame == Self.unknown {
      step.escapes.insert(count.map { $0 >= Self.relative ? $0 - Self.relative : 0 } ?? 0)
    } else {
      work.append(Item(node: frame.node, count: frame.count, stack: frame.below))
    }
  }

  /// Follows all that can be reached without another byte.
  private mutating func enter(_ items: [Item], _ begun: Step = Step()) -> State {
    var step = begun
    var work = items
    var seen = Set<Item>()
    while let item = work.popLast() {
      guard seen.insert(item).inserted else { continue }
      let counter = program.rules[Int(program.ruleOf[Int(item.node)])].counter
      let closure = program.closures[Int(item.node)]
      for entry in closure.entries {
        let count = entry.finishes ? Self.more(item.count, counter) : item.count
        if entry.starts, !Self.mayStart(count, counter) { continue }
        step.live[Step.Key(node: entry.node, count: count), default: []].insert(item.stack)
      }
      if closure.ends, Self.mayEnd(item.count, counter) {
        for frame in stacks[Int(item.stack)] { leave(frame, item.count, &step, &work) }
      }
      if closure.endsAfterOneMore {
        let count = Self.more(item.count, counter)
        guard Self.mayEnd(count, counter) else { continue }
        for frame in stacks[Int(item.stack)] { leave(frame, count, &step, &work) }
      }
    }
    return finish(step)
  }

  private static func more(_ count: Int32, _ counter: GrammarProgram.Counter?) -> Int32 {
    guard let counter else { return count }
    if count >= relative { return count + 1 }
    // Beyond the least count nothing changes where there is no greatest.
    return counter.max == nil ? min(count + 1, counter.min) : count + 1
  }

  private static func mayStart(_ count: Int32, _ counter: GrammarProgram.Counter?) -> Bool {
    guard let max = counter?.max, count < relative else { return true }
    return count < max
  }

  private static func mayEnd(_ count: Int32, _ counter: GrammarProgram.Counter?) -> Bool {
    guard let counter, count < relative else { return true }
    return count >= counter.min && count <= counter.max ?? .max
  }

  /// Calls rules until only nodes that read bytes are left.
  private mutating func finish(_ step: Step) -> State {
    var step = step
    var content = Content(isAccepting: step.isAccepting, escapes: step.escapes.sorted())
    for (key, ids) in step.live {
      let stack = union(ids)
      place(key.node, key.count, stack, &step, &content)
    }
    // A rule is called once for all its callers: those of lower rank come first.
    while let rule = step.frames.keys.min(by: { rank($0) < rank($1) }),
      let frames = step.frames.removeValue(forKey: rule)
    {
      let stack = stackNumber(frames.sorted(by: Self.precedes))
      for entry in program.starts[Int(rule)].entries {
        place(entry.node, 0, stack, &step, &content)
      }
    }
    content.items = Array(Set(content.items)).sorted {
      ($0.node, $0.count, $0.stack) < ($1.node, $1.count, $1.stack)
    }
    return number(content)
  }

  private func rank(_ rule: Int32) -> Int { program.rules[Int(rule)].rank }

  private func place(
    _ node: Int32, _ count: Int32, _ stack: Int32, _ step: inout Step, _ content: inout Content
  ) {
    if !program.bytes[Int(node)].isEmpty {
      content.items.append(Item(node: node, count: count, stack: stack))
    }
    for call in program.calls[Int(node)] {
      // Nothing is left to do in this rule after the call: its own callers are gone back to.
      let isLast =
        program.closures[Int(call.target)].isEndOnly
        && program.rules[Int(program.ruleOf[Int(node)])].counter == nil
      if isLast {
        step.frames[call.rule, default: []].formUnion(stacks[Int(stack)])
      } else {
        step.frames[call.rule, default: []].insert(
          Frame(node: call.target, count: count, below: stack))
      }
    }
  }
}

// MARK: - Numbers

extension GrammarMachine {
  private static func precedes(_ left: Frame, _ right: Frame) -> Bool {
    (left.node, left.count, left.below) < (right.node, right.count, right.below)
  }

  private mutating func union(_ ids: Set<Int32>) -> Int32 {
    if ids.count == 1, let only = ids.first { return only }
    var frames = Set<Frame>()
    for id in ids { frames.formUnion(stacks[Int(id)]) }
    return stackNumber(frames.sorted(by: Self.precedes))
  }

  private mutating func stackNumber(_ frames: [Frame]) -> Int32 {
    if let known = stackNumbers[frames] { return known }
    let id = Int32(stacks.count)
    stacks.append(frames)
    stackNumbers[frames] = id
    leastCounts.append(frames.map { $0.below < 0 ? 0 : leastCount($0.count, $0.below) }.min() ?? 0)
    return id
  }

  private func leastCount(_ count: Int32, _ stack: Int32) -> Int32 {
    count >= Self.relative ? count - Self.relative : leastCounts[Int(stack)]
  }

  private mutating func number(_ content: Content) -> State {
    if let known = numbers[content] { return known }
    let id = State(contents.count)
    contents.append(content)
    numbers[content] = id
    var traits: Traits = content.items.isEmpty ? [] : .goesOn
    if content.isAccepting { traits.insert(.accepts) }
    if !content.escapes.isEmpty { traits.insert(.escapes) }
    self.traits.append(traits)
    leastOfState.append(content.items.map { leastCount($0.count, $0.stack) }.min() ?? 0)
    transitions += [State](repeating: -1, count: program.classCount)
    return id
  }

  /// The state of a node above a stack of which nothing is known.
  mutating func state(at node: Int32) -> State {
    let isCounted = program.rules[Int(program.ruleOf[Int(node)])].counter != nil
    let stack = stackNumber([Self.unknown])
    let item = Item(node: node, count: isCounted ? Self.relative : 0, stack: stack)
    return number(Content(items: [item]))
  }
}

// MARK: - Room

extension GrammarMachine {
  /// States that are kept at most.
  private static let mostStates = 32_768

  /// Numbers that the machine keeps: a measure of its memory.
  var size: Int { transitions.count + 16 * stacks.count }

  /// Whether it is time to `compact`.
  package var isFull: Bool {
    contents.count > Self.mostStates || stacks.count > 16 * Self.mostStates
  }

  /// Forgets everything but `state`, and returns its new number.
  package mutating func compact(keeping state: State) -> State {
    let content = contents[Int(state)]
    let old = stacks
    // A stack's number is above those of the stacks below it.
    var isNeeded = [Bool](repeating: false, count: old.count)
    for item in content.items { isNeeded[Int(item.stack)] = true }
    for id in old.indices.reversed() where isNeeded[id] {
      for frame in old[id] where frame.below >= 0 { isNeeded[Int(frame.below)] = true }
    }
    reset()
    var new = [Int32](repeating: -1, count: old.count)
    for id in old.indices where isNeeded[id] {
      new[id] = stackNumber(
        old[id].map { frame in
          var frame = frame
          if frame.below >= 0 { frame.below = new[Int(frame.below)] }
          return frame
        }.sorted(by: Self.precedes))
    }
    var kept = content
    kept.items = content.items.map { item in
      Item(node: item.node, count: item.count, stack: new[Int(item.stack)])
    }.sorted { ($0.node, $0.count, $0.stack) < ($1.node, $1.count, $1.stack) }
    return number(kept)
  }
}
