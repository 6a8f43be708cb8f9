// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// A tensor of the Open Inference protocol, as far as texts need one: strings and single values.
struct InferenceTensor: Sendable {
  var name: String
  var values: [JSON]

  /// The tensor that `fields` describe; `data` are the bytes of tensors that follow the JSON.
  init(_ fields: Fields, data: inout ArraySlice<UInt8>) throws(ServerError) {
    name = try fields.text("name")
    let type = try fields.text("datatype")
    let count = try Self.count(fields)
    if let size = try fields.fields("parameters")?.integer("binary_data_size") {
      guard size >= 0, size <= data.count else {
        throw ServerError(
          .invalidRequest,
          "'\(fields.path("parameters")).binary_data_size' is \(size); \(data.count) bytes follow.")
      }
      let bytes = data.prefix(size)
      data = data.dropFirst(size)
      values = try Self.values(bytes, type, name)
    } else {
      values = Self.flat(try fields.array("data") ?? [])
    }
    guard values.count == count else {
      throw ServerError(
        .invalidRequest,
        "The input '\(name)' has \(values.count) values; its shape has \(count).", parameter: name)
    }
  }

  private static func count(_ fields: Fields) throws(ServerError) -> Int {
    var count = 1
    for value in try fields.array("shape") ?? [] {
      guard let size = value.integer, (0...1 << 20).contains(size) else {
        throw fields.wrong("shape", "an array of sizes")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= 1 << 20 else { throw fields.wrong("shape", "smaller") }
      count = product
    }
    return count
  }

  /// Nested arrays are the same values in rows.
  private static func flat(_ values: [JSON]) -> [JSON] {
    values.flatMap { value in value.array.map(flat) ?? [value] }
  }

  /// Raw bytes: texts with their lengths before them, or numbers, little end first.
  private static func values(
    _ bytes: ArraySlice<UInt8>, _ type: String, _ name: String
  ) throws(ServerError) -> [JSON] {
    var rest = bytes
    var values: [JSON] = []
    func number(_ width: Int) -> UInt64? {
      guard rest.count >= width else { return nil }
      defer { rest = rest.dropFirst(width) }
      return rest.prefix(width).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    while !rest.isEmpty {
      switch type {
      case "BYTES":
        guard let length = number(4), length <= rest.count,
          let text = String(validating: rest.prefix(Int(length)), as: UTF8.self)
        else { throw malformed(name, type) }
        rest = rest.dropFirst(Int(length))
        values.append(.string(text))
      case "BOOL":
        guard let bits = number(1) else { throw malformed(name, type) }
        values.append(.bool(bits != 0))
      case "INT32", "UINT32":
        guard let bits = number(4) else { throw malformed(name, type) }
        let value = type == "INT32" ? Int(Int32(truncatingIfNeeded: bits)) : Int(bits)
        values.append(.integer(value))
      case "INT64", "UINT64":
        guard let bits = number(8) else { throw malformed(name, type) }
        values.append(.integer(Int(truncatingIfNeeded: bits)))
      case "FP32":
        guard let bits = number(4) else { throw malformed(name, type) }
        values.append(.number(Double(Float(bitPattern: UInt32(bits)))))
      case "FP64":
        guard let bits = number(8) else { throw malformed(name, type) }
        values.append(.number(Double(bitPattern: bits)))
      default: throw malformed(name, type)
      }
    }
    return values
  }

  private static func malformed(_ name: String, _ type: String) -> ServerError {
    ServerError(
      .invalidRequest, "The bytes of the input '\(name)' are no values of type \(type).",
      parameter: name)
  }

  /// Texts as the raw bytes of a tensor.
  static func bytes(_ texts: [String]) -> [UInt8] {
    texts.flatMap { text -> [UInt8] in
      let bytes = Array(text.utf8)
      let length = UInt32(truncatingIfNeeded: bytes.count)
      return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: length >> $0) } + bytes
    }
  }
}
