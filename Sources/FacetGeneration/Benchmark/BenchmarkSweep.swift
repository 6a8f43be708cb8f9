// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
public import FacetTensor

/// What to measure of a model: every length at every depth, every batch.
public struct BenchmarkSweep: Sendable, Hashable {
  /// Tokens to read at once, each a row.
  public var prompts: [Int] = [512]
  /// Tokens to write one by one, each a row for every batch.
  public var generates: [Int] = [64]
  /// Sequences to write together.
  public var batches: [Int] = [1]
  /// Requests that come to an engine at once, each a row for every prompt and the answer's length beside it;
  /// see ``measureStreams(_:name:progress:)``.
  public var streams: [Int] = []
  /// Tokens that sequences hold before; nil: none for reading, the longest prompt for writing.
  public var depths: [Int]?
  /// Runs that count.
  public var runs = 3
  /// Runs before them that do not.
  public var warmups = 1

  /// The usual figures: 512 tokens read, 64 written.
  public init() {}

  /// One row to be.
  struct Point: Hashable {
    var kind: BenchmarkRow.Kind
    var tokens: Int
    var batch: Int
    var depth: Int
  }

  /// The rows in order.
  var points: [Point] {
    var points: [Point] = []
    for depth in depths ?? [0] {
      points += prompts.filter { $0 > 0 }.map {
        Point(kind: .prefill, tokens: $0, batch: 1, depth: depth)
      }
    }
    for depth in depths ?? [prompts.max() ?? 0] {
      for tokens in generates where tokens > 0 {
        points += batches.map { Point(kind: .decode, tokens: tokens, batch: $0, depth: depth) }
      }
    }
    return points
  }

  /// Refuses what cannot be measured.
  public func validate() throws(GenerationError) {
    let lengths = prompts + generates + (depths ?? [])
    guard lengths.allSatisfy({ (0...1 << 24).contains($0) }) else {
      throw GenerationError(
        .invalidOption, "Numbers of tokens lie between 0 and \(1 << 24).")
    }
    guard batches.allSatisfy({ (1...Session.chunk).contains($0) }) else {
      throw GenerationError(
        .invalidOption, "A batch has between 1 and \(Session.chunk) sequences.")
    }
    guard streams.allSatisfy({ (1...Session.chunk).contains($0) }) else {
      throw GenerationError(
        .invalidOption, "There are between 1 and \(Session.chunk) requests at once.")
    }
    let isPaired = prompts.count == generates.count && lengths.allSatisfy { $0 > 0 }
    guard streams.isEmpty || isPaired else {
      throw GenerationError(
        .invalidOption,
        "Requests at once have a prompt and an answer each: give as many lengths of prompts as of answers."
      )
    }
    guard (1...1000).contains(runs), (0...1000).contains(warmups) else {
      throw GenerationError(
        .invalidOption,
        "\(runs) runs after \(warmups) to warm up cannot be measured; give 1 to 1000 and 0 to 1000."
      )
    }
    guard !points.isEmpty else {
      throw GenerationError(
        .invalidOption, "There is nothing to measure: give a prompt or tokens to generate.")
    }
  }

  /// Measures `model`, which is called `name` in the rows; `progress` is told every row.
  ///
  /// `ceilings` are those of the machine: with them rows say how much of them they reach.
  public func measure(
    _ model: LanguageModel, name: String, ceilings: MachineCeilings? = nil,
    progress: (BenchmarkRow, Int) throws -> Void = { _, _ in }
  ) throws -> [BenchmarkRow] {
    try validate()
    let points = points
    return try points.map { point in
      var runner = try SequenceBatch(model, point)
      var rates: [Double] = []
      for run in 0..<warmups + runs {
        let seconds = try runner.seconds()
        let rate = Double(point.tokens * point.batch) / seconds
        if run >= warmups { rates.append((rate * 100).rounded() / 100) }
      }
      let key = BenchmarkRow.Key(
        model: name, kind: point.kind, tokens: point.tokens, batch: point.batch,
        depth: point.depth)
      var row = BenchmarkRow(
        key: key, threads: model.threadCount, precision: model.transformer.precision.rawValue,
        runs: rates)
      row.ceilingShare = ceilings.map {
        row.median / Double(point.tokens * point.batch) * point.leastSeconds(model, at: $0)
      }
      try progress(row, points.count)
      return row
    }
  }
}

