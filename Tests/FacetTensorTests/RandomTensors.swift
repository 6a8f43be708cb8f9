// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor

/// Tensors of random values; the same for the same seed.
struct RandomTensors {
  private var random: RandomGenerator

  init(seed: UInt64 = 1) { random = RandomGenerator(seed: seed) }

  mutating func values(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in Float(random.uniform() * 2 - 1) * scale }
  }

  mutating func floats(_ rows: Int, _ columns: Int, scale: Float = 1) throws -> Tensor {
    try Tensor.floats(values(rows * columns, scale: scale), rows: rows, columns: columns)
  }

  /// Weights of any type: random bits, with half-precision scales of ordinary size.
  mutating func weights(_ dtype: DType, _ rows: Int, _ columns: Int) throws -> Tensor {
    if dtype == .f32 { return try floats(rows, columns) }
    let tensor = try Tensor.zeros(rows: rows, columns: columns, dtype: dtype)
    var bytes = (0..<tensor.byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    for block in stride(from: 0, to: bytes.count, by: dtype.blockByteCount) {
      for at in dtype.scaleOffsets {
        // f16 0x2c00 … 0x2fff is 0.0625 … 0.125; bf16 0x3d?? and 0xbd?? are about ±0.05.
        bytes[block + at + 1] =
          dtype == .bf16 ? 0x3d | (bytes[block] & 0x80) : 0x2c | (bytes[block + at + 1] & 3)
      }
    }
    tensor.writeBytes(bytes)
    return tensor
  }
}

extension DType {
  /// Where a block holds half-precision numbers.
  var scaleOffsets: [Int] {
    switch self {
    case .f32: []
    case .f16, .bf16, .q4_0, .q5_0, .q8_0: [0]
    case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
    case .q2_K: [80, 82]
    case .q3_K: [108]
    case .q6_K: [208]
    }
  }
}

/// The largest |a - b| in units of the largest |b|.
func relativeError(_ a: [Float], _ b: [Float]) -> Float {
  let scale = b.map(abs).max() ?? 0
  guard a.count == b.count, a.allSatisfy(\.isFinite), scale > 0 else { return .infinity }
  return zip(a, b).map { abs($0 - $1) }.max().map { $0 / scale } ?? 0
}
