// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A handle to a row-major matrix `[rows, columns]`: weights in their file's own bits, or f32
/// activations.
///
/// A vector is one row. Copying a tensor copies the handle, not the numbers.
public struct Tensor: Sendable {
  /// How the numbers are stored.
  public let dtype: DType
  /// Rows; output features of a weight matrix, tokens of an activation.
  public let rows: Int
  /// Numbers in a row; input features of a weight matrix.
  public let columns: Int

  package let storage: TensorStorage
  package let byteOffset: Int

  /// A view of `storage` from `byteOffset`; throws when it does not lie inside or a row is not a
  /// whole number of blocks.
  public init(
    storage: TensorStorage, byteOffset: Int, dtype: DType, rows: Int, columns: Int
  ) throws(TensorError) {
    guard let size = dtype.byteCount(rows: rows, columns: columns) else {
      throw TensorError(
        .outOfBounds,
        "\(rows) rows of \(columns) \(dtype) weights are not whole blocks of \(dtype.blockSize).")
    }
    guard byteOffset >= 0, byteOffset <= storage.byteCount, size <= storage.byteCount - byteOffset
    else {
      throw TensorError(
        .outOfBounds,
        "A tensor of \(size) bytes at offset \(byteOffset) ends beyond \(storage.byteCount) bytes.")
    }
    self.init(
      unchecked: storage, byteOffset: byteOffset, dtype: dtype, rows: rows, columns: columns)
  }

  private init(
    unchecked storage: TensorStorage, byteOffset: Int, dtype: DType, rows: Int, columns: Int
  ) {
    self.storage = storage
    self.byteOffset = byteOffset
    self.dtype = dtype
    self.rows = rows
    self.columns = columns
  }

  /// A zeroed `[rows, columns]` tensor of its own memory.
  public static func zeros(
    rows: Int, columns: Int, dtype: DType = .f32
  ) throws(TensorError) -> Tensor {
    guard let size = dtype.byteCount(rows: rows, columns: columns) else {
      throw TensorError(
        .outOfMemory, "A \(dtype) tensor of \(rows) × \(columns) cannot be laid out.")
    }
    let storage = try TensorStorage.allocate(byteCount: size)
    return Tensor(unchecked: storage, byteOffset: 0, dtype: dtype, rows: rows, columns: columns)
  }

  /// An f32 tensor holding `values`, which must be `rows × columns` of them.
  public static func floats(
    _ values: [Float], rows: Int, columns: Int
  ) throws(TensorError) -> Tensor {
    precondition(values.count == rows * columns, "\(values.count) values for \(rows) × \(columns)")
    let tensor = try zeros(rows: rows, columns: columns)
    tensor.write(values)
    return tensor
  }

  /// An f32 vector holding `values`.
  public static func vector(_ values: [Float]) throws(TensorError) -> Tensor {
    try floats(values, rows: 1, columns: values.count)
  }

  /// Numbers in the tensor.
  public var count: Int { rows * columns }
  /// Bytes of one row.
  public var rowByteCount: Int { columns / dtype.blockSize * dtype.blockByteCount }
  /// Bytes of the tensor.
  public var byteCount: Int { rows * rowByteCount }

  /// The rows `range` as a tensor of the same memory.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tensor(
      unchecked: storage, byteOffset: byteOffset + range.lowerBound * rowByteCount,
      dtype: dtype, rows: range.count, columns: columns)
  }

  /// The same numbers seen as rows of `columns`; used to see `[T, N·H]` as `[T·N, H]`.
  public func reshaped(columns newColumns: Int) -> Tensor {
    precondition(
      newColumns > 0 && count.isMultiple(of: newColumns) && newColumns % dtype.blockSize == 0,
      "\(rows) × \(columns) seen as rows of \(newColumns)")
    return Tensor(
      unchecked: storage, byteOffset: byteOffset, dtype: dtype,
      rows: count / newColumns, columns: newColumns)
  }

  /// The bytes of the tensor, for writers of files.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(
        _unsafeStart: UnsafeRawPointer(storage.base + byteOffset), byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Copies the numbers of an f32 tensor out.
  public func floats() -> [Float] {
    withFloats { span in
      unsafe [Float](unsafeUninitializedCapacity: span.count) { buffer, count in
        for index in span.indices { unsafe buffer[index] = span[index] }
        count = span.count
      }
    }
  }

  /// Lends the numbers of an f32 tensor to `body`.
  public func withFloats<R, E: Error>(_ body: (Span<Float>) throws(E) -> R) throws(E) -> R {
    precondition(dtype == .f32, "withFloats of a \(dtype) tensor")
    let pointer = unsafe (storage.base + byteOffset).assumingMemoryBound(to: Float.self)
    return try body(unsafe Span(_unsafeStart: pointer, count: count))
  }

  /// Lends the numbers of an f32 tensor of allocated memory to `body` for writing.
  public func withMutableFloats<R, E: Error>(
    _ body: (inout MutableSpan<Float>) throws(E) -> R
  ) throws(E) -> R {
    precondition(dtype == .f32 && !storage.isMapped, "withMutableFloats of a \(dtype) tensor")
    let pointer = unsafe (storage.base + byteOffset).assumingMemoryBound(to: Float.self)
    var span = unsafe MutableSpan(_unsafeStart: pointer, count: count)
    return try body(&span)
  }

  /// Overwrites the numbers of an f32 tensor.
  public func write(_ values: [Float]) {
    precondition(values.count == count, "\(values.count) values for \(rows) × \(columns)")
    withMutableFloats { span in
      for index in values.indices { span[index] = values[index] }
    }
  }

  /// Sets every number of a tensor of allocated memory, of any type, to zero.
  package func clear() {
    precondition(!storage.isMapped, "clear of a mapped tensor")
    unsafe (storage.base + byteOffset).initializeMemory(
      as: UInt8.self, repeating: 0, count: byteCount)
  }

  /// Overwrites every number of an f32 tensor.
  package func fill(_ value: Float) {
    withMutableFloats { span in
      for index in span.indices { span[index] = value }
    }
  }

  /// Overwrites the bytes of a tensor of allocated memory.
  package func writeBytes(_ bytes: [UInt8]) {
    precondition(bytes.count == byteCount && !storage.isMapped, "\(bytes.count) bytes")
    for (index, byte) in bytes.enumerated() {
      unsafe pointer.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
  }

  /// Overwrites a tensor of allocated memory with the bytes of another of its type and shape.
  package func overwrite(with other: Tensor) {
    precondition(
      other.dtype == dtype && other.byteCount == byteCount && !storage.isMapped,
      "\(other.byteCount) bytes of \(other.dtype)")
    unsafe pointer.copyMemory(from: other.pointer, byteCount: byteCount)
  }

  package var pointer: UnsafeMutableRawPointer { unsafe storage.base + byteOffset }

  package var floatPointer: UnsafeMutablePointer<Float> {
    precondition(dtype == .f32, "floatPointer of a \(dtype) tensor")
    return unsafe pointer.assumingMemoryBound(to: Float.self)
  }
}
