// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// How files of data become examples.
public struct DatasetOptions: Sendable, Hashable {
  /// What becomes of a row with more tokens than ``DatasetOptions/maxLength``.
  public enum Overlong: String, Sendable, Codable, CaseIterable {
    /// It is left out and counted.
    case drop
    /// Its tokens beyond the limit are cut off, and it is counted.
    case truncate
    /// It is an error.
    case error
  }

  /// What `prompt` and `completion`, or an Alpaca row, become.
  public enum PromptStyle: String, Sendable, Codable, CaseIterable {
    /// Turns of a conversation where the model has a chat format, otherwise plain text.
    case automatic
    /// A turn of the user and one of the assistant.
    case chat
    /// The two texts one after the other, then the end-of-sequence token.
    case plain
  }

  /// The most tokens that an example has; nil: any number.
  public var maxLength: Int?
  /// What becomes of longer rows.
  public var overlong = Overlong.drop
  /// Whether only what the assistant says is trained (completions, where a row has a prompt), rather
  /// than all tokens but the first.
  public var assistantOnly = true
  /// Whether rows that cannot be read or trained on are left out and counted, rather than an error.
  public var skipInvalid = false
  /// What rows with a prompt become.
  public var promptStyle = PromptStyle.automatic
  /// Whether names of control tokens in plain texts, prompts and completions are those tokens.
  ///
  /// In messages they never are.
  public var controlTokens = Tokenizer.SpecialTokenParsing.recognized
  /// The field of plain text.
  public var textField = DatasetOptions.defaultTextField
  /// The field of messages.
  public var messagesField = DatasetOptions.defaultMessagesField
  /// The field of the prompt.
  public var promptField = DatasetOptions.defaultPromptField
  /// The field of the completion.
  public var completionField = DatasetOptions.defaultCompletionField

  /// The names of fields in most data.
  public static let defaultTextField = "text"
  /// The usual field of messages.
  public static let defaultMessagesField = "messages"
  /// The usual field of a prompt.
  public static let defaultPromptField = "prompt"
  /// The usual field of a completion.
  public static let defaultCompletionField = "completion"

  /// Rows of at most `maxLength` tokens, longer ones left out, the assistant's words trained.
  public init(maxLength: Int? = 1024) { self.maxLength = maxLength }

  /// Refuses settings out of range.
  public func validate() throws(TrainingError) {
    if let maxLength, maxLength < 2 {
      throw TrainingError(
        .invalidSetting,
        "The maximum length is \(maxLength); an example needs at least 2 tokens, one to predict from "
          + "and one to predict.")
    }
  }
}
