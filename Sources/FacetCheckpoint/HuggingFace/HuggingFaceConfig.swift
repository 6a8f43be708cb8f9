// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

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
    if text["use_bidirectional_attention"]?.bool == true {
      throw CheckpointError(
        .unsupported, "'\(path)' describes a bidirectional model, which generates no text.")
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
    result.headWidth = try optionalSize("head_dim")
    result.vocabulary = try optionalSize("vocab_size") ?? (isGemma3 ? 262_208 : nil)
    result.contextLength = try optionalSize("max_position_embeddings")
    result.normEpsilon = float(text["rms_norm_eps"])
    result.slidingWindow = try optionalSize("sliding_window")
    result.slidingWindowPeriod = try optionalSize("sliding_window_pattern")
    result.attentionSoftCap = float(text["attn_logit_softcapping"])
    result.finalSoftCap = float(text["final_logit_softcapping"])
    result.queryPreAttentionScalar = float(text["query_pre_attn_scalar"])
    result.tiedEmbeddings = (text["tie_word_embeddings"] ?? root["tie_word_embeddings"])?.bool
    result.activation = (text["hidden_activation"] ?? text["hidden_act"])?.string
    result.slidingWindowPattern = try layerTypes(layers: result.layers)
    try readRotary(into: &result)
    return result
  }

  /// Tokens that end a text: one id or a list.
  static func stopTokens(_ value: JSON?) -> [Int32] {
    (value?.array ?? value.map { [$0] } ?? []).compactMap {
      $0.integer.flatMap { Int32(exactly: $0) }
    }
  }

  /// A special id of the configuration.
  func id(_ key: String) -> Int32? {
    HuggingFaceConfig.stopTokens(root[key] ?? text[key]).first
  }

  private func float(_ value: JSON?) -> Float? { value?.number.map { Float($0) } }

  private func optionalSize(_ key: String) throws(CheckpointError) -> Int? {
    guard let value = text[key] else { return nil }
    guard let size = value.integer, size > 0, size <= Int(Int32.max) else {
      throw CheckpointError(.malformed, "'\(key)' of '\(path)' is \(value.text), which cannot be.")
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
    result.ropeBase = float(text["rope_theta"])
    result.localRopeBase = float(text["rope_local_base_freq"])
    result.ropeScale = try linearFactor(text["rope_scaling"])
    guard let parameters = text["rope_parameters"] else { return }
    let global = parameters["full_attention"] ?? parameters
    result.ropeBase = float(global["rope_theta"]) ?? result.ropeBase
    result.ropeScale = try linearFactor(global) ?? result.ropeScale
    if let local = parameters["sliding_attention"] {
      result.localRopeBase = float(local["rope_theta"]) ?? result.localRopeBase
    }
  }

  private func linearFactor(_ scaling: JSON?) throws(CheckpointError) -> Float? {
    guard let scaling else { return nil }
    switch (scaling["rope_type"] ?? scaling["type"])?.string {
    case nil, "default": return nil
    case "linear": return float(scaling["factor"])
    case let other?:
      throw CheckpointError(
        .unsupported, "'\(path)' scales rotary positions by '\(other)'; Facet knows 'linear'.")
    }
  }
}
