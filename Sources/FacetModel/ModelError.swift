// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What can go wrong between a model file and a running model: a shape that no family has, weights
/// that do not fit the configuration, a sequence that does not fit the cache.
public struct ModelError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// The file describes a model that Facet cannot run.
    case unsupported
    /// The file contradicts what is known about the model that it holds.
    case inconsistent
    /// A tensor that the model needs is not in the file.
    case missingTensor
    /// A tensor has another shape than the model needs.
    case wrongShape
    /// The file holds a tensor that the model does not have.
    case unexpectedTensor
    /// More tokens than the context or the cache can hold.
    case contextFull
    /// A token id beyond the vocabulary.
    case unknownToken
    /// The memory is not there.
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
