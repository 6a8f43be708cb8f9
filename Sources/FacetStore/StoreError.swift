// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What can go wrong with the model library: bad names, sources that do not answer, damaged
/// downloads, a disk without room.
public struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// The name of a model is malformed.
    case invalidName
    /// The name is neither in the library nor in the catalogue, or the source has no such file.
    case notFound
    /// The source asks for an account, a token or an accepted licence.
    case accessDenied
    /// The source did not answer, or answered with an error.
    case unavailable
    /// What arrived is not what was announced.
    case corrupt
    /// The disk has no room for the model.
    case diskFull
    /// A file or directory of the library could not be read or written.
    case fileSystem
    /// A program that the download needs is missing or failed.
    case toolMissing
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

  /// The message.
  public var description: String { message }
}
