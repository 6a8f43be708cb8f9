// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetStore
public import Foundation

/// What can go wrong in a session.
public struct SessionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Sendable, Hashable {
    /// The conversation and its answer do not fit the context.
    case exceededContext
    /// A schema or another guide is malformed or asks for what is not supported.
    case refusedGuide
    /// The session is still answering another request.
    case concurrentRequests
    /// A tool threw an error, or its arguments could not be read.
    case toolFailed(name: String)
    /// The model went on calling tools.
    case tooManyToolCalls
    /// The answer is not what was asked for: it was cut off.
    case incompleteAnswer
    /// A type cannot be described by a schema.
    case unsupportedType
    /// A saved session cannot be read.
    case unreadable
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

  /// The session's word for an error of the engine; any other stays what it is.
  static func naming(_ error: any Error) -> any Error {
    guard let error = error as? GenerationError else { return error }
    switch error.code {
    case .contextFull: return SessionError(.exceededContext, error.message)
    case .invalidGuide: return SessionError(.refusedGuide, error.message)
    default: return error
    }
  }
}

extension SessionError: LocalizedError {
  /// The text for people.
  public var errorDescription: String? { message }
}
