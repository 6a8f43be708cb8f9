// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What can go wrong between a benchmark's data and its figures.
public struct EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// A setting is out of its range, unknown, or contradicts another.
    case invalidSetting
    /// A task's definition cannot be read or says something impossible.
    case invalidTask
    /// A row of data cannot be read, or lacks what the task needs.
    case invalidData
    /// A file could not be read.
    case unreadable
    /// A file could not be written; what was there before is unharmed.
    case unwritable
    /// Two results cannot be compared.
    case mismatchedResults
    /// A server did not answer, or answered something else than it should.
    case server
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
