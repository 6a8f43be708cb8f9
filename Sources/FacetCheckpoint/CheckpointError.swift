// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON

/// What can go wrong with a model file: it is not there, it is damaged, or it holds something that
/// Facet cannot run.
public struct CheckpointError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// There is no such file, or a directory lacks a file that it must hold.
    case notFound
    /// The file is there and cannot be read, or the new one cannot be written.
    case unreadable
    /// The file ends before what its header promises.
    case truncated
    /// The file breaks the rules of its format.
    case malformed
    /// The file is sound and needs something that Facet does not have.
    case unsupported
    /// A tensor that the model needs is not in the file.
    case missingTensor
    /// A tensor has another shape than the model needs.
    case wrongShape
    /// The file holds a tensor that the model does not know.
    case unexpectedTensor
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

extension CheckpointError {
  /// A file that should hold JSON does not.
  init(_ error: JSONError) { self.init(.malformed, error.message) }
}
