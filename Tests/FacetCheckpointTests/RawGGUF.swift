// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A GGUF file put together by hand, so that it can be wrong in every way.
struct RawGGUF {
  struct Tensor {
    var name: [UInt8]
    /// Sizes in the file's order: innermost first.
    var sizes: [UInt64]
    var type: UInt32 = 0
    var offset: UInt64 = 0

    init(_ name: String, _ sizes: [UInt64], type: UInt32 = 0, offset: UInt64 = 0) {
      self.name = Array(name.utf8)
      self.sizes = sizes
      self.type = type
      self.offset = offset
    }
  }

  var version: UInt32 = 3
  /// Keys with the bytes of their types and values.
  var metadata: [(key: [UInt8], value: [UInt8])] = []
  var tensors: [Tensor] = []
  var data: [UInt8] = []
  var tensorCount: UInt64?
  var entryCount: UInt64?
  var alignment = 32

  /// A sound model of the Llama architecture with one norm.
  init() {
    set("general.architecture", RawGGUF.string("llama"))
    for (key, value) in [
      ("block_count", 1), ("embedding_length", 8), ("feed_forward_length", 12),
      ("attention.head_count", 2),
    ] { set("llama.\(key)", RawGGUF.uint32(UInt32(value))) }
    set("tokenizer.ggml.model", RawGGUF.string("llama"))
    set("tokenizer.ggml.tokens", RawGGUF.strings(["<unk>", "<s>"]))
    tensors = [Tensor("output_norm.weight", [8])]
    data = [UInt8](repeating: 0, count: 32)
  }

  static func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + text.utf8 }
  static func uint32(_ value: UInt32) -> [UInt8] { little(UInt32(4)) + little(value) }
  static func int32(_ value: Int32) -> [UInt8] { little(UInt32(5)) + little(value) }
  static func float32(_ value: Float) -> [UInt8] { little(UInt32(6)) + little(value.bitPattern) }
  static func float64(_ value: Double) -> [UInt8] { little(UInt32(12)) + little(value.bitPattern) }
  static func bool(_ value: Bool) -> [UInt8] { little(UInt32(7)) + [value ? 1 : 0] }
  static func string(_ value: String) -> [UInt8] { little(UInt32(8)) + text(value) }
  static func array(_ element: UInt32, _ count: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    little(UInt32(9)) + little(element) + little(count) + bytes
  }
  static func strings(_ values: [String]) -> [UInt8] {
    array(8, UInt64(values.count), values.flatMap(text))
  }

  /// States `key`, in its old place when it is there already.
  mutating func set(_ key: String, _ value: [UInt8]) {
    let key = Array(key.utf8)
    if let index = metadata.firstIndex(where: { $0.key == key }) {
      metadata[index].value = value
    } else {
      metadata.append((key, value))
    }
  }

  mutating func remove(_ key: String) { metadata.removeAll { $0.key == Array(key.utf8) } }

  /// Everything before the data.
  var header: [UInt8] {
    var bytes = Array("GGUF".utf8) + little(version)
    bytes += little(tensorCount ?? UInt64(tensors.count))
    bytes += little(entryCount ?? UInt64(metadata.count))
    for (key, value) in metadata { bytes += little(UInt64(key.count)) + key + value }
    for tensor in tensors {
      bytes += little(UInt64(tensor.name.count)) + tensor.name
      bytes += little(UInt32(tensor.sizes.count)) + tensor.sizes.flatMap { little($0) }
      bytes += little(tensor.type) + little(tensor.offset)
    }
    return bytes
  }

  /// The whole file.
  var bytes: [UInt8] {
    let header = header
    let padding = (alignment - header.count % alignment) % alignment
    return header + [UInt8](repeating: 0, count: padding) + data
  }
}
