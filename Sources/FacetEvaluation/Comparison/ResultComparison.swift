// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Two results of the same tasks, document by document.
public struct ResultComparison: Sendable {
  /// A metric of a task or a group in both results.
  public struct Line: Sendable, Hashable {
    /// The task or group.
    public var name: String
    /// Whether it is a group: all documents of its tasks together.
    public var isGroup: Bool
    /// The metric.
    public var metric: String
    /// The filter of the answers.
    public var filter: String
    /// Documents.
    public var count: Int
    /// The mean over them in the first result.
    public var first: Double
    /// The mean over them in the second.
    public var second: Double
    /// The second less the first, with its interval.
    public var difference: PairedBootstrap
    /// The test for answers that are right or wrong; nil for other metrics.
    public var test: McNemarTest?
  }

  /// A document that one result has right and the other wrong.
  public struct Flip: Sendable, Hashable {
    /// The task.
    public var task: String
    /// The document's place in the data.
    public var index: Int
    /// Whether the second result has it right.
    public var isWon: Bool
    /// The line of the prompt that asks.
    public var question: String
  }

  /// How many draws, and from which seed.
  public struct Options: Sendable, Hashable {
    /// Draws of the bootstrap.
    public var draws = 10_000
    /// The seed of the draws.
    public var seed: UInt64 = 0

    /// The defaults.
    public init() {}
  }

  /// Groups and tasks.
  public private(set) var lines: [Line] = []
  /// What flipped, by each task's first metric that is right or wrong.
  public private(set) var flips: [Flip] = []
  /// Tasks that only the first result has.
  public let onlyInFirst: [String]
  /// Tasks that only the second has.
  public let onlyInSecond: [String]

  private let options: Options

  /// A document's value in both results.
  private struct Pair {
    var document: DocumentScore
    var first: Double
    var second: Double
  }

  /// What a line is about.
  private struct Key: Hashable {
    var metric: String
    var filter: String
  }

  /// Compares `second` with `first`, which must have been asked the same.
  public init(
    _ first: EvaluationResult, _ second: EvaluationResult, options: Options = Options()
  ) throws(EvaluationError) {
    self.options = options
    let others = Set(second.tasks.map(\.task))
    let own = Set(first.tasks.map(\.task))
    onlyInFirst = first.tasks.map(\.task).filter { !others.contains($0) }
    onlyInSecond = second.tasks.map(\.task).filter { !own.contains($0) }
    guard !own.isDisjoint(with: others) else {
      throw EvaluationError(
        .mismatchedResults,
        "The two results have no task in common: the first has \(Self.listed(first)), the second "
          + "\(Self.listed(second)).")
    }
    var pairs: [String: [(Key, [Pair])]] = [:]
    for task in first.tasks {
      guard let other = second.task(task.task) else { continue }
      pairs[task.task] = try Self.pairs(task, other)
    }
    for group in first.groups where !group.metrics.isEmpty { add(group, in: first, pairs) }
    for task in first.tasks { add(task, pairs[task.task] ?? []) }
  }

  private static func listed(_ result: EvaluationResult) -> String {
    let names = result.tasks.map(\.task)
    guard !names.isEmpty else { return "none" }
    return names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
  }

  private mutating func add(
    _ group: GroupResult, in result: EvaluationResult, _ pairs: [String: [(Key, [Pair])]]
  ) {
    let members = ReportPage(result).tasks(in: group).map(\.task)
    for metric in group.metrics {
      let key = Key(metric: metric.name, filter: metric.filter)
      let all = members.flatMap { name in
        (pairs[name] ?? []).filter { $0.0 == key }.flatMap(\.1)
      }
      if !all.isEmpty { lines.append(line(group.name, true, key, all)) }
    }
  }

  private mutating func add(_ task: TaskScore, _ pairs: [(Key, [Pair])]) {
    var hasFlips = false
    for (key, pairs) in pairs {
      let line = line(task.task, false, key, pairs)
      lines.append(line)
      guard line.test != nil, !hasFlips else { continue }
      hasFlips = true
      for pair in pairs where pair.first != pair.second {
        flips.append(
          Flip(
            task: task.task, index: pair.document.index, isWon: pair.second > pair.first,
            question: pair.document.question))
      }
    }
  }

