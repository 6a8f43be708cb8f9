// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// The metadata keys of GGUF files, read into neutral descriptions.
enum GGUFArchitecture {
  static let supported = ["gemma", "gemma2", "gemma3", "gemma-embedding", "llama"]

  static func description(_ file: GGUFFile) throws(CheckpointError) -> ArchitectureDescription {
    let name = try file.require("general.architecture") { $0.string }
    guard supported.contains(name) else {
      throw CheckpointError(
        .unsupported,
        "'\(file.path)' holds a model of the architecture '\(name)'; Facet runs "
          + "\(supported.joined(separator: ", ")).")
    }
    let keys = Keys(file: file, prefix: name)
    let heads = try keys.require("attention.head_count")
    let keyValueHeads = try keys.size("attention.head_count_kv")
    var result = ArchitectureDescription(
      architecture: name == "gemma-embedding" ? "gemma3" : name,
      layers: try keys.require("block_count"),
      width: try keys.require("embedding_length"),
      feedForwardWidth: try keys.require("feed_forward_length"),
      queryHeads: heads, keyValueHeads: keyValueHeads ?? heads,
      rotaryLayout: name == "llama" ? .interleaved : .halfSplit)
    result.name = file.text("general.name")
    result.isBidirectional = name == "gemma-embedding"
    result.headWidth = try keys.headWidth(result)
    result.vocabulary = try keys.size("vocab_size")
    result.contextLength = try keys.size("context_length")
    result.normEpsilon = try keys.float("attention.layer_norm_rms_epsilon")
    result.ropeBase = try keys.float("rope.freq_base")
    result.localRopeBase = try keys.float("rope.freq_base_swa")
    result.ropeScale = try keys.ropeScale()
    result.slidingWindow = try keys.size("attention.sliding_window")
    result.attentionSoftCap = try keys.float("attn_logit_softcapping")
    result.finalSoftCap = try keys.float("final_logit_softcapping")
    try keys.readPattern(into: &result)
    try keys.rejectForeignParts()
    return result
  }

  static func tokenizer(_ file: GGUFFile) throws(CheckpointError) -> GGUFTokenizer {
    func array(_ key: String, _ types: Set<GGUFValueType>) throws(CheckpointError) -> GGUFArray? {
      guard let value = file[key] else { return nil }
      guard case .array(let array) = value, types.contains(array.element) else {
        throw CheckpointError(.malformed, "'\(key)' of '\(file.path)' is \(value.text).")
      }
      return array
    }
    guard let tokens = try array("tokenizer.ggml.tokens", [.string]) else {
      throw CheckpointError(
        .unsupported, "'\(file.path)' has no tokenizer (no 'tokenizer.ggml.tokens').")
    }
    let scores = try array("tokenizer.ggml.scores", [.float32])
    let types = try array("tokenizer.ggml.token_type", [.int32, .uint32])
    for (name, other) in [("scores", scores), ("token types", types)] {
      guard let other, other.count != tokens.count else { continue }
      throw CheckpointError(
        .malformed, "'\(file.path)' has \(tokens.count) tokens and \(other.count) \(name).")
    }
    return GGUFTokenizer(
      model: try file.require("tokenizer.ggml.model") { $0.string },
      pre: file.text("tokenizer.ggml.pre"),
      bos: file.id("tokenizer.ggml.bos_token_id"), eos: file.id("tokenizer.ggml.eos_token_id"),
      endOfTurn: file.id("tokenizer.ggml.eot_token_id"),
      unknown: file.id("tokenizer.ggml.unknown_token_id"),
      padding: file.id("tokenizer.ggml.padding_token_id"),
      addsBOS: file["tokenizer.ggml.add_bos_token"]?.bool,
      addsEOS: file["tokenizer.ggml.add_eos_token"]?.bool,
      addsSpacePrefix: file["tokenizer.ggml.add_space_prefix"]?.bool,
      path: file.path, storage: file.storage, tokens: tokens, scores: scores, types: types,
      merges: try array("tokenizer.ggml.merges", [.string]))
  }

