// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetJSON
import FacetTokenizer
import Foundation

/// What `/api/generate` and `/api/chat` have in common.
struct OllamaRequest: Sendable {
  var fields: Fields
  var name: String
  var keepAlive: KeepAlive?
  var isStream: Bool
  var arrival = ContinuousClock.now

  init(_ fields: Fields) throws {
    self.fields = fields
    name = try OllamaNames.model(fields)
    keepAlive = try fields["keep_alive"].map { value throws(ServerError) in try KeepAlive(value) }
    isStream = try fields.bool("stream") ?? true
  }

  /// Whether the model is only to go.
  var unloads: Bool { keepAlive?.duration == .zero }

  /// The settings of the answer.
  func options(
    for model: ServedModel, _ settings: ServerSettings
  ) throws -> GenerationOptions {
    var options = model.defaultOptions
    if let wanted = try fields.fields("options") {
      try OllamaOptions.read(wanted.object, into: &options)
    }
    guard options.stop.count <= settings.maxStops else {
      throw ServerError(
        .invalidRequest,
        "option \"stop\" has \(options.stop.count) texts; at most \(settings.maxStops) are allowed")
    }
    options.guide = try guide() ?? options.guide
    try readLogProbabilities(&options)
    if let think = fields["think"], think.bool == true || think.string != nil {
      throw ServerError(.unsupported, "\"\(name)\" does not support thinking", parameter: "think")
    }
    return options
  }

  private func guide() throws(ServerError) -> Guide? {
    guard let format = fields["format"] else { return nil }
    switch format {
    case .string(""): return nil
    case .string("json"): return GuideReading.anyObject
    case .object: return GuideReading.schema(format)
    default:
      throw ServerError(
        .invalidRequest,
        "invalid format: \(format.text); expected \"json\" or a valid JSON Schema object",
        parameter: "format")
    }
  }

  private func readLogProbabilities(_ options: inout GenerationOptions) throws(ServerError) {
    let top = try fields.integer("top_logprobs") ?? 0
    guard (0...20).contains(top) else {
      throw ServerError(.invalidRequest, "top_logprobs must be between 0 and 20")
    }
    if try fields.bool("logprobs") ?? false { options.logProbabilities = top }
  }

  /// Refuses pictures: models are served with text only.
  static func refuseImages(_ fields: Fields, _ name: String) throws(ServerError) {
    guard let images = try fields.array("images"), !images.isEmpty else { return }
    throw ServerError(
      .unsupported, "\"\(name)\" does not support vision; it is served with text only",
      parameter: fields.path("images"))
  }
}

/// Names of models as Ollama's clients write them.
enum OllamaNames {
  /// The model that a request names, under `model` or the older `name`.
  static func model(_ fields: Fields) throws -> String {
    let name = try fields.string("model") ?? fields.string("name") ?? ""
    guard !name.isEmpty else {
      throw ServerError(.invalidRequest, "model is required", parameter: "model")
    }
    return library(name)
  }

  /// A place on the Hugging Face Hub is `hf:…` in the library.
  static func library(_ name: String) -> String {
    for host in ["hf.co/", "huggingface.co/"] where name.hasPrefix(host) {
      return "hf:" + name.dropFirst(host.count)
    }
    return name
  }
}

/// Pieces that Ollama's responses are made of.
enum OllamaShapes {
  /// The time, as RFC 3339 writes it.
  static var now: JSON { .string(time(Date())) }

  static func time(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  static func doneReason(_ reason: FinishReason) -> String { reason.isLength ? "length" : "stop" }

  static func nanoseconds(_ duration: Duration) -> JSON? {
    let parts = duration.components
    let value = Int(parts.seconds) * 1_000_000_000 + Int(parts.attoseconds / 1_000_000_000)
    return value > 0 ? .integer(value) : nil
  }

  /// What the last object of an answer says of its work.
  static func metrics(
    _ summary: GenerationSummary, load: Duration, arrival: ContinuousClock.Instant
  ) -> KeyValuePairs<String, JSON?> {
    [
      "total_duration": nanoseconds(ContinuousClock.now - arrival),
      "load_duration": nanoseconds(load), "prompt_eval_count": .integer(summary.promptTokens),
      "prompt_eval_duration": nanoseconds(summary.prefillTime),
      "eval_count": .integer(summary.generatedTokens),
      "eval_duration": nanoseconds(summary.decodeTime),
    ]
  }

  /// The log-probabilities of tokens.
  static func logProbabilities(
    _ tokens: [GeneratedToken], _ tokenizer: Tokenizer
  ) -> JSON {
    .array(
      tokens.filter { !tokenizer.special.stop.contains($0.id) }.map { token in
        .object(
          OpenAIShapes.entry(token.id, token.logProbability ?? 0, tokenizer).adding([
            "top_logprobs": token.alternatives.isEmpty
              ? nil : OpenAIShapes.alternatives(token, tokenizer)
          ]))
      })
  }

  /// What a stream ends with when something goes wrong.
  static let frame: @Sendable (ServerError) -> StreamFrame? = {
    StreamFrame(.record(["error": .string($0.message)]))
  }
}
