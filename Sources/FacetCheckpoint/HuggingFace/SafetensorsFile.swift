// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import FacetTensor

/// One safetensors file, mapped: its directory of tensors, checked against the file's size.
///
/// Layout: the length of the header (u64, little-endian), the header (a JSON object of names with
/// type, shape and place), the data.
struct SafetensorsFile: Sendable {
  /// A tensor as the header states it.
  struct Entry: Sendable, Hashable {
    let name: String
    /// The number type as the format writes it, such as `BF16`.
    let type: String
    /// Sizes outermost first.
    let shape: [Int]
    /// The first byte, from the beginning of the file.
    let offset: Int
    let byteCount: Int
  }

  let path: String
  let storage: TensorStorage
  let tensors: [Entry]

  /// The number types that Facet reads, by their names in the format.
  static let types: [String: DType] = ["F32": .f32, "F16": .f16, "BF16": .bf16]

  /// The largest header that the format allows.
  private static let headerLimit = 100_000_000

  init(storage: TensorStorage, path: String) throws(CheckpointError) {
    var cursor = ByteCursor(storage.bytes, path: path)
    let length = try cursor.count("The length of the header", bytesEach: 1)
    guard length <= SafetensorsFile.headerLimit else {
      throw CheckpointError(.malformed, "'\(path)' states a header of \(length) bytes.")
    }
    let text = try cursor.byteArray(length, "The header")
    let json: JSON
    do { json = try JSONReader.read(text, path: path) } catch { throw CheckpointError(error) }
    guard let header = json.object else {
      throw CheckpointError(.malformed, "The header of '\(path)' is not an object.")
    }
    var tensors: [Entry] = []
    var regions: [(start: Int, end: Int, name: String)] = []
    for member in header.members where member.key != "__metadata__" {
      let entry = try SafetensorsFile.entry(
        member.key, member.value, dataStart: cursor.offset, size: storage.byteCount, path: path)
      tensors.append(entry)
      regions.append((entry.offset, entry.offset + entry.byteCount, entry.name))
    }
    try checkDisjoint(&regions, path: path)
    self.path = path
    self.storage = storage
    self.tensors = tensors
  }

  /// True when the file begins like one of this format.
  static func recognizes(_ storage: TensorStorage) -> Bool {
    var cursor = ByteCursor(storage.bytes, path: "")
    guard let length = try? cursor.integer(UInt64.self, "The length of the header"),
      length >= 2, length <= UInt64(headerLimit)
    else { return false }
    return (try? cursor.integer(UInt8.self, "The header")) == UInt8(ascii: "{")
  }

  private static func entry(
    _ name: String, _ value: JSON, dataStart: Int, size: Int, path: String
  ) throws(CheckpointError) -> Entry {
    guard let type = value["dtype"]?.string, let shape = value["shape"]?.array,
      let place = value["data_offsets"]?.array, place.count == 2,
      let start = place[0].integer, let end = place[1].integer, start >= 0, end >= start
    else {
      throw CheckpointError(
        .malformed,
        "The header of '\(path)' does not say type, shape and place of tensor '\(name)'.")
    }
    guard end <= size - dataStart else {
      throw CheckpointError(
        .truncated,
        "tensor '\(name)' needs \(end - start) bytes at offset "
          + "\(UInt64(start) + UInt64(dataStart)) of '\(path)'; the file ends at \(size). "
          + "Download it again.")
    }
    var sizes: [Int] = []
    var count = 1
    for element in shape {
      let extent = element.integer ?? -1
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow, sizes.count < 8 else {
        throw CheckpointError(.malformed, "tensor '\(name)' of '\(path)' has an impossible shape.")
      }
      sizes.append(extent)
      count = product
    }
    if let type = types[type], type.byteCount(rows: 1, columns: count) != end - start {
      throw CheckpointError(
        .malformed,
        "tensor '\(name)' of '\(path)' has \(end - start) bytes; \(count) numbers of type \(type) "
          + "do not.")
    }
    return Entry(
      name: name, type: type, shape: sizes, offset: dataStart + start, byteCount: end - start)
  }

  /// Where the numbers of `entry` lie.
  func stored(_ entry: Entry) throws(CheckpointError) -> StoredTensor {
    guard let dtype = SafetensorsFile.types[entry.type] else {
      throw CheckpointError(
        .unsupported,
        "tensor '\(entry.name)' of '\(path)' is of type \(entry.type), which Facet does not "
          + "read. Use a file in F32, F16 or BF16.")
    }
    guard entry.offset.isMultiple(of: dtype.blockByteCount) else {
      throw CheckpointError(
        .unsupported,
        "tensor '\(entry.name)' of '\(path)' lies at offset \(entry.offset), which is not a "
          + "multiple of its number size \(dtype.blockByteCount). Save the file again with a "
          + "current safetensors.")
    }
    return StoredTensor(
      name: entry.name, path: path, storage: storage, offset: entry.offset, dtype: dtype,
      shape: entry.shape)
  }
}
