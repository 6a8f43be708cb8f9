// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON

/// `options` of Ollama's requests, and the parameters of models made through its API.
///
/// As in Ollama, an option that is not known is passed over and one of the wrong type is refused. Those
/// that say how to run a model (`num_ctx`, `num_gpu`, `num_batch` …) are the server's to decide.
enum OllamaOptions {
  /// Changes `options` to what `object` says.
  static func read(
    _ object: JSONObject, into options: inout GenerationOptions
  ) throws(ServerError) {
    for member in object.members where member.value != .null {
      try read(member.key, member.value, into: &options)
    }
  }

  private static func read(
    _ key: String, _ value: JSON, into options: inout GenerationOptions
  ) throws(ServerError) {
    switch key {
    case "temperature": options.sampling.temperature = try float(key, value)
    case "top_p": options.sampling.topP = try float(key, value)
    case "min_p": options.sampling.minP = try float(key, value)
    case "typical_p": options.sampling.typicalP = try float(key, value)
    case "repeat_penalty": options.sampling.repetitionPenalty = try float(key, value)
    case "presence_penalty": options.sampling.presencePenalty = try float(key, value)
    case "frequency_penalty": options.sampling.frequencyPenalty = try float(key, value)
    case "top_k": options.sampling.topK = max(0, try integer(key, value))
    case "repeat_last_n": options.sampling.penaltyWindow = max(-1, try integer(key, value))
    case "seed":
      let seed = try integer(key, value)
      options.sampling.seed = seed == -1 ? nil : UInt64(bitPattern: Int64(seed))
    case "num_predict":
      // -1 and -2 are how Ollama writes that there is no limit but the context.
      let count = try integer(key, value)
      options.maxTokens = count < 0 ? nil : count
    case "stop": options.stop = try strings(key, value)
    case "num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep",
      "draft_num_predict":
      _ = try integer(key, value)
    case "use_mmap", "use_mlock", "numa", "low_vram":
      guard value.bool != nil else { throw wrong(key, "boolean") }
    default: break
    }
  }

  private static func float(_ key: String, _ value: JSON) throws(ServerError) -> Float {
    guard let number = value.number else { throw wrong(key, "float32") }
    return Float(number)
  }

  private static func integer(_ key: String, _ value: JSON) throws(ServerError) -> Int {
    // Ollama cuts fractions off.
    guard let number = value.number, abs(number) < 9e18 else { throw wrong(key, "integer") }
    return value.integer ?? Int(number)
  }

  private static func strings(_ key: String, _ value: JSON) throws(ServerError) -> [String] {
    guard let values = value.array else { throw wrong(key, "array") }
    let strings = values.compactMap(\.string)
    guard strings.count == values.count else {
      throw ServerError(
        .invalidRequest, "option \"\(key)\" must be of an array of strings", parameter: key)
    }
    return strings
  }

  private static func wrong(_ key: String, _ type: String) -> ServerError {
    ServerError(.invalidRequest, "option \"\(key)\" must be of type \(type)", parameter: key)
  }
}
