// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// A tensor where it lies in a mapped file, with the shape that the file gives it.
struct StoredTensor {
  let name: String
  let path: String
  let storage: TensorStorage
  /// The first byte, from the beginning of the file.
  let offset: Int
  let dtype: DType
  /// Sizes outermost first.
  let shape: [Int]
}

/// Makes tensors of what lies in files.
enum Weights {
  /// A view of the file for a matrix; for a norm its multipliers in f32, one added to each for
  /// the files that store Gemma's norms centred on zero.
  static func view(
    _ stored: StoredTensor, role: TensorRole, addingOne: Bool
  ) throws(CheckpointError) -> Tensor {
    let rank = role.isNorm ? 1 : 2
    guard stored.shape.count == rank, let columns = stored.shape.last else {
      throw CheckpointError(
        .wrongShape,
        "tensor '\(stored.name)' of '\(stored.path)' has the shape \(stored.shape); it must have "
          + "\(rank == 1 ? "one dimension" : "two dimensions").")
    }
    let tensor: Tensor
    do {
      tensor = try Tensor(
        storage: stored.storage, byteOffset: stored.offset, dtype: stored.dtype,
        rows: rank == 1 ? 1 : stored.shape[0], columns: columns)
    } catch {
      throw CheckpointError(
        .malformed, "tensor '\(stored.name)' of '\(stored.path)': \(error.message)")
    }
    guard role.isNorm else { return tensor }
    return try multipliers(tensor, of: stored, addingOne: addingOne)
  }

  private static func multipliers(
    _ tensor: Tensor, of stored: StoredTensor, addingOne: Bool
  ) throws(CheckpointError) -> Tensor {
    if tensor.dtype == .f32, !addingOne, stored.offset.isMultiple(of: 4) { return tensor }
    var cursor = ByteCursor(tensor.bytes, path: stored.path)
    var values: [Float] = []
    values.reserveCapacity(tensor.columns)
    for _ in 0..<tensor.columns {
      let value: Float =
        switch tensor.dtype {
        case .f32: try cursor.float("A norm")
        case .bf16: Float(bitPattern: UInt32(try cursor.integer(UInt16.self, "A norm")) << 16)
        case .f16: Float(halfBits: try cursor.integer(UInt16.self, "A norm"))
        default:
          throw CheckpointError(
            .unsupported,
            "tensor '\(stored.name)' of '\(stored.path)' is a norm in \(tensor.dtype); norms must "
              + "be F32, F16 or BF16.")
        }
      values.append(addingOne ? 1 + value : value)
    }
    do {
      return try Tensor.vector(values)
    } catch {
      throw CheckpointError(.unreadable, error.message)
    }
  }
}

extension Float {
  /// The value of an IEEE half; every half is exact in f32.
  init(halfBits bits: UInt16) {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Float(bits & 0x3FF)
    self =
      switch exponent {
      case 0: sign * fraction * 0x1p-24
      case 31: fraction == 0 ? sign * .infinity : .nan
      default: sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
      }
  }
}
