// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Where a row stands, for people.
struct RowPlace: Sendable, Hashable, CustomStringConvertible {
  /// What a file's rows are counted in.
  enum Unit: String, Sendable, Hashable {
    case line = "Line"
    case row = "Row"
  }

  var file: String
  var number: Int
  var unit = Unit.line

  /// `Line 7 of 'rows.jsonl'`.
  var description: String { "\(unit.rawValue) \(number) of '\(file)'" }

  /// An error about this row: `what` goes on after its name.
  func invalid(_ what: String) -> TrainingError {
    TrainingError(
      .invalidData, "\(self) \(what) Mend it, or have such rows skipped (skip_invalid).")
  }
}
