// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How the numbers of a tensor are stored: plain floats, or blocks of a GGUF quantisation.
///
/// The raw value is the type id of the GGUF format. The layout of every block is described in
/// docs/numerics.md; the C kernels hold the one implementation of each.
public enum DType: UInt32, Sendable, CaseIterable, Hashable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q4_1 = 3
  case q5_0 = 6
  case q5_1 = 7
  case q8_0 = 8
  case q2_K = 10
  case q3_K = 11
  case q4_K = 12
  case q5_K = 13
  case q6_K = 14
  case bf16 = 30

  /// The name users know the type by, as GGUF tools print it: `F32`, `Q4_K`.
  public var name: String {
    switch self {
    case .f32: "F32"
    case .f16: "F16"
    case .bf16: "BF16"
    case .q4_0: "Q4_0"
    case .q4_1: "Q4_1"
    case .q5_0: "Q5_0"
    case .q5_1: "Q5_1"
    case .q8_0: "Q8_0"
    case .q2_K: "Q2_K"
    case .q3_K: "Q3_K"
    case .q4_K: "Q4_K"
    case .q5_K: "Q5_K"
    case .q6_K: "Q6_K"
    }
  }

  /// Weights per block: 1 for plain floats, 32 for the legacy types, 256 for the K types.
  public var blockSize: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: 32
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K: 256
    }
  }

  /// Bytes per block.
  public var blockByteCount: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q4_0: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q2_K: 84
    case .q3_K: 110
    case .q4_K: 144
    case .q5_K: 176
    case .q6_K: 210
    }
  }

  /// True for the block types, false for F32, F16 and BF16.
  public var isQuantized: Bool { blockSize > 1 }

  /// Bytes of one row of `columns` weights, or nil when the row is not a whole number of blocks or
  /// the size does not fit an Int.
  public func rowByteCount(columns: Int) -> Int? {
    guard columns >= 0, columns.isMultiple(of: blockSize) else { return nil }
    let (bytes, overflow) = (columns / blockSize).multipliedReportingOverflow(by: blockByteCount)
    return overflow ? nil : bytes
  }

  /// Bytes of a `[rows, columns]` tensor, or nil as for ``rowByteCount(columns:)``.
  public func byteCount(rows: Int, columns: Int) -> Int? {
    guard rows >= 0, let row = rowByteCount(columns: columns) else { return nil }
    let (bytes, overflow) = row.multipliedReportingOverflow(by: rows)
    return overflow ? nil : bytes
  }
}

extension DType: CustomStringConvertible {
  /// The text a person reads.
  public var description: String { name }
}
