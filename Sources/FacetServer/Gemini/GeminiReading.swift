// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetJSON
import FacetTokenizer

/// Requests of the Gemini API; names may be in camel or in snake case.
enum GeminiReading {
  /// The conversation of `contents` and `systemInstruction`, with its tools.
  static func conversation(_ fields: Fields) throws -> Conversation {
    if let cached = try fields.string("cachedContent"), !cached.isEmpty {
      throw ServerError(
        .unsupported,
        "Cached contents are not offered; beginnings that are alike are cached anyway.",
        parameter: "cachedContent")
    }
    var conversation = Conversation()
    if let system = fields["systemInstruction"] {
      let text = try content(system, fields.path("systemInstruction"))
      if !text.isEmpty { conversation.add(.system, text) }
    }
    guard let contents = fields["contents"] else { throw fields.missing("contents") }
    let list: [JSON] = contents.array ?? [contents]
    for (index, value) in list.enumerated() {
      try add(value, "contents[\(index)]", to: &conversation)
    }
    for tool in try fields.list("tools") ?? [] {
      guard let functions = try tool.list("functionDeclarations") else {
        throw ServerError(
          .unsupported, "'\(tool.place)' has no functionDeclarations; other tools are not offered.",
          parameter: tool.place)
      }
      for function in functions { conversation.tools.append(try definition(function)) }
    }
    let choice = try fields.fields("toolConfig")?.fields("functionCallingConfig")
    if let choice { conversation.choice = try self.choice(choice) }
    return conversation
  }

  /// Adds a content: text, calls of tools or their results.
  private static func add(
    _ value: JSON, _ path: String, to conversation: inout Conversation
  ) throws {
    if let text = value.string { return conversation.add(.user, text) }
    let fields = try Fields(value, at: path, readsSnakeCase: true)
    let role = try fields.string("role") ?? "user"
    var text = ""
    var calls: [ToolCall] = []
    for part in try fields.list("parts") ?? [] {
      if let call = try part.fields("functionCall") {
        calls.append(
          ToolCall(
            id: try call.string("id") ?? ToolCall.randomID(), name: try call.text("name"),
            arguments: call["args"]?.text ?? "{}"))
      } else if let result = try part.fields("functionResponse") {
        let name = try result.text("name")
        let id = try result.string("id") ?? conversation.openCall(of: name)
        conversation.entries.append(
          .result(
            ToolResult(
              id: id ?? ToolCall.randomID(), name: name, content: result["response"]?.text ?? "{}"))
        )
      } else {
        text += try self.text(part)
      }
    }
    if !calls.isEmpty {
      conversation.entries.append(.calls(calls, text: text))
      return
    }
    switch role {
    case "user", "function", "":
      // A content of results alone says nothing else.
      if !text.isEmpty || role == "user" && fields["parts"]?.array?.isEmpty != false {
        conversation.add(.user, text)
      }
    case "model": conversation.add(.assistant, text)
    case "system": conversation.add(.system, text)
    default:
      throw ServerError(
        .invalidRequest, "'\(path).role' is '\(role)'; it must be user or model.",
        parameter: path + ".role")
    }
  }

  private static func definition(_ function: Fields) throws(ServerError) -> ToolDefinition {
    if function["parametersJsonSchema"] != nil {
      return try ChatReading.definition(function, "parametersJsonSchema")
    }
    guard let schema = function["parameters"] else {
      return try ChatReading.definition(function, "parameters")
    }
    let converted = function.object.without(["parameters"]).adding([
      "parameters": GeminiSchema.jsonSchema(schema)
    ])
    return try ChatReading.definition(
      Fields(converted, at: function.place, readsSnakeCase: true), "parameters")
  }

  private static func choice(_ fields: Fields) throws -> ToolChoice {
    switch try fields.string("mode") ?? "AUTO" {
    case "AUTO", "MODE_UNSPECIFIED": return .auto
    case "NONE": return .none
    case "ANY", "VALIDATED":
      let names = try fields.strings("allowedFunctionNames") ?? []
      return names.count == 1 ? .named(names[0]) : .required
    case let other:
      throw ServerError(
        .invalidRequest, "'\(fields.path("mode"))' is '\(other)'; it must be AUTO, ANY or NONE.",
        parameter: fields.path("mode"))
    }
  }

  /// The text of a content: a string, or an object with parts that are all text.
  static func content(_ value: JSON, _ path: String) throws(ServerError) -> String {
    if let text = value.string { return text }
    let fields = try Fields(value, at: path, readsSnakeCase: true)
    var text = ""
    for part in try fields.list("parts") ?? [] { text += try self.text(part) }
    return text
  }

  private static func text(_ part: Fields) throws(ServerError) -> String {
    guard let text = try part.string("text") else {
      throw ServerError(
        .unsupported, "'\(part.place)' is no text; models are served with text only.",
        parameter: part.place)
    }
    return text
  }

  /// The settings of `generationConfig`.
  static func options(
    _ fields: Fields, for model: ServedModel, _ settings: ServerSettings
  ) throws -> GenerationOptions {
    var options = model.defaultOptions
    guard let config = try fields.fields("generationConfig") else { return options }
    options.sampling.temperature = try config.float("temperature") ?? options.sampling.temperature
    options.sampling.topP = try config.float("topP") ?? options.sampling.topP
    options.sampling.topK = max(0, try config.integer("topK") ?? options.sampling.topK)
    if let penalty = try config.float("presencePenalty"), penalty != 0 {
      options.sampling.presencePenalty = penalty
      options.sampling.penaltyWindow = -1
    }
    if let penalty = try config.float("frequencyPenalty"), penalty != 0 {
      options.sampling.frequencyPenalty = penalty
      options.sampling.penaltyWindow = -1
    }
    if let seed = try config.integer("seed") {
      options.sampling.seed = UInt64(bitPattern: Int64(seed))
    }
    options.maxTokens = try config.integer("maxOutputTokens") ?? options.maxTokens
    if let stop = try OpenAIOptions.stops(config, "stopSequences", settings) { options.stop = stop }
    if try config.bool("responseLogprobs") ?? false {
      options.logProbabilities = try config.integer("logprobs", in: 0...20) ?? 0
    }
    options.guide = try guide(config) ?? options.guide
    return options
  }

  static func choices(_ fields: Fields, _ settings: ServerSettings) throws(ServerError) -> Int {
    try fields.fields("generationConfig")?.integer("candidateCount", in: 1...settings.maxChoices)
      ?? 1
  }

  private static func guide(_ config: Fields) throws(ServerError) -> Guide? {
    if let schema = config["responseJsonSchema"] { return GuideReading.schema(schema) }
    if let schema = config["responseSchema"] {
      return GuideReading.schema(GeminiSchema.jsonSchema(schema))
    }
    let type = try config.string("responseMimeType") ?? "text/plain"
    switch type {
    case "application/json": return GuideReading.anyObject
    case "text/plain": return nil
    default:
      throw ServerError(
        .unsupported, "'responseMimeType' is '\(type)'; it must be text/plain or application/json.",
        parameter: "responseMimeType")
    }
  }
}
