// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// Turns a GGUF file, or the pieces of a split one, into a checkpoint.
enum GGUFLayout {
  static func open(
    _ storage: TensorStorage, path: String
  ) throws(CheckpointError) -> Checkpoint {
    let files = try GGUFSplit.files(first: GGUFFile(storage: storage, path: path))
    let file = files[0]
    var description = try GGUFArchitecture.description(file)
    var tensors: [TensorName: Tensor] = [:]
    for file in files {
      for tensor in file.tensors {
        guard let name = try self.name(tensor, in: file, description) else { continue }
        let handle = try Weights.view(
          StoredTensor(
            name: tensor.name, path: file.path, storage: file.storage, offset: tensor.offset,
            dtype: try dtype(tensor, in: file), shape: tensor.shape),
          role: name.role, addingOne: false)
        guard tensors.updateValue(handle, forKey: name) == nil else {
          throw CheckpointError(.malformed, "'\(path)' holds tensor '\(tensor.name)' twice.")
        }
      }
    }
    description.tiedEmbeddings = tensors[TensorName(.head)] == nil
    if description.vocabulary == nil {
      description.vocabulary = tensors[TensorName(.embedding)]?.rows
    }
    return Checkpoint(
      path: path, format: .gguf, byteCount: files.reduce(0) { $0 + $1.storage.byteCount },
      architecture: description, tensors: tensors,
      tokenizer: .gguf(try GGUFArchitecture.tokenizer(file)),
      chatTemplate: file.text("tokenizer.chat_template"),
      generationDefaults: GGUFArchitecture.generationDefaults(file),
      metadata: file.metadata.map { MetadataEntry(key: $0.key, value: $0.value.text) })
  }

  /// The name in Facet of a tensor; nil for those that are to be left alone.
  private static func name(
    _ tensor: GGUFTensor, in file: GGUFFile, _ description: ArchitectureDescription
  ) throws(CheckpointError) -> TensorName? {
    guard let name = GGUFNames.name(tensor.name) else {
      throw CheckpointError(
        .unexpectedTensor,
        "'\(file.path)' holds tensor '\(tensor.name)', which Facet does not know in a "
          + "\(description.architecture) model.")
    }
    // Gemma ties its head to the embedding; some quantisers write a copy of it.
    if name.role == .head, description.architecture.hasPrefix("gemma") { return nil }
    return name
  }

  private static func dtype(
    _ tensor: GGUFTensor, in file: GGUFFile
  ) throws(CheckpointError) -> DType {
    if let type = DType(rawValue: tensor.typeID) { return type }
    let name = GGUFTensor.foreignTypeNames[tensor.typeID] ?? "number \(tensor.typeID)"
    throw CheckpointError(
      .unsupported,
      "tensor '\(tensor.name)' of '\(file.path)' is of type \(name), which Facet does not read. "
        + "Use a file in F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K.")
  }
}
