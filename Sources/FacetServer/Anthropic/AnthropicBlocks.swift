// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetJSON

/// The events of a message of Anthropic's API: blocks of text and calls, one open at a time.
struct AnthropicBlocks {
  private var frames: [StreamFrame] = []
  /// Whether the open block is text; nil: none is open.
  private var isText: Bool?
  private var index = 0
  /// Whether the message has begun.
  private(set) var hasBegun = false

  /// The events since the last time.
  mutating func takeFrames() -> [StreamFrame] {
    defer { frames = [] }
    return frames
  }

  mutating func begin(_ message: JSON) {
    hasBegun = true
    send("message_start", ["message": message])
  }

  mutating func add(_ part: AnswerPart) {
    switch part {
    case .text(let text), .abandoned(_, let text):
      if isText != true { open(.record(["type": "text", "text": ""]), isText: true) }
      send(
        "content_block_delta",
        [
          "index": .integer(index),
          "delta": .record(["type": "text_delta", "text": .string(text)]),
        ])
    case .callBegan(_, let id, let name):
      open(
        .record([
          "type": "tool_use", "id": .string(id), "name": .string(name), "input": .record([:]),
        ]), isText: false)
    case .arguments(_, let text):
      send(
        "content_block_delta",
        [
          "index": .integer(index),
          "delta": .record(["type": "input_json_delta", "partial_json": .string(text)]),
        ])
    case .call: close()
    }
  }

  /// Ends the message; one without a block has an empty one.
  mutating func finish(_ delta: JSON, _ usage: JSON) {
    if isText == nil, index == 0 { open(.record(["type": "text", "text": ""]), isText: true) }
    close()
    send("message_delta", ["delta": delta, "usage": usage])
    send("message_stop", [:])
  }

  private mutating func open(_ block: JSON, isText: Bool) {
    close()
    self.isText = isText
    send("content_block_start", ["index": .integer(index), "content_block": block])
  }

  private mutating func close() {
    guard isText != nil else { return }
    send("content_block_stop", ["index": .integer(index)])
    isText = nil
    index += 1
  }

  private mutating func send(_ type: String, _ members: KeyValuePairs<String, JSON?>) {
    let value = JSON.object(JSONObject().adding(["type": .string(type)]).adding(members))
    frames.append(StreamFrame(value, name: type))
  }
}
