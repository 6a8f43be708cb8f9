// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a model made on this machine was given beside its files.
public struct ModelSettings: Sendable, Hashable, Codable {
  /// Instructions that open every conversation which has none of its own.
  public var system: String?
  /// How its answers are drawn: the text of a JSON object.
  public var parameters: String?
  /// A conversation that comes before what is asked.
  public var messages: [Message]

  /// A message of that conversation.
  public struct Message: Sendable, Hashable, Codable {
    /// `system`, `user` or `assistant`.
    public var role: String
    /// What is said.
    public var content: String

    /// Makes a message.
    public init(role: String, content: String) {
      self.role = role
      self.content = content
    }
  }

  /// Joins what is given.
  public init(system: String? = nil, parameters: String? = nil, messages: [Message] = []) {
    self.system = system
    self.parameters = parameters
    self.messages = messages
  }

  /// Whether nothing is given.
  public var isEmpty: Bool { self == ModelSettings() }
}
