// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// One GGUF file, mapped: its metadata and its directory of tensors, every number of them checked
/// against the size of the file.
///
/// Layout (little-endian): magic, version, two counts; key–value pairs; tensor descriptions;
/// padding to the alignment; the data.
struct GGUFFile: Sendable {
  let path: String
  let storage: TensorStorage
  let version: UInt32
  /// Metadata in the file's order.
  let metadata: [(key: String, value: GGUFValue)]
  let tensors: [GGUFTensor]
  private let index: [String: Int]
  /// Where each value of the metadata lies, its type included.
  private let places: [Range<Int>]

  static let magic: UInt32 = 0x4655_4747  // "GGUF"

  /// Reads the header of the file at `path`, which `storage` maps.
  init(storage: TensorStorage, path: String) throws(CheckpointError) {
    var cursor = ByteCursor(storage.bytes, path: path)
    version = try GGUFFile.readVersion(&cursor)
    // A description takes at least: name length and name, dimensions, one size, type, offset.
    let tensorCount = try cursor.count("The number of tensors", bytesEach: 8 + 1 + 4 + 8 + 4 + 8)
    let entryCount = try cursor.count("The number of metadata entries", bytesEach: 8 + 1 + 4 + 1)
    var metadata: [(key: String, value: GGUFValue)] = []
    var index: [String: Int] = [:]
    var places: [Range<Int>] = []
    for _ in 0..<entryCount {
      let key = try cursor.name("A metadata key")
      let start = cursor.offset
      let value = try cursor.value(key: key)
      places.append(start..<cursor.offset)
      guard index.updateValue(metadata.count, forKey: key) == nil else {
        throw CheckpointError(
          .malformed, "'\(path)' states '\(key)' twice. Download the file again.")
      }
      metadata.append((key, value))
    }
    self.path = path
    self.storage = storage
    self.metadata = metadata
    self.index = index
    self.places = places
    let alignment = try GGUFFile.alignment(
      index["general.alignment"].map { metadata[$0].value }, path: path)
    tensors = try cursor.directory(count: tensorCount, alignment: alignment)
  }

  /// The value of `key`, nil when the file is silent.
  subscript(key: String) -> GGUFValue? { index[key].map { metadata[$0].value } }

  /// The bytes of the entry `key`, its type before its value.
  func copy(_ key: String) -> [UInt8]? { index[key].map { storage.bytes.copy(places[$0]) } }

  private static func readVersion(_ cursor: inout ByteCursor) throws(CheckpointError) -> UInt32 {
    guard try cursor.integer(UInt32.self, "The magic number") == magic else {
      throw CheckpointError(.malformed, "'\(cursor.path)' is not a GGUF file.")
    }
    let version = try cursor.integer(UInt32.self, "The version")
    guard (2...3).contains(version) else {
      let kind =
        (2...3).contains(version.byteSwapped) ? "big-endian GGUF" : "GGUF version \(version)"
      throw CheckpointError(
        .unsupported,
        "'\(cursor.path)' is \(kind); Facet reads little-endian versions 2 and 3. "
          + "Convert it with a current llama.cpp.")
    }
    return version
  }

  private static func alignment(
    _ value: GGUFValue?, path: String
  ) throws(CheckpointError) -> Int {
    guard let value else { return 32 }
    // A multiple of 8 keeps every number type aligned; the format's description asks for it.
    guard let alignment = value.integer, isAlignment(alignment) else {
      throw CheckpointError(
        .malformed,
        "general.alignment of '\(path)' is \(value.text); it must be a power of two from 8 to "
          + "1048576.")
    }
    return alignment
  }

  /// True for the powers of two that the data of tensors may be aligned to.
  static func isAlignment(_ value: Int) -> Bool {
    (8...1 << 20).contains(value) && value & (value - 1) == 0
  }
}

extension ByteCursor {
  /// Reads a key or a tensor name: a length and that many bytes.
  fileprivate mutating func name(_ what: StaticString) throws(CheckpointError) -> String {
    let start = offset
    let length = try count("The length of a name", bytesEach: 1)
    guard (1...65535).contains(length) else {
      throw CheckpointError(
        .malformed, "\(what) at offset \(start) of '\(path)' has \(length) bytes.")
    }
    return try string(length, what)
  }

  /// Reads the type and the value of `key`; arrays are passed over, not read.
  fileprivate mutating func value(key: String) throws(CheckpointError) -> GGUFValue {
    switch try valueType(key: key) {
    case .uint8: return .unsigned(UInt64(try integer(UInt8.self, "A metadata value")))
    case .uint16: return .unsigned(UInt64(try integer(UInt16.self, "A metadata value")))
    case .uint32: return .unsigned(UInt64(try integer(UInt32.self, "A metadata value")))
    case .uint64: return .unsigned(try integer(UInt64.self, "A metadata value"))
    case .int8: return .signed(Int64(try integer(Int8.self, "A metadata value")))
    case .int16: return .signed(Int64(try integer(Int16.self, "A metadata value")))
    case .int32: return .signed(Int64(try integer(Int32.self, "A metadata value")))
    case .int64: return .signed(try integer(Int64.self, "A metadata value"))
    case .float32: return .float(Double(try float("A metadata value")))
    case .float64:
      return .float(Double(bitPattern: try integer(UInt64.self, "A metadata value")))
    case .bool: return .bool(try integer(UInt8.self, "A metadata value") != 0)
    case .string:
      let length = try count("The length of a metadata string", bytesEach: 1)
      return .string(try string(length, "A metadata string"))
    case .array: return .array(try array(key: key, depth: 0))
    }
  }

