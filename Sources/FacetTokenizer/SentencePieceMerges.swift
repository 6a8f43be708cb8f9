// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Learns merges: counts of neighbouring symbols, kept up to date with every merge.
///
/// All words lie in one array of symbols, with links to the neighbours that are left. A pair's count
/// is exact at any time; in a run of one symbol ("aaa") the pairs do not overlap, from the left.
struct SentencePieceMerges {
  /// Two symbols side by side, somewhere in the words.
  private struct Pair {
    var left: Int32
    var right: Int32
    var count = 0
    /// Where the left one has been; some places are out of date.
    var places: [Int32] = []
    var isDone = false
    /// The number of the merge that last changed it.
    var stamp = 0
    var text: [UInt8]
    var length: Int
  }

  /// A pair in the queue, with its count when it was put there.
  private struct Candidate {
    var count: Int
    var pair: Int
  }

  private let rules: PieceRules
  private var texts: [[UInt8]] = []
  private var scalars: [[UInt32]] = []
  /// The symbol at each place; -1: no piece may hold it, or it has been merged into its neighbour.
  private var symbols: [Int32] = []
  private var previous: [Int32] = []
  private var following: [Int32] = []
  private var weights: [Int] = []
  private var pairs: [Pair] = []
  /// The number of a pair by its symbols; -1 where no piece may be made of it.
  private var numbers: [UInt64: Int] = [:]
  private var queue: [Candidate] = []
  private var known: Set<[UInt8]>
  private var changed: [Int] = []
  private var stamp = 0

  /// Lays the words out; `taken` are pieces that must not be learnt again.
  init(
    words: [[UInt8]: Int], required: [UInt32], taken: [[UInt8]], options: SentencePieceOptions
  ) {
    rules = PieceRules(maxLength: options.maxPieceLength, splitsDigits: options.splitsDigits)
    known = Set(taken)
    var ids: [UInt32: Int32] = [:]
    for scalar in required {
      ids[scalar] = Int32(texts.count)
      texts.append(Array(String(Unicode.Scalar(scalar).map(Character.init) ?? "?").utf8))
      scalars.append([scalar])
    }
    for (word, count) in words {
      let start = symbols.count
      for scalar in String(decoding: word, as: UTF8.self).unicodeScalars {
        let place = symbols.count
        symbols.append(ids[scalar.value] ?? -1)
        previous.append(place == start ? -1 : Int32(place - 1))
        following.append(Int32(place + 1))
        weights.append(count)
      }
      if !symbols.isEmpty { following[symbols.count - 1] = -1 }
    }
    countAll()
  }

  /// The pieces in the order in which they are merged.
  mutating func learn(atMost limit: Int) -> [[UInt8]] {
    var learnt: [[UInt8]] = []
    while learnt.count < limit, let best = pop() {
      pairs[best].isDone = true
      // The same text by another path is the same piece.
      guard known.insert(pairs[best].text).inserted else { continue }
      learnt.append(pairs[best].text)
      merge(best)
    }
    return learnt
  }

  /// Counts all pairs once, runs of one symbol without overlaps.
  private mutating func countAll() {
    stamp += 1
    var isOverlap = false
    for place in symbols.indices {
      let next = Int(following[place])
      guard next >= 0, let pair = number(symbols[place], symbols[next]) else {
        isOverlap = false
        continue
      }
      let isRun = symbols[place] == symbols[next]
      let before = Int(previous[place])
      isOverlap = isRun && !isOverlap && before >= 0 && symbols[before] == symbols[place]
      pairs[pair].places.append(Int32(place))
      if !isOverlap { pairs[pair].count += weights[place] }
    }
    for pair in pairs.indices { push(Candidate(count: pairs[pair].count, pair: pair)) }
  }

  private mutating func merge(_ best: Int) {
    stamp += 1
    changed.removeAll(keepingCapacity: true)
    let (left, right) = (pairs[best].left, pairs[best].right)
    let merged = Int32(texts.count)
    texts.append(pairs[best].text)
    scalars.append(scalars[Int(left)] + scalars[Int(right)])
    for place in pairs[best].places.sorted() {
      let place = Int(place)
      let second = Int(following[place])
      guard symbols[place] == left, second >= 0, symbols[second] == right else { continue }
      let (before, after) = (Int(previous[place]), Int(following[second]))
      change(before, place, by: -1)
      change(second, after, by: -1)
      symbols[place] = merged
      symbols[second] = -1
      following[place] = Int32(after)
      following[second] = -1
      if after >= 0 { previous[after] = Int32(place) }
      change(before, place, by: 1)
      change(place, after, by: 1)
    }
    pairs[best].places = []
    for pair in changed { push(Candidate(count: pairs[pair].count, pair: pair)) }
  }

