// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

extension AdapterCheckpoint {
  /// Writes the adapter as llama.cpp reads it: a GGUF file of the type "adapter".
  ///
  /// The form knows one alpha for all: where modules differ, their outer factors take up the rest.
  public func writeGGUF(to path: String) throws(CheckpointError) {
    guard let architecture,
      rotaryLayout == (architecture == "llama" ? .interleaved : .halfSplit)
    else {
      throw CheckpointError(
        .unsupported,
        "Cannot write '\(path)': the adapter is not in the form of a GGUF base. Fit it to a model and "
          + "write that one's checkpoint.")
    }
    guard !modules.isEmpty else {
      throw CheckpointError(.missingTensor, "An adapter without matrices cannot be written.")
    }
    if let name = ordered.first(where: { $0.value.magnitude != nil })?.key {
      throw CheckpointError(
        .unsupported,
        "Cannot write '\(path)': '\(name)' has magnitudes (DoRA), which GGUF adapters cannot hold. "
          + "Merge the adapter into its model instead (facet merge).")
    }
    var writer = GGUFWriter()
    writer.set("general.architecture", .string(architecture))
    writer.set(GGUFAdapter.typeKey, .string(GGUFAdapter.type))
    writer.set(GGUFAdapter.methodKey, .string(GGUFAdapter.method))
    writer.set(GGUFAdapter.alphaKey, .float32(configuration.alpha))
    if let base = configuration.baseModel {
      writer.set(GGUFAdapter.baseNameKey, .string(base))
    }
    for (name, matrices) in ordered {
      let text = GGUFNames.string(name)
      let b = try matrices.outerFactor(forScale: configuration.alpha / Float(matrices.rank))
      try writer.add(
        text + ".lora_a", .f32, shape: [matrices.rank, matrices.columns], .tensor(matrices.a))
      try writer.add(text + ".lora_b", .f32, shape: [matrices.rows, matrices.rank], .tensor(b))
    }
    try writer.write(to: path)
  }
}

extension AdapterMatrices {
  /// The outer factor with which `scale` does what the matrices' own scale does.
  fileprivate func outerFactor(forScale scale: Float) throws(CheckpointError) -> Tensor {
    guard scale != self.scale else { return b }
    let factor = self.scale / scale
    return try CheckpointError.wrapping { () throws(TensorError) in
      try Tensor.floats(b.floats().map { $0 * factor }, rows: b.rows, columns: b.columns)
    }
  }
}
