// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import FacetTensor

/// An adapter as mlx-lm keeps it: adapter_config.json and adapters.safetensors in a directory.
///
/// Its factors are the transposes of PEFT's, and its scale is the factor itself.
struct MLXDirectory {
  let path: String

  static let weightsName = "adapters.safetensors"
  static let suffixes: [(text: String, part: AdapterAssembly.Part)] = [
    (".lora_a", .a), (".lora_b", .b), (".m", .magnitude),
  ]

  /// True when `root` is a configuration of mlx-lm.
  static func recognizes(_ root: JSON) -> Bool {
    root["lora_parameters"] != nil || root["fine_tune_type"] != nil
  }

  /// Reads the directory, whose configuration is `root`.
  func open(_ root: JSON) throws(CheckpointError) -> AdapterCheckpoint {
    let stated = FileSystem.join(path, PEFTDirectory.configurationName)
    let kind = root["fine_tune_type"]?.string ?? "lora"
    guard kind == "lora" || kind == "dora" else {
      throw CheckpointError(
        .unsupported,
        "The adapter of '\(stated)' is of the type '\(kind)'; Facet takes lora and dora.")
    }
    let parameters = root["lora_parameters"]
    guard let scale = parameters?["scale"]?.number.map({ Float($0) }), scale.isFinite else {
      throw CheckpointError(
        .malformed, "'\(stated)' lacks the 'scale' of its 'lora_parameters', a number.")
    }
    let weights = FileSystem.join(path, Self.weightsName)
    guard FileSystem.exists(weights) else {
      throw CheckpointError(.notFound, "'\(path)' lacks \(Self.weightsName). Download it.")
    }
    let file = try SafetensorsFile(storage: TensorStorage.mapped(weights), path: weights)
    var assembly = try AdapterAssembly(path: weights)
    for entry in file.tensors {
      let (name, part) = try Self.meaning(entry.name, path: weights)
      try assembly.add(part, of: name, file.stored(entry), isTransposed: part != .magnitude)
    }
    let modules = try assembly.modules { _, _ in scale }
    return AdapterCheckpoint(
      configuration: configuration(root, modules, scale: scale), modules: modules, path: path)
  }

  /// The configuration in PEFT's terms, where the scale is alpha over the rank.
  private func configuration(
    _ root: JSON, _ modules: [TensorName: AdapterMatrices], scale: Float
  ) -> AdapterConfiguration {
    let ranks = modules.values.map(\.rank)
    let rank = ranks.max() ?? 1
    var result = AdapterConfiguration(rank: rank, alpha: scale * Float(rank))
    let dropout = Float(root["lora_parameters"]?["dropout"]?.number ?? 0)
    result.dropout = (0..<1).contains(dropout) ? dropout : 0
    for (name, matrices) in modules where matrices.rank != rank {
      result.rankPattern[HuggingFaceNames.module(name)] = matrices.rank
      result.alphaPattern[HuggingFaceNames.module(name)] = scale * Float(matrices.rank)
    }
    result.baseModel = root["model"]?.string
    result.describe(modules)
    return result
  }

  private static func meaning(
    _ text: String, path: String
  ) throws(CheckpointError) -> (TensorName, AdapterAssembly.Part) {
    if let (suffix, part) = suffixes.first(where: { text.hasSuffix($0.text) }),
      case .tensor(let name) = HuggingFaceNames(architecture: "gemma3").meaning(
        String(text.dropLast(suffix.count)) + ".weight")
    {
      return (name, part)
    }
    throw CheckpointError(
      .unexpectedTensor, "'\(path)' holds '\(text)', which Facet does not know in an adapter.")
  }
}
