// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor

/// Examples that a model is trained on or measured with, held as tokens.
public struct Dataset: Sendable {
  /// What was found in the files; a part that is split off keeps that of the whole.
  public let statistics: DatasetStatistics
  private let store: ExampleStore
  /// Which rows of the store these are.
  private let rows: [Int]

  init(_ store: ExampleStore, rows: [Int], statistics: DatasetStatistics) {
    self.store = store
    self.rows = rows
    self.statistics = statistics
  }

  /// How many examples there are.
  public var count: Int { rows.count }

  /// An example; they stand in the order of the files.
  public subscript(index: Int) -> TrainingExample { store.example(rows[index]) }

  /// The tokens of an example, counted.
  public func length(of index: Int) -> Int { store.length(rows[index]) }

  /// Tokens of all examples.
  public var tokenCount: Int { rows.reduce(0) { $0 + store.length($1) } }

  /// Trained tokens of all examples.
  public var targetTokenCount: Int { rows.reduce(0) { $0 + store.targetCount($1) } }

  /// A number that changes with the examples, for telling whether a run goes on with the same ones.
  public var fingerprint: UInt64 {
    var state = store.fingerprint
    // A part is told from the whole, and from another part, by its rows.
    if rows.count != store.count {
      for row in rows { state = ExampleStore.mix(state ^ UInt64(row)) }
    }
    return state
  }
}

/// How much of the data is held back to measure with.
public enum ValidationSplit: Sendable, Hashable {
  /// Nothing.
  case none
  /// A part of the rows, such as 0.1.
  case fraction(Double)
  /// A number of rows.
  case count(Int)
}

extension Dataset {
  /// Splits off a validation set of rows drawn with `seed`; both parts keep the order of the files.
  ///
  /// The second part is nil where nothing is split off.
  public func split(
    _ split: ValidationSplit, seed: UInt64
  ) throws(TrainingError) -> (training: Dataset, validation: Dataset?) {
    let wanted: Int
    switch split {
    case .none: return (self, nil)
    case .fraction(let fraction):
      guard fraction > 0, fraction < 1 else {
        throw TrainingError(
          .invalidSetting,
          "The validation fraction is \(fraction); it must lie between 0 and 1, such as 0.1.")
      }
      wanted = max(1, Int((Double(count) * fraction).rounded()))
    case .count(let number): wanted = number
    }
    guard wanted > 0, wanted < count else {
      throw TrainingError(
        .invalidSetting,
        "\(wanted) of \(count) examples would be held back for validation; hold back at least one and "
          + "leave at least one.")
    }
    var order = rows
    var generator = RandomGenerator(seed: seed ^ 0x5641_4C49_4441_5445)
    order.shuffle(using: &generator)
    let held = order[..<wanted].sorted()
    let left = order[wanted...].sorted()
    return (
      Dataset(store, rows: left, statistics: statistics),
      Dataset(store, rows: held, statistics: statistics)
    )
  }
}
