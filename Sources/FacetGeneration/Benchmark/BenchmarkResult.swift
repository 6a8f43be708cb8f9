// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// One thing that was measured: so many tokens of a model read at once, or written one by one.
public struct BenchmarkRow: Sendable, Hashable, Codable {
  /// What was done with the tokens.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// They were read at once.
    case prefill
    /// They were written one by one.
    case decode
    /// Requests came at once to an engine, which read their prompts and wrote their answers.
    case serve
  }

  /// What a row is about; two results are compared where these agree.
  public struct Key: Sendable, Hashable {
    /// The model, for people.
    public var model: String
    /// Read or written.
    public var kind: Kind
    /// Tokens of each sequence.
    public var tokens: Int
    /// Sequences at once.
    public var batch: Int
    /// Tokens that each sequence held before.
    public var depth: Int

    /// What was measured.
    public init(model: String, kind: Kind, tokens: Int, batch: Int = 1, depth: Int = 0) {
      self.model = model
      self.kind = kind
      self.tokens = tokens
      self.batch = batch
      self.depth = depth
    }
  }

  /// The model, for people.
  public var model: String
  /// Read or written.
  public var kind: Kind
  /// Tokens of each sequence.
  public var tokens: Int
  /// Sequences at once.
  public var batch: Int
  /// Tokens that each sequence held before.
  public var depth: Int
  /// Threads that shared the work.
  public var threads: Int
  /// Exact or fast.
  public var precision: String
  /// Tokens per second of every run, all sequences together.
  public var runs: [Double]
  /// The part of what the machine's ceilings allow that the median reaches; nil where unknown.
  public var ceilingShare: Double?
  /// What a reader of a request has to wait for; nil where nobody asked an engine.
  public var waits: BenchmarkWaits?

  enum CodingKeys: String, CodingKey {
    case model, kind, tokens, batch, depth, threads, precision, runs, waits
    case ceilingShare = "ceiling_share"
  }

  /// Makes a row of its runs.
  public init(
    key: Key, threads: Int, precision: String, runs: [Double], ceilingShare: Double? = nil
  ) {
    model = key.model
    kind = key.kind
    tokens = key.tokens
    batch = key.batch
    depth = key.depth
    self.threads = threads
    self.precision = precision
    self.runs = runs
    self.ceilingShare = ceilingShare
  }

  /// What the row is about.
  public var key: Key {
    Key(model: model, kind: kind, tokens: tokens, batch: batch, depth: depth)
  }
  /// The middle run.
  public var median: Double { Benchmark.median(runs) }
  /// The slowest run.
  public var slowest: Double { runs.min() ?? 0 }
  /// The fastest run.
  public var fastest: Double { runs.max() ?? 0 }
}

/// How long readers wait for their tokens, in seconds: half of them, 95 and 99 of a hundred wait no longer.
public struct BenchmarkWaits: Sendable, Hashable, Codable {
  /// From the request to the first token.
  public var firstToken: [Double]
  /// From a token to the next.
  public var nextToken: [Double]

  enum CodingKeys: String, CodingKey {
    case firstToken = "first_token_s"
    case nextToken = "next_token_s"
  }

  init(firstTokens: [Double], gaps: [Double]) {
    firstToken = Self.percentiles(firstTokens)
    nextToken = Self.percentiles(gaps)
  }

  private static func percentiles(_ values: [Double]) -> [Double] {
    let sorted = values.sorted()
    guard let last = sorted.last else { return [] }
    return [0.5, 0.95, 0.99].map { share in
      let place = Int((share * Double(sorted.count)).rounded(.up)) - 1
      let value = sorted.indices.contains(place) ? sorted[place] : last
      return (value * 100_000).rounded() / 100_000
    }
  }
}

/// All rows of a benchmark, and the machine that they were measured on.
public struct BenchmarkResult: Sendable, Hashable, Codable {
  /// The kernels in use.
  public var instructionSet: String
  /// What the machine can do at most; nil where it was not measured.
  public var ceilings: MachineCeilings?
  /// What was measured.
  public var rows: [BenchmarkRow]

  enum CodingKeys: String, CodingKey {
    case instructionSet = "instruction_set"
    case ceilings, rows
  }

  /// Makes a result of its rows.
  public init(
    instructionSet: String, ceilings: MachineCeilings? = nil, rows: [BenchmarkRow] = []
  ) {
    self.instructionSet = instructionSet
    self.ceilings = ceilings
    self.rows = rows
  }
}

/// A row beside the same one of another result.
public struct BenchmarkComparison: Sendable, Hashable {
  /// What became of the speed.
  public enum Verdict: String, Sendable, Hashable {
    /// Every run is faster than every earlier one.
    case faster
    /// Every run is slower than every earlier one.
    case slower
    /// The runs overlap: no more than noise.
    case same
  }

  /// The other row.
  public var before: BenchmarkRow
  /// The median, divided by the other's.
  public var ratio: Double
  /// Whether that is more than the runs differ among themselves.
  public var verdict: Verdict
}

extension BenchmarkResult {
  /// The row of `other` that measured the same as `row`; nil when there is none.
  ///
  /// Where each result is about one model, its name does not count: another engine, or another file of
  /// the same model, may be compared.
  public func comparison(
    of row: BenchmarkRow, with other: BenchmarkResult
  ) -> BenchmarkComparison? {
    let alone = Set(rows.map(\.model)).count == 1 && Set(other.rows.map(\.model)).count == 1
    var wanted = row.key
    let found = other.rows.first { candidate in
      if alone { wanted.model = candidate.model }
      return candidate.key == wanted && candidate.median > 0
    }
    guard let found else { return nil }
    let verdict: BenchmarkComparison.Verdict =
      row.slowest > found.fastest ? .faster : row.fastest < found.slowest ? .slower : .same
    return BenchmarkComparison(
      before: found, ratio: row.median / found.median, verdict: verdict)
  }
}
