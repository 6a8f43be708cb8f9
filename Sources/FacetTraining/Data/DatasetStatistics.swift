// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What was found in the files of a dataset.
public struct DatasetStatistics: Sendable, Codable, Hashable {
  /// Rows that were left out, by reason.
  public struct Dropped: Sendable, Codable, Hashable {
    /// Longer than the limit.
    public var overlong = 0
    /// Unreadable, or of no known form.
    public var invalid = 0
    /// Without a trained token.
    public var untrained = 0

    /// All of them.
    public var total: Int { overlong + invalid + untrained }
  }

  /// A bar of the histogram of lengths.
  public struct LengthBin: Sendable, Codable, Hashable {
    /// The fewest tokens of a row in it.
    public var from: Int
    /// The most tokens of a row in it.
    public var through: Int
    /// How many rows it has.
    public var rows: Int
  }

  /// Rows in the files.
  public internal(set) var rows = 0
  /// Rows that became examples.
  public internal(set) var examples = 0
  /// Rows that did not.
  public internal(set) var dropped = Dropped()
  /// Examples whose end was cut off.
  public internal(set) var truncated = 0
  /// Examples with the same tokens as one before them.
  public internal(set) var duplicates = 0
  /// Tokens of all examples.
  public internal(set) var tokens = 0
  /// Trained tokens of all examples.
  public internal(set) var targetTokens = 0
  /// Tokens of the longest row, which may have been left out.
  public internal(set) var longest = 0
  /// How many rows have which length, over-long ones included.
  public internal(set) var lengths: [LengthBin] = []
  /// What was wrong with the first few rows that were left out as invalid or untrained.
  public internal(set) var problems: [String] = []

  static let problemLimit = 10

  /// Nothing read so far.
  public init() {}

  /// Counts a row's length: 1–16 tokens, 17–32, 33–64 and so on.
  mutating func count(length: Int) {
    longest = max(longest, length)
    var bin = 0
    while bin < 58, length > 16 << bin { bin += 1 }
    while lengths.count <= bin {
      let through = 16 << lengths.count
      let from = lengths.isEmpty ? 1 : through / 2 + 1
      lengths.append(LengthBin(from: from, through: through, rows: 0))
    }
    lengths[bin].rows += 1
  }

  mutating func note(_ problem: TrainingError) {
    if problems.count < Self.problemLimit { problems.append(problem.message) }
  }
}
