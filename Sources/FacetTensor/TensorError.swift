// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What can go wrong with the memory under tensors: files that cannot be mapped, memory that is
/// not there, a tensor that does not lie inside its file.
public struct TensorError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// The file could not be opened, read or mapped.
    case unreadable
    /// The system refused the memory.
    case outOfMemory
    /// A tensor lies outside its storage or does not fill whole blocks.
    case outOfBounds
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

  /// The text a person reads.
  public var description: String { message }
}
