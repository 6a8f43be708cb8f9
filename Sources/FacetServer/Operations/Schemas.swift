// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// JSON Schemas of the requests' bodies, for `/openapi.json`.
enum Schemas {
  private static let text = JSON.record(["type": "string"])
  private static let whole = JSON.record(["type": "integer"])
  private static let number = JSON.record(["type": "number"])
  private static let flag = JSON.record(["type": "boolean"])
  private static let anything = JSON.record([:])
  private static let object = JSON.record(["type": "object"])

  private static func list(_ items: JSON) -> JSON { .record(["type": "array", "items": items]) }

  private static func either(_ schemas: JSON...) -> JSON { .record(["anyOf": .array(schemas)]) }

  private static func object(
    _ properties: KeyValuePairs<String, JSON?>, required: [String] = []
  ) -> JSON {
    .record([
      "type": "object", "properties": .record(properties),
      "required": required.isEmpty ? nil : .strings(required),
    ])
  }

  private static let message = object(
    ["role": text, "content": either(text, list(object))], required: ["role"])

  static let named = object(["model": text, "name": text, "stream": flag])
  static let tokenize = object(["model": text, "prompt": text, "add_special_tokens": flag])
  static let detokenize = object(["model": text, "tokens": list(whole)], required: ["tokens"])
  static let conversation = object(
    ["model": text, "messages": list(message)], required: ["messages"])

  private static let input = either(text, list(text), list(whole), list(list(whole)))

  static let chat = object(
    [
      "model": text, "messages": list(message), "max_tokens": whole,
      "max_completion_tokens": whole, "temperature": number, "top_p": number, "top_k": whole,
      "n": whole, "stream": flag, "stream_options": object(["include_usage": flag]),
      "stop": either(text, list(text)), "seed": whole, "logprobs": flag, "top_logprobs": whole,
      "logit_bias": object, "presence_penalty": number, "frequency_penalty": number,
      "response_format": object, "tools": list(object), "tool_choice": anything,
      "ignore_eos": flag, "user": text,
    ], required: ["messages"])

  static let completion = object(
    [
      "model": text, "prompt": input, "max_tokens": whole, "temperature": number, "top_p": number,
      "n": whole, "stream": flag, "stream_options": object(["include_usage": flag]),
      "logprobs": whole, "echo": flag, "stop": either(text, list(text)), "seed": whole,
      "presence_penalty": number, "frequency_penalty": number, "logit_bias": object,
      "suffix": text, "best_of": whole, "ignore_eos": flag, "user": text,
    ], required: ["prompt"])

  static let embeddings = object(
    [
      "model": text, "input": input, "encoding_format": .record(["enum": ["float", "base64"]]),
      "dimensions": whole, "user": text,
    ], required: ["input"])

  private static let options = object([
    "temperature": number, "top_k": whole, "top_p": number, "min_p": number, "seed": whole,
    "num_predict": whole, "stop": list(text), "repeat_penalty": number,
  ])

  static let generate = object(
    [
      "model": text, "prompt": text, "system": text, "suffix": text, "raw": flag, "stream": flag,
      "format": either(text, object), "options": options, "keep_alive": either(text, number),
      "context": list(whole), "images": list(text), "logprobs": flag, "top_logprobs": whole,
    ], required: ["model"])

  static let ollamaChat = object(
    [
      "model": text, "messages": list(message), "stream": flag, "format": either(text, object),
      "options": options, "keep_alive": either(text, number), "tools": list(object),
      "logprobs": flag, "top_logprobs": whole,
    ], required: ["model"])

  static let ollamaEmbed = object(
    [
      "model": text, "input": either(text, list(text)), "truncate": flag, "dimensions": whole,
      "keep_alive": either(text, number), "options": options,
    ], required: ["model"])

  static let ollamaPrompt = object(["model": text, "prompt": text], required: ["model"])

  static let create = object(
    [
      "model": text, "from": text, "files": object, "system": text, "parameters": object,
      "messages": list(message), "license": either(text, list(text)), "stream": flag,
    ], required: ["model"])

  static let copy = object(
    ["source": text, "destination": text], required: ["source", "destination"])

  static let messages = object(
    [
      "model": text, "messages": list(message), "system": either(text, list(object)),
      "max_tokens": whole, "temperature": number, "top_p": number, "top_k": whole,
      "stop_sequences": list(text), "stream": flag, "tools": list(object),
    ], required: ["model", "messages"])

  static let contents = object([
    "contents": list(object(["role": text, "parts": list(object(["text": text]))])),
    "systemInstruction": object, "generationConfig": object, "content": object,
    "requests": list(object),
  ])

  static let infer = object([
    "id": text, "inputs": list(object), "outputs": list(object), "parameters": object,
    "text_input": text,
  ])

  static let predict = object(
    ["instances": list(either(text, object)), "parameters": object], required: ["instances"])
}
