// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON

/// config.json of a Hugging Face directory, read into a neutral description.
struct HuggingFaceConfig {
  /// The whole file.
  let root: JSON
  /// The part about the text model: `text_config` in multimodal files.
  private let text: JSON
  private let path: String

  static let supported = ["gemma", "gemma2", "gemma3_text", "gemma3", "llama", "mistral"]

  init(_ root: JSON, path: String) {
    self.root = root
    self.path = path
    text = root["text_config"] ?? root
  }

  /// The description; `name` is that of the directory.
  func description(name: String) throws(CheckpointError) -> ArchitectureDescription {
    let type = root["model_type"]?.string ?? "nothing"
    guard HuggingFaceConfig.supported.contains(type) else {
      throw CheckpointError(
        .unsupported,
        "'\(path)' describes a model of type '\(type)'; Facet runs "
          + "\(HuggingFaceConfig.supported.joined(separator: ", ")).")
    }
    let isGemma3 = type.hasPrefix("gemma3")
    // Early multimodal Gemma 3 files leave out what the 4B model shares with the library's defaults.
    let heads = try size("num_attention_heads", default: isGemma3 ? 8 : nil)
    var result = ArchitectureDescription(
      architecture: isGemma3 ? "gemma3" : type,
      layers: try size("num_hidden_layers", default: nil),
      width: try size("hidden_size", default: nil),
      feedForwardWidth: try size("intermediate_size", default: nil), queryHeads: heads,
      keyValueHeads: try size("num_key_value_heads", default: isGemma3 ? 4 : heads))
    result.name = name
    result.isBidirectional = isGemma3 && text["use_bidirectional_attention"]?.bool == true
    result.headWidth = try optionalSize("head_dim")
    result.vocabulary = try optionalSize("vocab_size") ?? (isGemma3 ? 262_208 : nil)
    result.contextLength = try optionalSize("max_position_embeddings")
    result.normEpsilon = try float("rms_norm_eps", in: text)
    result.initializerRange = try float("initializer_range", in: text)
    result.slidingWindow = try optionalSize("sliding_window")
    result.slidingWindowPeriod = try optionalSize("sliding_window_pattern")
    result.attentionSoftCap = try float("attn_logit_softcapping", in: text)
    result.finalSoftCap = try float("final_logit_softcapping", in: text)
    result.queryPreAttentionScalar = try float("query_pre_attn_scalar", in: text)
    let tied = "tie_word_embeddings"
    result.tiedEmbeddings = try value(tied, in: text[tied] == nil ? root : text) { $0.bool }
    let activation = text["hidden_activation"] == nil ? "hidden_act" : "hidden_activation"
    result.activation = try value(activation, in: text) { $0.string }
    result.slidingWindowPattern = try layerTypes(layers: result.layers)
    try readRotary(into: &result)
    return result
  }

  /// Tokens that end a text: one id or a list; files write −1 for none.
  static func stopTokens(_ value: JSON?) -> [Int32] {
    (value?.array ?? value.map { [$0] } ?? []).compactMap {
      $0.integer.flatMap { Int32(exactly: $0) }.flatMap { $0 < 0 ? nil : $0 }
    }
  }

  /// Special ids of the configuration.
  func ids(_ key: String) -> [Int32] { HuggingFaceConfig.stopTokens(root[key] ?? text[key]) }

  /// A special id of the configuration.
  func id(_ key: String) -> Int32? { ids(key).first }

  /// The value of `key`, nil where `object` is silent; a value of another kind is an error, for a
  /// setting that is passed over would change what the model says.
  private func value<T>(
    _ key: String, in object: JSON, _ convert: (JSON) -> T?
  ) throws(CheckpointError) -> T? {
    guard let value = object[key] else { return nil }
    guard let result = convert(value) else { throw impossible(key, value) }
    return result
  }

  private func float(_ key: String, in object: JSON) throws(CheckpointError) -> Float? {
    try value(key, in: object) { $0.number.map { Float($0) }.flatMap { $0.isFinite ? $0 : nil } }
  }

  private func impossible(_ key: String, _ value: JSON) -> CheckpointError {
    CheckpointError(.malformed, "'\(key)' of '\(path)' is \(value.text), which cannot be.")
  }

  private func optionalSize(_ key: String) throws(CheckpointError) -> Int? {
    guard let value = text[key] else { return nil }
    guard let size = value.integer, size > 0, size <= Int(Int32.max) else {
      throw impossible(key, value)
    }
    return size
  }

  private func size(_ key: String, default fallback: Int?) throws(CheckpointError) -> Int {
    guard let size = try optionalSize(key) ?? fallback else {
      throw CheckpointError(.malformed, "'\(path)' lacks '\(key)'. Download it again.")
    }
    return size
  }

  private func layerTypes(layers: Int) throws(CheckpointError) -> [Bool]? {
    guard let types = text["layer_types"]?.array else { return nil }
    var pattern: [Bool] = []
    for type in types {
      switch type.string {
      case "sliding_attention": pattern.append(true)
      case "full_attention": pattern.append(false)
      default:
        throw CheckpointError(
          .unsupported, "'\(path)' has layers of the type \(type.text), which Facet cannot run.")
      }
    }
    guard pattern.count == layers else {
      throw CheckpointError(
        .malformed, "'\(path)' lists \(pattern.count) layer types for \(layers) layers.")
    }
    return pattern
  }

  /// Rotary settings, in the three ways that files have written them.
  private func readRotary(into result: inout ArchitectureDescription) throws(CheckpointError) {
    result.ropeBase = try float("rope_theta", in: text)
    result.localRopeBase = try float("rope_local_base_freq", in: text)
    result.ropeScale = try linearFactor(text["rope_scaling"])
    guard let parameters = text["rope_parameters"] else { return }
    let global = parameters["full_attention"] ?? parameters
    result.ropeBase = try float("rope_theta", in: global) ?? result.ropeBase
    result.ropeScale = try linearFactor(global) ?? result.ropeScale
    if let local = parameters["sliding_attention"] {
      result.localRopeBase = try float("rope_theta", in: local) ?? result.localRopeBase
    }
  }

  private func linearFactor(_ scaling: JSON?) throws(CheckpointError) -> Float? {
    guard let scaling else { return nil }
    switch (scaling["rope_type"] ?? scaling["type"])?.string {
    case nil, "default": return nil
    case "linear":
      guard let factor = try float("factor", in: scaling) else {
        throw CheckpointError(
          .malformed, "'\(path)' scales rotary positions and lacks the 'factor'. Download it again."
        )
      }
      return factor
    case let other?:
      throw CheckpointError(
        .unsupported, "'\(path)' scales rotary positions by '\(other)'; Facet knows 'linear'.")
    }
  }
}