  private func line(_ name: String, _ isGroup: Bool, _ key: Key, _ pairs: [Pair]) -> Line {
    let isTruth = pairs.allSatisfy { [0, 1].contains($0.first) && [0, 1].contains($0.second) }
    let count = Double(pairs.count)
    return Line(
      name: name, isGroup: isGroup, metric: key.metric, filter: key.filter, count: pairs.count,
      first: pairs.reduce(0) { $0 + $1.first } / count,
      second: pairs.reduce(0) { $0 + $1.second } / count,
      difference: PairedBootstrap(
        pairs.map { $0.second - $0.first }, draws: options.draws, seed: options.seed),
      test: isTruth
        ? McNemarTest(
          lost: pairs.count { $0.first > $0.second }, won: pairs.count { $0.first < $0.second })
        : nil)
  }
}

extension ResultComparison {
  /// The values of both results for each metric that both have; metrics of whole texts aside.
  private static func pairs(
    _ first: TaskScore, _ second: TaskScore
  ) throws(EvaluationError) -> [(Key, [Pair])] {
    let matched = try matched(first, second)
    return first.metrics.compactMap { metric in
      let pairs = matched.compactMap { one, other -> Pair? in
        guard let value = one.value(metric), let otherValue = other.value(metric),
          value.isFinite, otherValue.isFinite
        else { return nil }
        return Pair(document: one, first: value, second: otherValue)
      }
      guard pairs.count == matched.count else { return nil }
      return (Key(metric: metric.name, filter: metric.filter), pairs)
    }
  }

  private static func matched(
    _ first: TaskScore, _ second: TaskScore
  ) throws(EvaluationError) -> [(DocumentScore, DocumentScore)] {
    for (task, which) in [(first, "first"), (second, "second")] where task.documents.isEmpty {
      throw EvaluationError(
        .mismatchedResults,
        "Task '\(task.task)': the \(which) result has no documents; samples_\(task.task)_….jsonl "
          + "must lie beside its results_….json (lm-eval writes it with --log_samples).")
    }
    let others = Dictionary(second.documents.map { ($0.index, $0) }) { one, _ in one }
    let own = Set(first.documents.map(\.index))
    if let missing = first.documents.first(where: { others[$0.index] == nil })
      ?? second.documents.first(where: { !own.contains($0.index) })
    {
      let which = own.contains(missing.index) ? "first" : "second"
      throw EvaluationError(
        .mismatchedResults,
        "Task '\(first.task)': only the \(which) result has document \(missing.index); measure both "
          + "with the same limit.")
    }
    var matched: [(DocumentScore, DocumentScore)] = []
    for document in first.documents {
      guard let other = others[document.index] else { continue }
      guard document.isAsked(like: other) else {
        throw EvaluationError(
          .mismatchedResults,
          "Task '\(first.task)': document \(document.index) ('\(document.question.prefix(60))') has "
            + "another prompt in the second result; measure both with the same data, shots and "
            + "template.")
      }
      matched.append((document, other))
    }
    return matched
  }
}

extension DocumentScore {
  /// The value of a metric; nil for those that have a weight, whose mean is another.
  fileprivate func value(_ metric: TaskScore.Metric) -> Double? {
    guard let verdict = verdicts.first(where: { $0.filter == metric.filter }),
      verdict.values[Self.weightPrefix + metric.name] == nil
    else { return nil }
    return verdict.values[metric.name]
  }

  /// Whether prompts, choices and answer are the same.
  fileprivate func isAsked(like other: DocumentScore) -> Bool {
    requests == other.requests && target == other.target
  }

  /// The first line of what stands after the examples.
  package var question: String {
    let prompt = requests.first?.context ?? ""
    let lines = prompt.split(separator: "\n", omittingEmptySubsequences: false)
    let isBlank = { (line: Substring) in line.allSatisfy(\.isWhitespace) }
    guard let last = lines.lastIndex(where: { !isBlank($0) }) else { return "" }
    let start = lines[..<last].lastIndex(where: isBlank).map { $0 + 1 } ?? 0
    return String(lines[start])
  }
}
