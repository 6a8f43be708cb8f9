// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// One row of data as the model sees it.
public struct TrainingExample: Sendable, Hashable {
  /// The tokens, with exactly one beginning-of-sequence token in front where the model wants one.
  public var tokens: [Int32]
  /// Which tokens are trained, each predicted from those before it; never the first.
  public var isTarget: [Bool]
  /// The 1-based line of the file, or the row where a file has no lines.
  public var line: Int
  /// The file.
  public var source: String

  /// Joins tokens, flags and origin.
  public init(tokens: [Int32], isTarget: [Bool], line: Int, source: String) {
    self.tokens = tokens
    self.isTarget = isTarget
    self.line = line
    self.source = source
  }
}
