// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetStore
import FacetTokenizer

/// Why the server refuses a request, or cannot run.
///
/// Each API writes it in its own shape; see ``APIShape``.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of refusal, for programs.
  public enum Code: Sendable, Hashable {
    /// The request is malformed, or a value is out of its range.
    case invalidRequest
    /// The key is missing or wrong.
    case unauthorized
    /// The page that asks may not.
    case forbidden
    /// There is no such route, model or file.
    case notFound
    /// The route exists, the method does not.
    case methodNotAllowed
    /// A body, a header or a list is larger than is allowed.
    case tooLarge
    /// The head of a request is larger than is allowed.
    case headTooLarge
    /// The prompt and its answer do not fit the context.
    case contextFull
    /// What is asked for is not offered.
    case unsupported
    /// Too much is asked at once.
    case busy
    /// A model is being loaded, or the server is going.
    case unavailable
    /// The client went away.
    case clientGone
    /// Something that is not the client's fault.
    case failed
    /// The server cannot start as it is told to.
    case invalidSettings
  }

  /// The kind of refusal.
  public let code: Code
  /// What went wrong, where, and what to do: a sentence for a person.
  public let message: String
  /// The field of the request that it is about.
  public let parameter: String?

  /// Makes an error; `message` is shown to the client as it is.
  public init(_ code: Code, _ message: String, parameter: String? = nil) {
    self.code = code
    self.message = message
    self.parameter = parameter
  }

  /// The text for people.
  public var description: String { message }
}

extension ServerError {
  /// What any error of the modules below means to a client.
  init(_ error: any Error) {
    switch error {
    case let error as ServerError: self = error
    case let error as GenerationError: self.init(Self.code(of: error), error.message)
    case let error as StoreError: self.init(Self.code(of: error), error.message)
    case let error as TokenizerError: self.init(.invalidRequest, error.message)
    case let error as CheckpointError: self.init(.invalidRequest, error.message)
    case is CancellationError:
      self.init(.unavailable, "The answer was cancelled before it was complete.")
    default: self.init(.failed, "The request failed: \(error)")
    }
  }

  private static func code(of error: GenerationError) -> Code {
    switch error.code {
    case .contextFull: .contextFull
    case .outOfMemory, .shutDown: .unavailable
    case .queueFull: .busy
    case .mismatchedModel, .unreadable, .noCandidate: .failed
    default: .invalidRequest
    }
  }

  private static func code(of error: StoreError) -> Code {
    switch error.code {
    case .invalidName: .invalidRequest
    case .notFound: .notFound
    case .accessDenied: .forbidden
    default: .failed
    }
  }

  /// Seconds after which it is worth asking again; nil: never.
  var retryAfter: Int? { code == .busy || code == .unavailable ? 1 : nil }
}