  private mutating func valueType(key: String) throws(CheckpointError) -> GGUFValueType {
    let id = try integer(UInt32.self, "A metadata type")
    guard let type = GGUFValueType(rawValue: id) else {
      throw CheckpointError(
        .malformed, "'\(key)' of '\(path)' has the unknown type \(id). Download the file again.")
    }
    return type
  }

  /// Passes over an array and says where it lies.
  private mutating func array(key: String, depth: Int) throws(CheckpointError) -> GGUFArray {
    guard depth < 4 else {
      throw CheckpointError(.malformed, "'\(key)' of '\(path)' nests arrays too deeply.")
    }
    let element = try valueType(key: key)
    let count = try count("The length of an array", bytesEach: element.leastByteCount)
    let start = offset
    if let size = element.fixedByteCount {
      try skip(count * size, "An array")  // fits: count was checked against the file's size
    } else if element == .string {
      for _ in 0..<count {
        try skip(
          try self.count("The length of a string", bytesEach: 1), "A string of an array")
      }
    } else {
      for _ in 0..<count { _ = try array(key: key, depth: depth + 1) }
    }
    return GGUFArray(element: element, count: count, offset: start, byteCount: offset - start)
  }

  /// Reads the descriptions of `count` tensors and checks that they lie side by side in the data.
  fileprivate mutating func directory(
    count: Int, alignment: Int
  ) throws(CheckpointError) -> [GGUFTensor] {
    var stated: [(tensor: GGUFTensor, byteCount: Int?)] = []
    stated.reserveCapacity(count)
    for _ in 0..<count { stated.append(try description()) }
    let dataStart = min(bytes.byteCount, (offset + alignment - 1) / alignment * alignment)
    var tensors: [GGUFTensor] = []
    var names: Set<String> = []
    var regions: [(start: Int, end: Int, name: String)] = []
    for (tensor, byteCount) in stated {
      guard names.insert(tensor.name).inserted else {
        throw CheckpointError(.malformed, "'\(path)' holds tensor '\(tensor.name)' twice.")
      }
      guard tensor.offset.isMultiple(of: alignment) else {
        throw CheckpointError(
          .malformed,
          "tensor '\(tensor.name)' of '\(path)' lies at offset \(tensor.offset), which is not a "
            + "multiple of \(alignment). Download the file again.")
      }
      // A type that Facet does not know has no size here; whoever wants the tensor is told.
      let size = byteCount ?? 0
      guard tensor.offset <= bytes.byteCount - dataStart,
        size <= bytes.byteCount - dataStart - tensor.offset
      else {
        throw CheckpointError(
          .truncated,
          "tensor '\(tensor.name)' needs \(size) bytes at offset "
            + "\(UInt64(tensor.offset) + UInt64(dataStart)) of '\(path)'; the file ends at "
            + "\(bytes.byteCount). Download it again.")
      }
      let start = dataStart + tensor.offset
      regions.append((start, start + size, tensor.name))
      tensors.append(
        GGUFTensor(
          name: tensor.name, shape: tensor.shape, typeID: tensor.typeID, offset: start))
    }
    try checkDisjoint(&regions, path: path)
    return tensors
  }

  /// Reads one description; its offset still counts from the start of the data.
  private mutating func description() throws(CheckpointError) -> (GGUFTensor, byteCount: Int?) {
    let name = try name("A tensor's name")
    let rank = try integer(UInt32.self, "The dimensions of a tensor")
    guard (1...4).contains(rank) else {
      throw CheckpointError(
        .malformed, "tensor '\(name)' of '\(path)' has \(rank) dimensions; 1 to 4 are possible.")
    }
    var shape: [Int] = []
    for _ in 0..<rank {
      let size = try integer(UInt64.self, "The shape of a tensor")
      guard let size = Int(exactly: size), size > 0 else {
        throw CheckpointError(
          .malformed, "tensor '\(name)' of '\(path)' has a dimension of \(size).")
      }
      shape.insert(size, at: 0)
    }
    let typeID = try integer(UInt32.self, "The type of a tensor")
    let offset = try integer(UInt64.self, "The offset of a tensor")
    guard let offset = Int(exactly: offset) else {
      throw CheckpointError(
        .malformed, "tensor '\(name)' of '\(path)' lies at the impossible offset \(offset).")
    }
    let tensor = GGUFTensor(name: name, shape: shape, typeID: typeID, offset: offset)
    guard let type = DType(rawValue: typeID) else { return (tensor, nil) }
    return (tensor, try byteCount(of: tensor, type))
  }

  private func byteCount(of tensor: GGUFTensor, _ type: DType) throws(CheckpointError) -> Int {
    var rows = 1
    for size in tensor.shape.dropLast() {
      let (product, overflow) = rows.multipliedReportingOverflow(by: size)
      guard !overflow else { throw impossible(tensor, type) }
      rows = product
    }
    guard let columns = tensor.shape.last,
      let bytes = type.byteCount(rows: rows, columns: columns)
    else { throw impossible(tensor, type) }
    return bytes
  }

  private func impossible(_ tensor: GGUFTensor, _ type: DType) -> CheckpointError {
    CheckpointError(
      .malformed,
      "tensor '\(tensor.name)' of '\(path)' cannot be \(tensor.shape) numbers of type \(type).")
  }
}

/// Throws when two of `regions` share a byte.
func checkDisjoint(
  _ regions: inout [(start: Int, end: Int, name: String)], path: String
) throws(CheckpointError) {
  regions.sort { ($0.start, $0.end) < ($1.start, $1.end) }
  for (before, after) in zip(regions, regions.dropFirst()) where after.start < before.end {
    throw CheckpointError(
      .malformed,
      "tensors '\(before.name)' and '\(after.name)' of '\(path)' overlap. "
        + "Download the file again.")
  }
}
