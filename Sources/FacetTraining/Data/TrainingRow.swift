// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import FacetTokenizer

/// What a row says, once its form is known.
enum TrainingRow: Sendable, Hashable {
  /// Plain text.
  case text(String)
  /// A conversation; of its first `promptCount` messages nothing is trained.
  case conversation([ChatMessage], promptCount: Int)
  /// A prompt and what is to follow it.
  case completion(prompt: String, completion: String)
  /// Alpaca's form: what to do, on what, and the answer.
  case instruction(String, input: String, output: String)
}

extension TrainingRow {
  /// Recognises the form of a row by its fields.
  init(_ row: DataRow, _ options: DatasetOptions) throws(TrainingError) {
    // A field that the user names is meant.
    if options.textField != DatasetOptions.defaultTextField,
      let text = try row.text(options.textField)
    {
      self = .text(text)
      return
    }
    if let messages = row[options.messagesField] ?? row["conversations"] {
      let name = row[options.messagesField] == nil ? "conversations" : options.messagesField
      self = .conversation(
        try MessageReader(row).conversation(messages, named: name), promptCount: 0)
    } else if row.has(options.promptField, options.completionField) {
      self = try Self.completion(row, options)
    } else if row.has("instruction", "output") {
      self = .instruction(
        try row.text("instruction") ?? "", input: try row.text("input") ?? "",
        output: try row.text("output") ?? "")
    } else if let text = try row.text(options.textField) {
      self = .text(text)
    } else {
      throw Self.unknown(row)
    }
  }

  private static func completion(
    _ row: DataRow, _ options: DatasetOptions
  ) throws(TrainingError) -> TrainingRow {
    let (prompt, completion) = (options.promptField, options.completionField)
    if row[prompt]?.array == nil && row[completion]?.array == nil {
      return .completion(
        prompt: try row.text(prompt) ?? "", completion: try row.text(completion) ?? "")
    }
    let reader = MessageReader(row)
    let before = try reader.messages(row[prompt], named: prompt, role: .user)
    let after = try reader.messages(row[completion], named: completion, role: .assistant)
    if before.last?.role == .assistant && after.first?.role == .assistant {
      throw row.place.invalid(
        "has a '\(prompt)' that ends and a '\(completion)' that begins with the assistant, so that "
          + "nothing parts them.")
    }
    return .conversation(
      reader.withTools(before + after), promptCount: reader.withTools(before).count)
  }

  private static func unknown(_ row: DataRow) -> TrainingError {
    if row.has("chosen", "rejected") {
      return TrainingError(
        .invalidData,
        "\(row.place) is a preference row ('chosen' and 'rejected'), from which supervised "
          + "fine-tuning cannot learn. Name the field to learn from: text_field=chosen, or "
          + "completion_field=chosen beside a prompt.")
    }
    let names = row.fields.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
    let has = names.isEmpty ? "It has no fields." : "Its fields are \(names)."
    return TrainingError(
      .invalidData,
      "\(row.place) is of no form that can be trained on. \(has) Give it 'messages', 'prompt' and "
        + "'completion', 'instruction' and 'output', or 'text', or say which fields those are "
        + "(text_field, prompt_field, completion_field, messages_field).")
  }
}
