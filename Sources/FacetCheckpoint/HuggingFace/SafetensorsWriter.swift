// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
public import FacetTensor

/// A safetensors file in the making: add tensors, then write it in one go.
public struct SafetensorsWriter: Sendable {
  private struct Entry {
    let name: String
    let dtype: DType
    let shape: [Int]
    let data: TensorData
  }

  private var entries: [Entry] = []
  /// Free text that goes into `__metadata__`.
  public var metadata: [String: String] = ["format": "pt"]

  /// Starts an empty file.
  public init() {}

  /// Adds a tensor in F32, F16 or BF16 whose sizes are given outermost first.
  public mutating func add(
    _ name: String, _ dtype: DType, shape: [Int], _ data: TensorData
  ) throws(CheckpointError) {
    guard SafetensorsFile.types[dtype.name] == dtype else {
      throw CheckpointError(
        .unsupported, "Tensor '\(name)' is \(dtype), which safetensors cannot hold.")
    }
    try checkSize(of: name, dtype, shape, data)
    guard !entries.contains(where: { $0.name == name }) else {
      throw CheckpointError(.malformed, "Tensor '\(name)' was added twice.")
    }
    entries.append(Entry(name: name, dtype: dtype, shape: shape, data: data))
  }

  /// Writes the file; nothing is at `path` until it is complete.
  ///
  /// Wider numbers come first, so that every tensor is aligned to its number type.
  public func write(to path: String) throws(CheckpointError) {
    let ordered = entries.sorted {
      (-$0.dtype.blockByteCount, $0.name) < (-$1.dtype.blockByteCount, $1.name)
    }
    var header = JSONObject()
    if !metadata.isEmpty {
      var object = JSONObject()
      for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
        _ = object.append(key, .string(value))
      }
      _ = header.append("__metadata__", .object(object))
    }
    var offset = 0
    for entry in ordered {
      var object = JSONObject()
      let end = offset + entry.data.byteCount
      _ = object.append("dtype", .string(entry.dtype.name))
      _ = object.append("shape", .array(entry.shape.map { .integer($0) }))
      _ = object.append("data_offsets", .array([.integer(offset), .integer(end)]))
      _ = header.append(entry.name, .object(object))
      offset = end
    }
    var text = Array(JSON.object(header).text.utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    var file = try FileWriter(path)
    try file.write(UInt64(text.count))
    try file.write(text)
    for entry in ordered { try file.write(entry.data) }
    try file.finish()
  }
}