extension BenchmarkSweep.Point {
  /// The seconds that a machine needs for it at its ceilings.
  fileprivate func leastSeconds(_ model: LanguageModel, at ceilings: MachineCeilings) -> Double {
    let transformer = model.transformer
    switch kind {
    case .serve: return 0
    case .decode:
      let middle = depth + tokens / 2
      let pass = transformer.work(tokens: 1, sequences: batch, depth: middle)
      return Double(tokens) * pass.seconds(at: ceilings)
    case .prefill:
      return stride(from: 0, to: tokens, by: Session.chunk).reduce(0) { sum, start in
        let count = min(Session.chunk, tokens - start)
        return sum + transformer.work(tokens: count, depth: depth + start).seconds(at: ceilings)
      }
    }
  }
}

/// Sequences that hold random tokens up to a depth and go on from there, again and again.
private struct SequenceBatch {
  let model: LanguageModel
  let point: BenchmarkSweep.Point
  let caches: [KVCache]
  let workspace = Workspace()
  var generator = RandomGenerator(seed: 0)

  init(_ model: LanguageModel, _ point: BenchmarkSweep.Point) throws {
    self.model = model
    self.point = point
    let capacity = point.depth + point.tokens
    let configuration = model.configuration
    guard capacity <= configuration.contextLength else {
      throw GenerationError(
        .invalidOption,
        "\(point.tokens) tokens after \(point.depth) are asked for; \(model.card.name) takes "
          + "\(configuration.contextLength) in all.")
    }
    let each = KVCache.byteCount(
      configuration, capacity: capacity, chunk: Session.chunk,
      dtype: model.transformer.cacheDType)
    let (needed, overflows) = each.multipliedReportingOverflow(by: point.batch)
    if let memory = MachineMemory.current(), overflows || needed > memory.available {
      throw GenerationError(
        .outOfMemory,
        "\(point.batch) caches of \(capacity) tokens take \(ByteText(needed)), and "
          + "\(ByteText(memory.available)) of memory are available. Use a smaller batch or depth.")
    }
    caches = try (0..<point.batch).map { _ in
      try model.transformer.makeCache(capacity: capacity, chunk: Session.chunk)
    }
  }

  /// The seconds of one run.
  mutating func seconds() throws -> Double {
    for cache in caches where !cache.truncate(to: point.depth) || cache.position < point.depth {
      cache.reset()
      try read(point.depth, into: cache, logits: .none)
    }
    let start = ContinuousClock.now
    switch point.kind {
    case .serve: break
    case .prefill: try read(point.tokens, into: caches[0], logits: .last)
    case .decode:
      let sequences = caches.map { Batch.Sequence(cache: $0, count: 1) }
      for _ in 0..<point.tokens {
        try Task.checkCancellation()
        let batch = Batch(tokens(point.batch), sequences: sequences, logits: .last)
        _ = try model.transformer.forward(batch, workspace: workspace)
      }
    }
    return (ContinuousClock.now - start) / .seconds(1)
  }

  /// Reads `count` random tokens chunk by chunk, the last of them with `logits`.
  private mutating func read(
    _ count: Int, into cache: KVCache, logits: Batch.LogitRows
  ) throws {
    for start in stride(from: 0, to: count, by: Session.chunk) {
      try Task.checkCancellation()
      let end = min(start + Session.chunk, count)
      let batch = Batch(
        tokens(end - start), cache: cache, logits: end == count ? logits : .none)
      _ = try model.transformer.forward(batch, workspace: workspace)
    }
  }

  private mutating func tokens(_ count: Int) -> [Int32] {
    let vocabulary = Int32(clamping: model.configuration.vocabulary)
    return (0..<count).map { _ in
      Int32.random(in: min(300, vocabulary - 1)..<vocabulary, using: &generator)
    }
  }
}
