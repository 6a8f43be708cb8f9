// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// One message of a conversation.
public struct ChatMessage: Sendable, Codable, Hashable {
  /// Who speaks.
  public enum Role: String, Sendable, Codable, Hashable, CaseIterable {
    /// Instructions that come before the conversation.
    case system
    /// The person.
    case user
    /// The model.
    case assistant
  }

  /// Who speaks.
  public var role: Role
  /// What is said.
  public var content: String

  /// Makes a message.
  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}
