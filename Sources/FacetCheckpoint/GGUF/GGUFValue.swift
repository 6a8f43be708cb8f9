// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The type ids of metadata values in a GGUF file.
enum GGUFValueType: UInt32 {
  case uint8 = 0
  case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// Bytes of one value, nil for strings and arrays.
  var fixedByteCount: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }

  /// The fewest bytes that one value takes in the file: its length field for a string, its type
  /// and length for an array.
  var leastByteCount: Int { fixedByteCount ?? (self == .string ? 8 : 12) }

  /// The name in `facet show` and in messages.
  var name: String { "\(self)" }
}

/// Where an array of a GGUF file's metadata lies; it is read only when someone asks.
struct GGUFArray: Sendable, Hashable {
  let element: GGUFValueType
  let count: Int
  /// The first byte of the first element, from the beginning of the file.
  let offset: Int
  /// Bytes of all elements.
  let byteCount: Int
}

/// A value of a GGUF file's metadata.
enum GGUFValue: Sendable, Hashable {
  case unsigned(UInt64)
  case signed(Int64)
  case float(Double)
  case bool(Bool)
  case string(String)
  case array(GGUFArray)

  /// The value as a whole number, nil when it is not one or does not fit.
  var integer: Int? {
    switch self {
    case .unsigned(let value): Int(exactly: value)
    case .signed(let value): Int(exactly: value)
    case .float, .bool, .string, .array: nil
    }
  }

  /// The value as a number, nil when it is not one.
  var number: Double? {
    switch self {
    case .unsigned(let value): Double(value)
    case .signed(let value): Double(value)
    case .float(let value): value
    case .bool, .string, .array: nil
    }
  }

  /// How the value reads in a list.
  var text: String {
    switch self {
    case .unsigned(let value): "\(value)"
    case .signed(let value): "\(value)"
    case .float(let value): "\(Float(value))"
    case .bool(let value): "\(value)"
    case .string(let value): value
    case .array(let array): "[\(array.count) × \(array.element.name)]"
    }
  }
}
