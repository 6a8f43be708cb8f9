// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// An adapter as llama.cpp keeps it: a GGUF file of the type "adapter".
enum GGUFAdapter {
  static let suffixes: [(text: String, part: AdapterAssembly.Part)] = [
    (".lora_a", .a), (".lora_b", .b),
  ]
  static let typeKey = "general.type"
  static let type = "adapter"
  static let methodKey = "adapter.type"
  static let method = "lora"
  static let alphaKey = "adapter.lora.alpha"
  static let baseNameKey = "general.base_model.0.name"

  static func open(_ file: GGUFFile) throws(CheckpointError) -> AdapterCheckpoint {
    guard file.text(typeKey) == type else {
      throw CheckpointError(
        .unsupported,
        "'\(file.path)' holds a \(file.text(typeKey) ?? "model"), not an adapter. Name it as the "
          + "model.")
    }
    guard file.text(methodKey) == method else {
      throw CheckpointError(
        .unsupported,
        "The adapter '\(file.path)' is of the type '\(file.text(methodKey) ?? "unknown")'; Facet "
          + "takes '\(method)'.")
    }
    let architecture = try file.require("general.architecture") { $0.string }
    guard let alpha = file[alphaKey]?.number.map({ Float($0) }), alpha.isFinite else {
      throw CheckpointError(
        .malformed, "'\(file.path)' lacks '\(alphaKey)', a number. Convert the adapter again.")
    }
    var assembly = try AdapterAssembly(path: file.path)
    for tensor in file.tensors {
      let (name, part) = try meaning(tensor.name, path: file.path)
      try assembly.add(part, of: name, stored(tensor, in: file))
    }
    // An alpha of 0 means none: the factors are taken as they are.
    let modules = try assembly.modules { _, rank in alpha == 0 ? 1 : alpha / Float(rank) }
    return AdapterCheckpoint(
      configuration: configuration(file, modules, alpha: alpha), modules: modules,
      rotaryLayout: architecture == "llama" ? .interleaved : .halfSplit, path: file.path,
      architecture: architecture)
  }

  private static func configuration(
    _ file: GGUFFile, _ modules: [TensorName: AdapterMatrices], alpha: Float
  ) -> AdapterConfiguration {
    let rank = modules.values.map(\.rank).max() ?? 1
    var result = AdapterConfiguration(rank: rank, alpha: alpha == 0 ? Float(rank) : alpha)
    for (name, matrices) in modules where matrices.rank != rank {
      result.rankPattern[HuggingFaceNames.module(name)] = matrices.rank
      if alpha == 0 { result.alphaPattern[HuggingFaceNames.module(name)] = Float(matrices.rank) }
    }
    result.baseModel = file.text(baseNameKey)
    result.describe(modules)
    return result
  }

  private static func meaning(
    _ text: String, path: String
  ) throws(CheckpointError) -> (TensorName, AdapterAssembly.Part) {
    guard let (suffix, part) = suffixes.first(where: { text.hasSuffix($0.text) }),
      let name = GGUFNames.name(String(text.dropLast(suffix.count)))
    else {
      throw CheckpointError(
        .unexpectedTensor, "'\(path)' holds '\(text)', which Facet does not know in an adapter.")
    }
    return (name, part)
  }

  private static func stored(
    _ tensor: GGUFTensor, in file: GGUFFile
  ) throws(CheckpointError) -> StoredTensor {
    guard let dtype = DType(rawValue: tensor.typeID) else {
      throw CheckpointError(
        .unsupported,
        "'\(tensor.name)' of '\(file.path)' is of a type that Facet does not read. Use F32, F16 or "
          + "BF16.")
    }
    return StoredTensor(
      name: tensor.name, path: file.path, storage: file.storage, offset: tensor.offset,
      dtype: dtype, shape: tensor.shape)
  }
}
