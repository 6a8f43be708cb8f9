// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A guide is malformed, asks for what is not supported, or cannot be followed.
public struct GuideError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What went wrong, where, and what to do: a sentence for a person.
  public let message: String

  /// Makes an error; `message` is shown to the user as it is.
  public init(_ message: String) { self.message = message }

  /// The text for people.
  public var description: String { message }
}
