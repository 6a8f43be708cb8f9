// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import FacetTensor

extension HuggingFaceDirectory {
  /// The two dense layers that sentence-transformers keeps in folders of their own beside an encoder;
  /// none where there are none.
  func denseTensors() throws(CheckpointError) -> [TensorName: Tensor] {
    var tensors: [TensorName: Tensor] = [:]
    for (folder, role) in [("2_Dense", TensorRole.denseExpansion), ("3_Dense", .denseProjection)] {
      let weights = FileSystem.join(FileSystem.join(path, folder), HuggingFaceDirectory.weights)
      guard FileSystem.exists(weights) else { continue }
      try checkDense(FileSystem.join(FileSystem.join(path, folder), "config.json"))
      let file = try SafetensorsFile(storage: TensorStorage.mapped(weights), path: weights)
      guard file.tensors.count == 1, let entry = file.tensors.first, entry.name == "linear.weight"
      else {
        throw CheckpointError(
          .unexpectedTensor, "'\(weights)' must hold the one tensor 'linear.weight'.")
      }
      tensors[TensorName(role)] = try Weights.view(file.stored(entry), role: role, addingOne: false)
    }
    return tensors
  }

  /// Refuses a layer that does more than multiply.
  private func checkDense(_ path: String) throws(CheckpointError) {
    guard FileSystem.exists(path) else {
      throw CheckpointError(.notFound, "There is no '\(path)'. Download the model again.")
    }
    let config = try FileSystem.readJSON(path, limit: 1 << 20)
    let activation = config["activation_function"]?.string ?? "Identity"
    guard config["bias"]?.bool != true, activation.hasSuffix("Identity") else {
      throw CheckpointError(
        .unsupported,
        "'\(path)' describes a dense layer with a bias or the activation '\(activation)'; Facet runs "
          + "those that only multiply.")
    }
  }
}
