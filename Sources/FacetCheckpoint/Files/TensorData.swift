// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// The numbers of a tensor on their way into a file.
public enum TensorData: Sendable {
  /// The bytes of a tensor, as they lie in memory or in the file it came from.
  case tensor(Tensor)
  /// Bytes made by someone else.
  case bytes([UInt8])
  /// Bytes that are made when they are written, `count` tensors one after the other.
  case parts(
    byteCount: Int, count: Int, make: @Sendable (Int) throws(CheckpointError) -> Tensor)

  /// Bytes of the data.
  public var byteCount: Int {
    switch self {
    case .tensor(let tensor): tensor.byteCount
    case .bytes(let bytes): bytes.count
    case .parts(let byteCount, _, _): byteCount
    }
  }
}

extension FileWriter {
  /// Appends the bytes of `data`; false when `isStopped` said so between two parts.
  @discardableResult
  mutating func write(
    _ data: TensorData, isStopped: () -> Bool = { false }
  ) throws(CheckpointError) -> Bool {
    switch data {
    case .tensor(let tensor): try write(bytesOf: tensor)
    case .bytes(let bytes): try write(bytes)
    case .parts(let byteCount, let count, let make):
      let start = self.count
      for part in 0..<count {
        if isStopped() { return false }
        try write(bytesOf: make(part))
      }
      precondition(self.count - start == byteCount, "parts of \(self.count - start) bytes")
    }
    return true
  }

  private mutating func write(bytesOf tensor: Tensor) throws(CheckpointError) {
    try write(tensor.bytes)
  }
}

/// Throws when `data` is not what a tensor of this type and shape takes.
func checkSize(
  of name: String, _ dtype: DType, _ shape: [Int], _ data: TensorData
) throws(CheckpointError) {
  var rows: Int? = 1
  for size in shape.dropLast() {
    let product = rows.map { $0.multipliedReportingOverflow(by: size) }
    rows = product.flatMap { $0.overflow || size < 0 ? nil : $0.partialValue }
  }
  guard let rows, let columns = shape.last,
    dtype.byteCount(rows: rows, columns: columns) == data.byteCount
  else {
    throw CheckpointError(
      .wrongShape,
      "Cannot write tensor '\(name)': \(data.byteCount) bytes are not \(shape) numbers of type "
        + "\(dtype).")
  }
}
