// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
public import FacetTokenizer

/// A prompt with an answer that was preferred and one that was not.
public struct PreferenceRow: Sendable, Hashable {
  /// Text, or messages.
  public enum Content: Sendable, Hashable {
    /// Plain text.
    case text(String)
    /// Turns of a conversation.
    case messages([ChatMessage])
  }

  /// What both answers follow: the row's prompt, or the beginning that they share.
  public var prompt: Content
  /// The answer that was preferred.
  public var chosen: Content
  /// The answer that was not.
  public var rejected: Content
  /// The 1-based line of the file, or the row where a file has no lines.
  public var line: Int
  /// The file.
  public var source: String

  /// Reads the rows of files, in their order.
  public static func read(_ paths: [String]) throws(TrainingError) -> [PreferenceRow] {
    var rows: [PreferenceRow] = []
    for path in paths {
      var reader = try RowReader(path)
      while let row = try reader.next() { rows.append(try PreferenceRow(row.get())) }
    }
    return rows
  }

  init(_ row: DataRow) throws(TrainingError) {
    line = row.place.number
    source = row.place.file
    guard row.has("chosen", "rejected") else {
      throw row.place.invalid("is no preference row: it lacks 'chosen' or 'rejected'.")
    }
    let isText = ["prompt", "chosen", "rejected"].allSatisfy { row[$0]?.array == nil }
    if isText {
      (prompt, chosen, rejected) = try Self.texts(row)
    } else {
      (prompt, chosen, rejected) = try Self.conversations(row)
    }
    guard chosen != rejected else {
      throw row.place.invalid("prefers an answer to itself: 'chosen' and 'rejected' are equal.")
    }
  }

  private static func texts(
    _ row: DataRow
  ) throws(TrainingError) -> (Content, Content, Content) {
    let chosen = try row.text("chosen") ?? ""
    let rejected = try row.text("rejected") ?? ""
    if let prompt = try row.text("prompt") {
      return (.text(prompt), .text(chosen), .text(rejected))
    }
    var shared = zip(chosen, rejected).prefix { $0 == $1 }.count
    // The space before the first word that differs belongs to the answer's first token.
    if shared > 0, chosen.dropFirst(shared - 1).first == " " { shared -= 1 }
    return (
      .text(String(chosen.prefix(shared))), .text(String(chosen.dropFirst(shared))),
      .text(String(rejected.dropFirst(shared)))
    )
  }

  private static func conversations(
    _ row: DataRow
  ) throws(TrainingError) -> (Content, Content, Content) {
    let reader = MessageReader(row)
    var chosen = try reader.messages(row["chosen"], named: "chosen", role: .assistant)
    var rejected = try reader.messages(row["rejected"], named: "rejected", role: .assistant)
    var prompt: [ChatMessage] = []
    if row["prompt"] != nil {
      prompt = try reader.messages(row["prompt"], named: "prompt", role: .user)
    } else {
      let shared = zip(chosen, rejected).prefix { $0 == $1 }.count
      prompt = Array(chosen.prefix(shared))
      chosen.removeFirst(shared)
      rejected.removeFirst(shared)
    }
    return (.messages(reader.withTools(prompt)), .messages(chosen), .messages(rejected))
  }
}
