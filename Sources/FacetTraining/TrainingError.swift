// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What can go wrong between a data file and a tuned model.
public struct TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// A setting is out of its range, unknown, or contradicts another.
    case invalidSetting
    /// A row of data cannot be read, or teaches nothing.
    case invalidData
    /// A file could not be read.
    case unreadable
    /// A file could not be written; what was there before is unharmed.
    case unwritable
    /// An adapter, a checkpoint or a run does not belong to this model.
    case mismatchedModel
    /// The loss is not a number any more.
    case diverged
    /// The memory that training needs is not there.
    case outOfMemory
  }

  /// The kind of failure.
  public let code: Code
  /// What went wrong, where, and what to do: a sentence for a person.
  public let message: String

  /// Makes an error; `message` is shown to the user as it is.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The text for people.
  public var description: String { message }
}