  static func generationDefaults(_ file: GGUFFile) -> GenerationDefaults {
    let stops = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"]
      .compactMap { file.id($0) }
    return GenerationDefaults(
      stopTokens: stops,
      temperature: file["general.sampling.temp"]?.number.map { Float($0) },
      topK: file["general.sampling.top_k"]?.integer,
      topP: file["general.sampling.top_p"]?.number.map { Float($0) })
  }
}

/// The keys of one architecture: `gemma3.block_count` is `block_count` here.
private struct Keys {
  let file: GGUFFile
  let prefix: String

  /// A whole number of at least 1.
  func size(_ key: String) throws(CheckpointError) -> Int? {
    guard let value = file["\(prefix).\(key)"] else { return nil }
    guard let size = value.integer, size > 0, size <= Int(Int32.max) else {
      throw malformed(key, value)
    }
    return size
  }

  func require(_ key: String) throws(CheckpointError) -> Int {
    if let size = try size(key) { return size }
    throw CheckpointError(
      .malformed, "'\(file.path)' lacks '\(prefix).\(key)'. Convert the model again.")
  }

  func float(_ key: String) throws(CheckpointError) -> Float? {
    guard let value = file["\(prefix).\(key)"] else { return nil }
    guard let number = value.number.map({ Float($0) }), number.isFinite else {
      throw malformed(key, value)
    }
    return number
  }

  /// Gemma's head width is never derived; Llama's converters leave it out where it is D/H.
  func headWidth(_ description: ArchitectureDescription) throws(CheckpointError) -> Int? {
    let stated = try size("attention.key_length")
    for key in ["attention.value_length", "rope.dimension_count"] {
      guard let stated, let other = try size(key), other != stated else { continue }
      throw CheckpointError(
        .unsupported,
        "'\(file.path)' has heads of width \(stated) and '\(prefix).\(key)' \(other); Facet runs "
          + "models where they are equal.")
    }
    return stated
  }

  func ropeScale() throws(CheckpointError) -> Float? {
    switch file.text("\(prefix).rope.scaling.type") {
    case nil, "none": return try float("rope.scale_linear")
    case "linear": return try float("rope.scaling.factor")
    case let other?:
      throw CheckpointError(
        .unsupported,
        "'\(file.path)' scales rotary positions by '\(other)'; Facet knows 'linear'.")
    }
  }

  /// The pattern is one number (every n-th layer is global) or one truth value a layer.
  func readPattern(into description: inout ArchitectureDescription) throws(CheckpointError) {
    let key = "attention.sliding_window_pattern"
    guard let value = file["\(prefix).\(key)"] else { return }
    if let period = value.integer, period > 0 {
      description.slidingWindowPeriod = period
      return
    }
    guard case .array(let array) = value, array.element == .bool,
      array.count >= description.layers
    else { throw malformed(key, value) }
    let bytes = file.storage.bytes.copy(array.offset..<array.offset + description.layers)
    description.slidingWindowPattern = bytes.map { $0 != 0 }
  }

  /// Parts of other models that share these architecture names.
  func rejectForeignParts() throws(CheckpointError) {
    if let experts = file["\(prefix).expert_count"]?.integer, experts > 0 {
      throw CheckpointError(
        .unsupported, "'\(file.path)' is a mixture of \(experts) experts, which Facet cannot run.")
    }
  }

  private func malformed(_ key: String, _ value: GGUFValue) -> CheckpointError {
    CheckpointError(
      .malformed, "'\(prefix).\(key)' of '\(file.path)' is \(value.text), which cannot be.")
  }
}

extension GGUFValue {
  /// The value as text, nil when it is none.
  var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The value as truth, nil when it is none.
  var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }
}

extension GGUFFile {
  /// The text under `key`, nil when there is none.
  func text(_ key: String) -> String? { self[key]?.string }

  /// The token under `key`, nil when there is none; negative numbers mean none.
  func id(_ key: String) -> Int32? {
    self[key]?.integer.flatMap { Int32(exactly: $0) }.flatMap { $0 < 0 ? nil : $0 }
  }

  /// The value of `key`, which the file must state.
  func require<T>(
    _ key: String, _ convert: (GGUFValue) -> T?
  ) throws(CheckpointError) -> T {
    guard let value = self[key].flatMap(convert) else {
      throw CheckpointError(.malformed, "'\(path)' lacks '\(key)'. Convert the model again.")
    }
    return value
  }
}
