// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import FacetTensor

/// An adapter as PEFT keeps it: adapter_config.json and adapter_model.safetensors in a directory.
struct PEFTDirectory {
  let path: String

  static let configurationName = "adapter_config.json"
  static let weightsName = "adapter_model.safetensors"
  static let templateName = "chat_template.jinja"

  /// What stands before the name of a module of the base model.
  static let prefix = "base_model.model."
  /// What follows it, with what it means.
  static let suffixes: [(text: String, part: AdapterAssembly.Part)] = [
    (".lora_A.weight", .a), (".lora_B.weight", .b),
    (".lora_magnitude_vector", .magnitude), (".lora_magnitude_vector.weight", .magnitude),
  ]
  /// The parts of an adapter of the embedding, which Facet refuses.
  static let embeddingSuffixes = [".lora_embedding_A", ".lora_embedding_B"]

  /// The base model's own matrix, which PEFT repeats beside an adapter of a head.
  static let baseSuffix = ".base_layer.weight"

  private var weights: String { FileSystem.join(path, Self.weightsName) }

  /// Reads the directory, whose configuration is `configuration`.
  func open(_ configuration: JSON) throws(CheckpointError) -> AdapterCheckpoint {
    let settings = PEFTSettings(
      root: configuration, path: FileSystem.join(path, Self.configurationName))
    try settings.refuseOtherMethods()
    var result = try settings.configuration()
    guard FileSystem.exists(weights) else {
      throw CheckpointError(
        .notFound,
        "'\(path)' lacks \(Self.weightsName). Save the adapter again in the safetensors form.")
    }
    let file = try SafetensorsFile(storage: TensorStorage.mapped(weights), path: weights)
    var assembly = try AdapterAssembly(path: weights)
    for entry in file.tensors {
      guard let (name, part) = try Self.meaning(entry.name, path: weights) else { continue }
      try assembly.add(part, of: name, file.stored(entry))
    }
    let modules = try assembly.modules { (name, rank) throws(CheckpointError) in
      let (stated, alpha) = try settings.rankAndAlpha(of: name)
      guard stated == rank else {
        throw CheckpointError(
          .wrongShape,
          "'\(settings.path)' states a rank of \(stated) for '\(name)', and its factors in "
            + "\(Self.weightsName) have \(rank).")
      }
      return alpha / (result.usesRSLoRA ? Float(rank).squareRoot() : Float(rank))
    }
    for name in modules.keys {
      let (rank, alpha) = try settings.rankAndAlpha(of: name)
      if rank != result.rank { result.rankPattern[HuggingFaceNames.module(name)] = rank }
      if alpha != result.alpha { result.alphaPattern[HuggingFaceNames.module(name)] = alpha }
    }
    result.describe(modules)
    var adapter = AdapterCheckpoint(configuration: result, modules: modules, path: path)
    let template = FileSystem.join(path, Self.templateName)
    if FileSystem.exists(template) {
      adapter.chatTemplate = String(
        decoding: try FileSystem.read(template, limit: 1 << 24), as: UTF8.self)
    }
    return adapter
  }

  /// What a tensor's name means; nil for the parts of a model that Facet leaves alone.
  static func meaning(
    _ text: String, path: String
  ) throws(CheckpointError) -> (TensorName, AdapterAssembly.Part)? {
    guard text.hasPrefix(prefix) else { throw unknown(text, path) }
    let rest = text.dropFirst(prefix.count)
    if embeddingSuffixes.contains(where: rest.hasSuffix) {
      throw CheckpointError(
        .unsupported,
        "'\(text)' of '\(path)' changes the embedding, which Facet's adapters do not. Train it on "
          + "the matrices between.")
    }
    if rest.hasSuffix(baseSuffix) { return nil }
    guard let (suffix, part) = suffixes.first(where: { rest.hasSuffix($0.text) }) else {
      throw unknown(text, path)
    }
    let module = String(rest.dropLast(suffix.count))
    switch HuggingFaceNames(architecture: "gemma3").meaning(module + ".weight") {
    case .ignored: return nil
    case .unknown: throw unknown(text, path)
    case .tensor(let name): return (name, part)
    }
  }

  private static func unknown(_ text: String, _ path: String) -> CheckpointError {
    CheckpointError(
      .unexpectedTensor, "'\(path)' holds '\(text)', which Facet does not know in an adapter.")
  }
}

/// adapter_config.json of PEFT.
struct PEFTSettings {
  let root: JSON
  let path: String

