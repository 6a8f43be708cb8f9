// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A text is not JSON.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, where: a sentence for a person.
  package let message: String

  /// Makes an error; `message` is shown to the user as it is.
  package init(_ message: String) { self.message = message }

  /// The text for people.
  package var description: String { message }
}
