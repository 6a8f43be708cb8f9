// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetJSON
import FacetTokenizer

/// The settings of an answer as OpenAI's clients, and those of llama.cpp and vLLM, name them.
enum OpenAIOptions {
  /// Reads them; what is not said is as the model's files recommend.
  static func read(
    _ fields: Fields, for model: ServedModel, _ settings: ServerSettings
  ) throws -> GenerationOptions {
    var options = model.defaultOptions
    try readSampling(fields, &options.sampling)
    if try fields.bool("ignore_eos") ?? false {
      for token in model.tokenizer.special.stop { options.sampling.logitBias[token] = -.infinity }
    }
    options.maxTokens =
      try fields.integer("max_completion_tokens") ?? fields.integer("max_tokens")
      ?? options.maxTokens
    if let stop = try stops(fields, "stop", settings) { options.stop = stop }
    options.guide = try GuideReading.openAI(fields) ?? options.guide
    return options
  }

  /// The stop texts under `key`, no more than the server allows.
  static func stops(
    _ fields: Fields, _ key: String, _ settings: ServerSettings
  ) throws(ServerError) -> [String]? {
    guard let stops = try fields.strings(key) else { return nil }
    guard stops.count <= settings.maxStops else {
      throw ServerError(
        .invalidRequest,
        "'\(fields.path(key))' has \(stops.count) texts; at most \(settings.maxStops) are allowed.",
        parameter: fields.path(key))
    }
    return stops
  }

  /// How many answers to one prompt.
  static func choices(_ fields: Fields, _ settings: ServerSettings) throws(ServerError) -> Int {
    let count = try fields.integer("n", in: 1...settings.maxChoices) ?? 1
    if let best = try fields.integer("best_of"), best != count {
      throw ServerError(
        .unsupported, "'best_of' is not offered; ask for n answers and choose.",
        parameter: "best_of")
    }
    return count
  }

  private static func readSampling(
    _ fields: Fields, _ sampling: inout Sampling
  ) throws {
    sampling.temperature = try fields.float("temperature") ?? sampling.temperature
    sampling.topP = try fields.float("top_p") ?? sampling.topP
    // -1 is how vLLM writes that all are kept.
    sampling.topK = max(0, try fields.integer("top_k") ?? sampling.topK)
    sampling.minP = try fields.float("min_p") ?? sampling.minP
    sampling.typicalP = try fields.float("typical_p") ?? sampling.typicalP
    sampling.repetitionPenalty =
      try fields.float("repetition_penalty") ?? fields.float("repeat_penalty")
      ?? sampling.repetitionPenalty
    if let penalty = try fields.float("presence_penalty"), penalty != 0 {
      sampling.presencePenalty = penalty
      sampling.penaltyWindow = -1
    }
    if let penalty = try fields.float("frequency_penalty"), penalty != 0 {
      sampling.frequencyPenalty = penalty
      sampling.penaltyWindow = -1
    }
    if let seed = try fields.integer("seed"), seed != -1 {
      sampling.seed = UInt64(bitPattern: Int64(seed))
    }
    try readBias(fields, &sampling)
  }

  private static func readBias(
    _ fields: Fields, _ sampling: inout Sampling
  ) throws(ServerError) {
    guard let biases = try fields.fields("logit_bias") else { return }
    for member in biases.object.members {
      guard let token = TokenID(member.key), token >= 0 else {
        throw ServerError(
          .invalidRequest, "'logit_bias' has the key '\(member.key)', which is no token id.",
          parameter: "logit_bias")
      }
      guard let bias = member.value.number, (-100...100).contains(bias) else {
        throw ServerError(
          .invalidRequest, "The bias of token \(token) must be a number between -100 and 100.",
          parameter: "logit_bias")
      }
      sampling.logitBias[token] = bias == -100 ? -.infinity : Float(bias)
    }
  }
}
