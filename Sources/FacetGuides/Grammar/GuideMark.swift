// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

/// Control tokens that a guide may ask for, each spelled by two bytes that no UTF-8 text holds.
package enum GuideMark: UInt8, Sendable, CaseIterable {
  /// Mistral v0.3: what follows is a list of calls.
  case toolCalls = 0x80
  /// FunctionGemma: a call begins and ends, a text begins and ends, the answer of a tool begins.
  case startCall, endCall, escape, startResponse
  /// Gemma 4: the same.
  case gemma4StartCall, gemma4EndCall, gemma4Quote, gemma4StartResponse

  /// The token's name.
  package var name: String {
    switch self {
    case .toolCalls: "[TOOL_CALLS]"
    case .startCall: "<start_function_call>"
    case .endCall: "<end_function_call>"
    case .escape: "<escape>"
    case .startResponse: "<start_function_response>"
    case .gemma4StartCall: "<|tool_call>"
    case .gemma4EndCall: "<tool_call|>"
    case .gemma4Quote: "<|\"|>"
    case .gemma4StartResponse: "<|tool_response>"
    }
  }

  /// The byte that begins every mark.
  static let lead: UInt8 = 0xFF

  /// What stands for the token in a grammar.
  package var bytes: [UInt8] { [Self.lead, rawValue] }

  /// The tokens of a vocabulary that are marks.
  static func tokens(of tokenizer: Tokenizer) -> [TokenID: GuideMark] {
    var result: [TokenID: GuideMark] = [:]
    for mark in allCases {
      guard let token = tokenizer.token(forPiece: mark.name), tokenizer.isControl(token) else {
        continue
      }
      result[token] = mark
    }
    return result
  }
}

extension GuideMark {
  /// Bytes in which marks stand for control tokens, as pieces of a conversation.
  static func parts(of bytes: [UInt8]) -> [ChatFormat.Part] {
    var parts: [ChatFormat.Part] = []
    var held: [UInt8] = []
    func flush() {
      guard !held.isEmpty else { return }
      parts.append(.text(String(decoding: held, as: UTF8.self), isSentence: false))
      held = []
    }
    var index = 0
    while index < bytes.count {
      if bytes[index] == lead, index + 1 < bytes.count,
        let mark = GuideMark(rawValue: bytes[index + 1])
      {
        flush()
        parts.append(.control(mark.name))
        index += 2
      } else {
        held.append(bytes[index])
        index += 1
      }
    }
    flush()
    return parts
  }
}