  /// True when `root` is a configuration of PEFT.
  static func recognizes(_ root: JSON) -> Bool { root["peft_type"] != nil }

  /// Ways to begin that change the base model as well, so that the adapter alone says too little.
  private static let baseChangingBeginnings = ["pissa", "olora", "corda", "loftq", "lora_ga"]

  /// Throws where the adapter is of a kind that is not W + scale · B · A.
  func refuseOtherMethods() throws(CheckpointError) {
    let type = root["peft_type"]?.string ?? ""
    guard type == "LORA" else { throw refused("is of the type '\(type)', not LORA") }
    if let bias = root["bias"], bias.string != "none" { throw refused("trains biases") }
    let flags = ["fan_in_fan_out", "lora_bias", "use_qalora"]
    for flag in flags where root[flag]?.bool == true { throw refused("sets '\(flag)'") }
    let additions = [
      "modules_to_save", "target_parameters", "trainable_token_indices", "layer_replication",
      "alora_invocation_tokens", "arrow_config",
    ]
    for key in additions {
      guard let value = root[key], value.array?.isEmpty != true,
        value.object?.members.isEmpty != true
      else { continue }
      throw refused("sets '\(key)'")
    }
    if let beginning = root["init_lora_weights"]?.string?.lowercased(),
      Self.baseChangingBeginnings.contains(where: beginning.hasPrefix)
    {
      throw refused("began with '\(beginning)', which changes the base model too")
    }
  }

  /// What the file says, the modules left open.
  func configuration() throws(CheckpointError) -> AdapterConfiguration {
    var result = AdapterConfiguration(
      rank: try rank(root["r"] ?? .integer(8), "r"),
      alpha: try alpha(root["lora_alpha"] ?? .integer(8), "lora_alpha"),
      dropout: try number("lora_dropout") ?? 0)
    result.usesRSLoRA = root["use_rslora"]?.bool ?? false
    result.usesDoRA = root["use_dora"]?.bool ?? false
    result.baseModel = root["base_model_name_or_path"]?.string
    guard (0..<1).contains(result.dropout) else {
      throw impossible("lora_dropout", .number(Double(result.dropout)))
    }
    return result
  }

  /// The rank and the alpha of one module: the first pattern that matches it, else the common ones.
  func rankAndAlpha(of name: TensorName) throws(CheckpointError) -> (rank: Int, alpha: Float) {
    let module = HuggingFaceNames.module(name)
    let rankValue = try first("rank_pattern", for: module) ?? root["r"] ?? .integer(8)
    let alphaValue =
      try first("alpha_pattern", for: module) ?? root["lora_alpha"] ?? .integer(8)
    return (try rank(rankValue, "rank_pattern"), try alpha(alphaValue, "alpha_pattern"))
  }

  private func first(_ key: String, for module: String) throws(CheckpointError) -> JSON? {
    for member in root[key]?.object?.members ?? [] {
      guard let pattern = ModulePattern(member.key) else {
        throw CheckpointError(
          .unsupported,
          "'\(key)' of '\(path)' holds the pattern '\(member.key)', which Facet does not "
            + "understand. Write the names of the modules.")
      }
      if pattern.matches(module) { return member.value }
    }
    return nil
  }

  private func rank(_ value: JSON, _ key: String) throws(CheckpointError) -> Int {
    guard let rank = value.integer, AdapterConfiguration.ranks.contains(rank) else {
      throw impossible(key, value)
    }
    return rank
  }

  private func alpha(_ value: JSON, _ key: String) throws(CheckpointError) -> Float {
    guard let alpha = value.number.map({ Float($0) }), alpha.isFinite else {
      throw impossible(key, value)
    }
    return alpha
  }

  private func number(_ key: String) throws(CheckpointError) -> Float? {
    guard let value = root[key] else { return nil }
    guard let number = value.number.map({ Float($0) }), number.isFinite else {
      throw impossible(key, value)
    }
    return number
  }

  private func impossible(_ key: String, _ value: JSON) -> CheckpointError {
    CheckpointError(.malformed, "'\(key)' of '\(path)' is \(value.text), which cannot be.")
  }

  private func refused(_ what: String) -> CheckpointError {
    CheckpointError(
      .unsupported,
      "The adapter of '\(path)' \(what). Facet takes adapters that are products of two factors: LoRA, "
        + "rsLoRA, DoRA.")
  }
}