  /// Takes account of two neighbours that are about to part (-1) or have just met (1).
  private mutating func change(_ first: Int, _ second: Int, by sign: Int) {
    guard first >= 0, second >= 0, let pair = number(symbols[first], symbols[second]) else {
      return
    }
    pairs[pair].count += sign * weights[first] * pairsGained(first, second)
    guard sign > 0 else { return }
    pairs[pair].places.append(Int32(first))
    if pairs[pair].stamp != stamp {
      pairs[pair].stamp = stamp
      changed.append(pair)
    }
  }

  /// How many more pairs there are with these two side by side than without: 0 or 1.
  private func pairsGained(_ first: Int, _ second: Int) -> Int {
    let symbol = symbols[first]
    guard symbol == symbols[second] else { return 1 }
    var (before, after) = (1, 1)
    var place = Int(previous[first])
    while place >= 0, symbols[place] == symbol {
      before += 1
      place = Int(previous[place])
    }
    place = Int(following[second])
    while place >= 0, symbols[place] == symbol {
      after += 1
      place = Int(following[place])
    }
    return (before + after) / 2 - before / 2 - after / 2
  }

  /// The number of a pair, a new one where it has none; nil if no piece may be made of it.
  private mutating func number(_ left: Int32, _ right: Int32) -> Int? {
    guard left >= 0, right >= 0 else { return nil }
    let key = UInt64(left) << 32 | UInt64(right)
    if let found = numbers[key] { return found < 0 ? nil : found }
    let characters = scalars[Int(left)] + scalars[Int(right)]
    guard rules.allow(characters) else {
      numbers[key] = -1
      return nil
    }
    numbers[key] = pairs.count
    pairs.append(
      Pair(
        left: left, right: right, text: texts[Int(left)] + texts[Int(right)],
        length: characters.count))
    return pairs.count - 1
  }

  // MARK: The queue, a binary heap whose counts may be too high

  /// The pair to merge next; nil when none is left.
  private mutating func pop() -> Int? {
    while let top = queue.first {
      let last = queue.removeLast()
      if !queue.isEmpty {
        queue[0] = last
        sink()
      }
      let pair = pairs[top.pair]
      if pair.isDone || pair.count <= 0 { continue }
      if pair.count == top.count { return top.pair }
      // A higher count has an entry of its own, which came before.
      if pair.count < top.count { push(Candidate(count: pair.count, pair: top.pair)) }
    }
    return nil
  }

  private mutating func push(_ candidate: Candidate) {
    guard candidate.count > 0 else { return }
    queue.append(candidate)
    var child = queue.count - 1
    while child > 0, isBefore(queue[child], queue[(child - 1) / 2]) {
      queue.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var first = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < queue.count && isBefore(queue[child], queue[first]) {
        first = child
      }
      if first == parent { return }
      queue.swapAt(parent, first)
      parent = first
    }
  }

  private func isBefore(_ one: Candidate, _ other: Candidate) -> Bool {
    if one.count != other.count { return one.count > other.count }
    let (length, otherLength) = (pairs[one.pair].length, pairs[other.pair].length)
    if length != otherLength { return length < otherLength }
    let (text, otherText) = (pairs[one.pair].text, pairs[other.pair].text)
    if text != otherText { return text.lexicographicallyPrecedes(otherText) }
    // Two paths to one piece: the one whose left part is shorter, whatever the words' order.
    let (left, otherLeft) = (pairs[one.pair].left, pairs[other.pair].left)
    return texts[Int(left)].count < texts[Int(otherLeft)].count
  }
}

/// Which characters may stand together in a piece.
struct PieceRules {
  var maxLength: Int
  var splitsDigits: Bool

  /// Whether these may be one piece: a space only in front, one script, single digits if wanted.
  func allow(_ scalars: [UInt32]) -> Bool {
    guard scalars.count <= maxLength else { return false }
    var script: UInt8?
    for (index, scalar) in scalars.enumerated() {
      if scalar == 0x2581 {
        if index > 0 { return false }
        continue
      }
      let isDigit = 0x30...0x39 ~= scalar || 0xFF10...0xFF19 ~= scalar
      if splitsDigits, isDigit, scalars.count > 1 { return false }
      var own: UInt8? = ScriptTable.script(of: scalar)
      if own == ScriptTable.inherited { own = script }
      if let own, let script, own != script { return false }
      script = own
    }
    return true
  }
}
