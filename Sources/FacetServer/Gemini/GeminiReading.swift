// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetTokenizer

/// Requests of the Gemini API; names may be in camel or in snake case.
enum GeminiReading {
  /// The conversation of `contents` and `systemInstruction`.
  static func conversation(_ fields: Fields) throws -> [ChatMessage] {
    if let tools = try fields.array("tools"), !tools.isEmpty {
      throw ServerError(.unsupported, "The model does not support tools.", parameter: "tools")
    }
    if let cached = try fields.string("cachedContent"), !cached.isEmpty {
      throw ServerError(
        .unsupported,
        "Cached contents are not offered; beginnings that are alike are cached anyway.",
        parameter: "cachedContent")
    }
    var messages: [ChatMessage] = []
    if let system = fields["systemInstruction"] {
      let text = try content(system, fields.path("systemInstruction"))
      if !text.isEmpty { messages.append(ChatMessage(.system, text)) }
    }
    guard let contents = fields["contents"] else { throw fields.missing("contents") }
    let list: [JSON] = contents.array ?? [contents]
    for (index, value) in list.enumerated() {
      let path = "contents[\(index)]"
      let text = try content(value, path)
      let role =
        try value.object.map { try Fields($0, at: path).string("role") ?? "user" } ?? "user"
      switch role {
      case "user", "": messages.append(ChatMessage(.user, text))
      case "model": messages.append(ChatMessage(.assistant, text))
      case "system": messages.append(ChatMessage(.system, text))
      default:
        throw ServerError(
          .invalidRequest, "'\(path).role' is '\(role)'; it must be user or model.",
          parameter: path + ".role")
      }
    }
    return messages
  }

  /// The text of a content: a string, or an object with parts that are all text.
  static func content(_ value: JSON, _ path: String) throws(ServerError) -> String {
    if let text = value.string { return text }
    let fields = try Fields(value, at: path, readsSnakeCase: true)
    var text = ""
    for part in try fields.list("parts") ?? [] {
      guard let piece = try part.string("text") else {
        throw ServerError(
          .unsupported, "'\(part.place)' is no text; models are served with text only.",
          parameter: part.place)
      }
      text += piece
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
