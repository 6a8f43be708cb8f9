// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import FacetTensor

extension AdapterCheckpoint {
  /// Writes the adapter as PEFT reads it: a directory with adapter_config.json and
  /// adapter_model.safetensors.
  ///
  /// Files of those names are replaced, each once the new one is complete; the configuration comes last.
  public func writePEFT(to directory: String) throws(CheckpointError) {
    guard rotaryLayout == .halfSplit else {
      throw CheckpointError(
        .unsupported,
        "The adapter has the rotary layout of llama's GGUF files, which PEFT does not know. Fit it to a "
          + "model and write that one's checkpoint.")
    }
    guard !modules.isEmpty else {
      throw CheckpointError(.missingTensor, "An adapter without matrices cannot be written.")
    }
    try FileSystem.createDirectory(directory)
    var weights = SafetensorsWriter()
    for (name, matrices) in ordered {
      let stem = PEFTDirectory.prefix + HuggingFaceNames.module(name)
      let (a, b) = (matrices.a, matrices.b)
      try weights.add(stem + ".lora_A.weight", .f32, shape: [a.rows, a.columns], .tensor(a))
      try weights.add(stem + ".lora_B.weight", .f32, shape: [b.rows, b.columns], .tensor(b))
      if let magnitude = matrices.magnitude {
        try weights.add(
          stem + ".lora_magnitude_vector", .f32, shape: [magnitude.columns], .tensor(magnitude))
      }
    }
    try weights.write(to: FileSystem.join(directory, PEFTDirectory.weightsName))
    if let chatTemplate {
      var file = try FileWriter(FileSystem.join(directory, PEFTDirectory.templateName))
      try file.write(Array(chatTemplate.utf8))
      try file.finish()
    }
    var file = try FileWriter(FileSystem.join(directory, PEFTDirectory.configurationName))
    try file.write(Array((JSON.object(settings).text + "\n").utf8))
    try file.finish()
  }

  /// The modules in an order that does not change from run to run.
  var ordered: [(key: TensorName, value: AdapterMatrices)] {
    modules.sorted { HuggingFaceNames.module($0.key) < HuggingFaceNames.module($1.key) }
  }

  /// adapter_config.json, its patterns the names of those modules that are not like most.
  private var settings: JSONObject {
    var (ranks, alphas) = (JSONObject(), JSONObject())
    for (name, matrices) in ordered {
      let (module, alpha) = (HuggingFaceNames.module(name), alpha(of: name, matrices))
      if matrices.rank != configuration.rank { _ = ranks.append(module, .integer(matrices.rank)) }
      if alpha != configuration.alpha { _ = alphas.append(module, .whole(alpha)) }
    }
    let (targets, layers) = targets
    let members: [(String, JSON)] = [
      ("peft_type", .string("LORA")), ("task_type", .string("CAUSAL_LM")),
      ("base_model_name_or_path", configuration.baseModel.map { .string($0) } ?? .null),
      ("r", .integer(configuration.rank)), ("lora_alpha", .whole(configuration.alpha)),
      ("lora_dropout", .whole(configuration.dropout)),
      ("use_rslora", .bool(configuration.usesRSLoRA)),
      ("use_dora", .bool(modules.values.contains { $0.magnitude != nil })),
      ("target_modules", .array(targets.map { .string($0) })),
      ("layers_to_transform", layers.map { .array($0.map { .integer($0) }) } ?? .null),
      ("rank_pattern", .object(ranks)), ("alpha_pattern", .object(alphas)),
      ("bias", .string("none")), ("fan_in_fan_out", .bool(false)),
      ("init_lora_weights", .bool(true)), ("inference_mode", .bool(true)),
      ("modules_to_save", .null),
    ]
    var result = JSONObject()
    for (key, value) in members { _ = result.append(key, value) }
    return result
  }

  /// The alpha that gives a module its scale.
  private func alpha(of name: TensorName, _ matrices: AdapterMatrices) -> Float {
    let rank = Float(matrices.rank)
    let divisor = configuration.usesRSLoRA ? rank.squareRoot() : rank
    for known in [configuration.alpha, configuration.alpha(of: name)]
    where known / divisor == matrices.scale { return known }
    return matrices.scale * divisor
  }

  /// What is adapted: names that end many modules and the layers, where that says it, else all names.
  private var targets: (modules: [String], layers: [Int]?) {
    let roles = Set(modules.keys.map(\.role))
    let layers = Set(modules.keys.compactMap(\.layer))
    guard !roles.contains(.head), modules.count == roles.count * layers.count else {
      return (ordered.map { HuggingFaceNames.module($0.key) }, nil)
    }
    let suffixes = roles.compactMap {
      HuggingFaceNames.module(TensorName($0, layer: 0)).split(separator: ".").last.map(String.init)
    }
    return (suffixes.sorted(), configuration.layers == nil ? nil : layers.sorted())
  }
}

extension JSON {
  /// A number, written without a fraction where it has none.
  fileprivate static func whole(_ value: Float) -> JSON {
    Int(exactly: value).map { .integer($0) } ?? .number(Double("\(value)") ?? Double(value))
  }
}
