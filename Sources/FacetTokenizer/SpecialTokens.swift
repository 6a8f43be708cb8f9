// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The tokens of a vocabulary that carry structure.
public struct SpecialTokens: Sendable, Hashable {
  /// Beginning of sequence.
  public let bos: TokenID?
  /// End of sequence.
  public let eos: TokenID?
  /// Stands for text that the vocabulary cannot express.
  public let unknown: TokenID?
  /// Fills up batches.
  public let padding: TokenID?
  /// End of a turn of conversation.
  public let endOfTurn: TokenID?
  /// Whether sequences begin with `bos`.
  public let addsBOS: Bool
  /// Every token that ends an answer: `eos`, `endOfTurn`, and those that the model's files name.
  public let stop: Set<TokenID>

  /// Names that end a turn, in the chat formats that Facet knows.
  static let endOfTurnNames = ["<end_of_turn>", "<|im_end|>", "<turn|>", "<|eot_id|>"]

  /// Pieces that are structure whatever kind a file gives them: Gemma's own `tokenizer.model` calls
  /// its turn markers user-defined text, and some GGUF files follow it.
  static let controlNames: Set<String> = [
    "<pad>", "<eos>", "<bos>", "<mask>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>",
    "<end_of_image>", "<2mass>", "[@BOS@]", "<|turn>", "<turn|>", "<|im_start|>", "<|im_end|>",
    "<|endoftext|>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "<start_function_declaration>",
    "<end_function_declaration>",
    "<start_function_call>", "<end_function_call>", "<start_function_response>",
    "<end_function_response>", "<escape>", "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>",
    "<|tool_response>", "<tool_response|>", "<|\"|>", "<|channel>", "<channel|>", "<|think|>",
  ]
}
