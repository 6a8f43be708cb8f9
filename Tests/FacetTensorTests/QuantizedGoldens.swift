// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTestSupport
import Foundation

/// Rows of weights and what independent implementations make of them (Tests/Goldens/PROVENANCE.md).
struct QuantizedGoldens {
  static let columns = 512

  /// The weights, [rows, columns].
  let weights: Tensor
  /// How much errors of each column count.
  let importance: [Float]

  init() throws {
    let values = Self.floats(try Self.bytes("rows.f32"))
    weights = try Tensor.floats(values, rows: values.count / Self.columns, columns: Self.columns)
    importance = Self.floats(try Self.bytes("importance.f32"))
  }

  /// The oracle's blocks of all rows.
  func blocks(_ dtype: DType, withImportance: Bool = false) throws -> Tensor {
    let tensor = try Tensor.zeros(rows: weights.rows, columns: weights.columns, dtype: dtype)
    tensor.writeBytes(try Self.bytes(dtype.name + (withImportance ? "-importance" : "") + ".bin"))
    return tensor
  }

  private static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: Goldens.path("quantize/" + name))))
  }

  private static func floats(_ bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: 4).map { at in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })
    }
  }
}

extension Tensor {
  /// All bytes, for comparisons.
  var byteArray: [UInt8] {
    let span = bytes
    return (0..<span.byteCount).map { span[byte: $0] }
  }
}

extension RawSpan {
  fileprivate subscript(byte index: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
  }
}

/// Σ over rows of Σ weight·(rounded − exact)² / Σ weight·exact²: a row counts as much as another,
/// whatever its size.
func relativeSquaredError(_ rounded: Tensor, _ exact: [Float], weight: [Float]) -> Double {
  let values = ReferenceBackend.dequantized(rounded)
  var total = 0.0
  for row in 0..<rounded.rows {
    var (error, power) = (0.0, 0.0)
    for column in 0..<rounded.columns {
      let (a, b) = (values[row * rounded.columns + column], exact[row * rounded.columns + column])
      error += Double(weight[column]) * Double(a - b) * Double(a - b)
      power += Double(weight[column]) * Double(b) * Double(b)
    }
    if power > 0 { total += error / power }
  }
  return total
}
