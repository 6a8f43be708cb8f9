// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// Tensors under names of their own in a safetensors file: the state of a training run.
public enum NamedTensors {
  /// Writes `tensors`, f32 each, to `path`; nothing is there until the file is complete.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:],
    to path: String
  ) throws(CheckpointError) {
    var writer = SafetensorsWriter()
    for (key, value) in metadata { writer.metadata[key] = value }
    for (name, tensor) in tensors {
      try writer.add(name, tensor.dtype, shape: [tensor.rows, tensor.columns], .tensor(tensor))
    }
    try writer.write(to: path)
  }

  /// The tensors of the file at `path`, which stays mapped.
  public static func read(_ path: String) throws(CheckpointError) -> [String: Tensor] {
    let file = try SafetensorsFile(storage: TensorStorage.mapped(path), path: path)
    var tensors: [String: Tensor] = [:]
    for entry in file.tensors {
      let stored = try file.stored(entry)
      guard entry.shape.count == 2 else {
        throw CheckpointError(
          .wrongShape, "tensor '\(entry.name)' of '\(path)' has the shape \(entry.shape).")
      }
      tensors[entry.name] = try CheckpointError.wrapping { () throws(TensorError) in
        try Tensor(
          storage: stored.storage, byteOffset: stored.offset, dtype: stored.dtype,
          rows: entry.shape[0], columns: entry.shape[1])
      }
    }
    return tensors
  }
}
