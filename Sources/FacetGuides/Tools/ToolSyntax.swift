// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// How a family of models writes calls of tools.
public enum ToolSyntax: String, Sendable, Hashable, Codable, CaseIterable {
  /// Google's convention for Gemma 3, which knows no control tokens for it: a line
  /// `{"name": NAME, "parameters": {…}}`, asked for in the instructions.
  case lines
  /// Hermes, Qwen and others of ChatML: `<tool_call>\n{"name": NAME, "arguments": {…}}\n</tool_call>`.
  case hermes
  /// Mistral v0.3: the control token `[TOOL_CALLS]` and `[{"name": NAME, "arguments": {…}}, …]`.
  case mistral
  /// FunctionGemma: `call:NAME{name:value,…}` between control tokens, texts between `<escape>`.
  case functionGemma
  /// Gemma 4: the same with control tokens of its own, `<|tool_call>call:NAME{name:value,…}<tool_call|>`, texts
  /// between `<|"|>`.
  case gemma4

  /// How a model of `format` writes calls; without words of its own for it, as lines.
  public init(_ format: ChatFormat, _ tokenizer: Tokenizer) {
    let marks = Set(GuideMark.tokens(of: tokenizer).values)
    switch format {
    case .chatML, .smolLM2: self = .hermes
    case .mistralV3 where marks.contains(.toolCalls): self = .mistral
    case .gemma where marks.isSuperset(of: [.startCall, .endCall, .escape, .startResponse]):
      self = .functionGemma
    case .gemma4
    where marks.isSuperset(of: [
      .gemma4StartCall, .gemma4EndCall, .gemma4Quote, .gemma4StartResponse,
    ]):
      self = .gemma4
    case .gemma, .gemma4, .llama2, .mistral, .mistralV3: self = .lines
    }
  }

  /// The key of the arguments.
  var argumentsKey: String { self == .lines ? "parameters" : "arguments" }

  /// What stands before the name of a call of `tool`, up to its arguments.
  func head(_ tool: String) -> [UInt8] {
    if marks != nil { return Array("call:\(tool)".utf8) }
    return Array("{\"name\": \"\(tool)\", \"\(argumentsKey)\": ".utf8)
  }

  /// What tells a call of `tool` from other text.
  func opener(_ tool: String) -> [UInt8] {
    switch self {
    case .lines: Array("{\"name\": \"\(tool)\"".utf8)
    case .hermes: Array("<tool_call>".utf8)
    case .mistral: GuideMark.toolCalls.bytes
    case .functionGemma: GuideMark.startCall.bytes
    case .gemma4: GuideMark.gemma4StartCall.bytes
    }
  }

  /// How arguments are written.
  var form: ValueForm {
    switch self {
    case .functionGemma: .functionGemma
    case .gemma4: .gemma4
    case .lines, .hermes, .mistral: .json
    }
  }

  /// The control tokens around a call and before a tool's answer, where a syntax has them.
  var marks: (start: GuideMark, end: GuideMark, response: GuideMark)? {
    switch self {
    case .functionGemma: (.startCall, .endCall, .startResponse)
    case .gemma4: (.gemma4StartCall, .gemma4EndCall, .gemma4StartResponse)
    case .lines, .hermes, .mistral: nil
    }
  }

  /// What closes a call after its arguments.
  var closer: [UInt8] {
    switch self {
    case .hermes: Array("}\n</tool_call>".utf8)
    case .functionGemma: GuideMark.endCall.bytes
    case .gemma4: GuideMark.gemma4EndCall.bytes
    case .lines, .mistral: Array("}".utf8)
    }
  }

  /// Whether a call begins a line.
  var beginsLines: Bool { self == .lines }

  /// A call as it stands in a conversation.
  func text(_ call: ToolCall) -> String {
    String(decoding: head(call.name), as: UTF8.self) + call.arguments + "}"
  }
}
