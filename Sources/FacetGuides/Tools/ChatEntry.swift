// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// A step of a conversation in which tools may be called.
public enum ChatEntry: Sendable, Hashable, Codable {
  /// Somebody spoke.
  case message(ChatMessage)
  /// The model called tools, after saying `text`.
  case calls([ToolCall], text: String = "")
  /// A tool answered.
  case result(ToolResult)
}
