// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// A GGUF file in the making: add metadata and tensors, then write it in one go.
public struct GGUFWriter: Sendable {
  /// A metadata value in the types that Facet writes.
  public enum Value: Sendable, Hashable {
    case uint32(UInt32)
    case int32(Int32)
    case uint64(UInt64)
    case float32(Float)
    case bool(Bool)
    case string(String)
    case strings([String])
    case int32s([Int32])
    case float32s([Float])
    case bools([Bool])
    /// A value as it stands in another file, its type before it.
    case copied([UInt8])
  }

  /// The metadata in the order of the file; `general.architecture` comes first by custom.
  public private(set) var metadata: [(key: String, value: Value)] = []
  /// Data of every tensor begins at a multiple of this many bytes: what `general.alignment` says,
  /// else 32.
  public var alignment: Int {
    guard
      case .uint32(let stated)? = metadata.first(where: { $0.key == "general.alignment" })?.value
    else { return 32 }
    return Int(stated)
  }

  private struct Entry {
    let name: String
    let dtype: DType
    let shape: [Int]
    let data: TensorData
  }

  private var entries: [Entry] = []
  private var names: Set<String> = []

  /// Starts an empty file.
  public init() {}

  /// Adds a metadata entry; keys must differ.
  public mutating func set(_ key: String, _ value: Value) {
    if let index = metadata.firstIndex(where: { $0.key == key }) {
      metadata[index].value = value
    } else {
      metadata.append((key, value))
    }
  }

  /// Adds a tensor whose sizes are given outermost first.
  public mutating func add(
    _ name: String, _ dtype: DType, shape: [Int], _ data: TensorData
  ) throws(CheckpointError) {
    try checkSize(of: name, dtype, shape, data)
    guard shape.count <= 4, !shape.contains(0), (1...65535).contains(name.utf8.count) else {
      throw CheckpointError(
        .unsupported,
        "Tensor '\(name)' of the shape \(shape) cannot be in a GGUF file: a tensor has a name and "
          + "1 to 4 dimensions of at least 1.")
    }
    guard names.insert(name).inserted else {
      throw CheckpointError(.malformed, "Tensor '\(name)' was added twice.")
    }
    entries.append(Entry(name: name, dtype: dtype, shape: shape, data: data))
  }

  /// Writes the file; nothing is at `path` until it is complete.
  public func write(to path: String) throws(CheckpointError) {
    _ = try write(to: path) { _ in true }
  }

  /// Writes the file, asking before every tensor, by its number, whether to go on.
  ///
  /// Asks `isStopped` between the parts of a tensor, too. False when the writing was stopped; nothing
  /// is at `path` then.
  func write(
    to path: String, isStopped: () -> Bool = { false }, goesOn: (Int) -> Bool
  ) throws(CheckpointError) -> Bool {
    let alignment = alignment
    guard GGUFFile.isAlignment(alignment) else {
      throw CheckpointError(
        .malformed,
        "Cannot write '\(path)': general.alignment is \(alignment); it must be a power of two from "
          + "8 to 1048576.")
    }
    var file = try FileWriter(path)
    try writeHeader(&file)
    for (index, entry) in entries.enumerated() {
      guard goesOn(index) else { return false }
      try file.pad(to: alignment)
      guard try file.write(entry.data, isStopped: isStopped) else { return false }
    }
    try file.pad(to: alignment)
    try file.finish()
    return true
  }

  private func writeHeader(_ file: inout FileWriter) throws(CheckpointError) {
    try file.write(GGUFFile.magic)
    try file.write(UInt32(3))
    try file.write(UInt64(entries.count))
    try file.write(UInt64(metadata.count))
    for (key, value) in metadata {
      try file.write(string: key)
      try file.write(value)
    }
    var offset = 0
    for entry in entries {
      try file.write(string: entry.name)
      try file.write(UInt32(entry.shape.count))
      for size in entry.shape.reversed() { try file.write(UInt64(size)) }
      try file.write(entry.dtype.rawValue)
      try file.write(UInt64(offset))
      offset += (entry.data.byteCount + alignment - 1) / alignment * alignment
    }
  }
}

extension FileWriter {
  fileprivate mutating func write(string: String) throws(CheckpointError) {
    try write(UInt64(string.utf8.count))
    try write(Array(string.utf8))
  }

  private mutating func write(type: GGUFValueType) throws(CheckpointError) {
    try write(type.rawValue)
  }

  private mutating func write(arrayOf type: GGUFValueType, _ count: Int) throws(CheckpointError) {
    try write(type: .array)
    try write(type: type)
    try write(UInt64(count))
  }

  fileprivate mutating func write(_ value: GGUFWriter.Value) throws(CheckpointError) {
    switch value {
    case .uint32(let value):
      try write(type: .uint32)
      try write(value)
    case .int32(let value):
      try write(type: .int32)
      try write(value)
    case .uint64(let value):
      try write(type: .uint64)
      try write(value)
    case .float32(let value):
      try write(type: .float32)
      try write(value.bitPattern)
    case .bool(let value):
      try write(type: .bool)
      try write(UInt8(value ? 1 : 0))
    case .string(let value):
      try write(type: .string)
      try write(string: value)
    case .strings(let values):
      try write(arrayOf: .string, values.count)
      for value in values { try write(string: value) }
    case .int32s(let values):
      try write(arrayOf: .int32, values.count)
      for value in values { try write(value) }
    case .float32s(let values):
      try write(arrayOf: .float32, values.count)
      for value in values { try write(value.bitPattern) }
    case .bools(let values):
      try write(arrayOf: .bool, values.count)
      for value in values { try write(UInt8(value ? 1 : 0)) }
    case .copied(let bytes): try write(bytes)
    }
  }
}
