// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// An adapter while its file is read: the parts of every matrix, as they are found.
struct AdapterAssembly {
  /// A part of what is added to one matrix.
  enum Part: Sendable, Hashable {
    case a, b, magnitude
  }

  /// The file that is read, for messages.
  let path: String
  private var parts: [TensorName: [Part: Tensor]] = [:]
  private let backend: CPUBackend

  init(path: String) throws(CheckpointError) {
    self.path = path
    guard let backend = CPUBackend(threads: 1) else {
      throw CheckpointError(.unsupported, "This CPU has none of the instruction sets of Facet.")
    }
    self.backend = backend
  }

  /// Takes `stored`, the part `part` of the matrix `name`.
  mutating func add(
    _ part: Part, of name: TensorName, _ stored: StoredTensor, isTransposed: Bool = false
  ) throws(CheckpointError) {
    try check(name, stored)
    let tensor = try read(stored, isVector: part == .magnitude)
    let isNew =
      parts[name, default: [:]].updateValue(
        isTransposed ? try transposed(tensor) : tensor, forKey: part) == nil
    guard isNew else {
      throw CheckpointError(.malformed, "'\(path)' holds '\(stored.name)' twice.")
    }
  }

  /// The matrices, with the scale that `scale` gives for a module and its rank.
  func modules(
    scale: (TensorName, _ rank: Int) throws(CheckpointError) -> Float
  ) throws(CheckpointError) -> [TensorName: AdapterMatrices] {
    guard !parts.isEmpty else {
      throw CheckpointError(
        .missingTensor, "'\(path)' holds no matrix of an adapter that Facet knows.")
    }
    var modules: [TensorName: AdapterMatrices] = [:]
    for (name, parts) in parts {
      guard let a = parts[.a], let b = parts[.b] else {
        throw CheckpointError(
          .missingTensor,
          "'\(path)' holds only one factor for '\(name)'; an adapter has two. Download it again.")
      }
      guard a.rows == b.columns, parts[.magnitude].map({ $0.columns == b.rows }) ?? true else {
        throw CheckpointError(
          .wrongShape,
          "The factors for '\(name)' in '\(path)' are \(b.rows) × \(b.columns) and "
            + "\(a.rows) × \(a.columns), which do not fit together.")
      }
      let scale = try scale(name, a.rows)
      guard scale.isFinite else {
        throw CheckpointError(
          .malformed, "'\(path)' scales '\(name)' by \(scale), which cannot be.")
      }
      modules[name] = AdapterMatrices(a: a, b: b, magnitude: parts[.magnitude], scale: scale)
    }
    return modules
  }

  private func check(_ name: TensorName, _ stored: StoredTensor) throws(CheckpointError) {
    guard name.role == .embedding || name.role.isNorm else { return }
    throw CheckpointError(
      .unsupported,
      "'\(stored.name)' of '\(path)' changes the \(name.role == .embedding ? "embedding" : "norms"), "
        + "which Facet's adapters do not. Train it on the matrices between.")
  }

  /// The numbers of `stored` as f32 in memory of their own.
  private func read(_ stored: StoredTensor, isVector: Bool) throws(CheckpointError) -> Tensor {
    let shape = stored.shape
    guard isVector ? shape.count == 1 || shape.first == 1 && shape.count == 2 : shape.count == 2,
      let columns = shape.last, !shape.contains(0)
    else {
      throw CheckpointError(
        .wrongShape,
        "'\(stored.name)' of '\(path)' has the shape \(shape); it must have "
          + "\(isVector ? "one dimension" : "two dimensions").")
    }
    let rows = isVector ? 1 : shape[0]
    let result = try CheckpointError.wrapping { () throws(TensorError) in
      let view = try Tensor(
        storage: stored.storage, byteOffset: stored.offset, dtype: stored.dtype, rows: rows,
        columns: columns)
      let copy = try Tensor.zeros(rows: rows, columns: columns)
      return (copy, backend.rewrite(view, into: copy))
    }
    if let row = result.1 {
      throw CheckpointError(
        .malformed,
        "Row \(row) of '\(stored.name)' of '\(path)' holds an infinity or a NaN. The file is damaged "
          + "or its training failed.")
    }
    return result.0
  }

  private func transposed(_ tensor: Tensor) throws(CheckpointError) -> Tensor {
    let (rows, columns) = (tensor.rows, tensor.columns)
    let values = tensor.floats()
    var result = [Float](repeating: 0, count: values.count)
    for row in 0..<rows {
      for column in 0..<columns { result[column * rows + row] = values[row * columns + column] }
    }
    return try CheckpointError.wrapping { () throws(TensorError) in
      try Tensor.floats(result, rows: columns, columns: rows)
    }
  }
}

extension AdapterConfiguration {
  /// States which matrices and layers `modules` are: all layers where they are the first ones.
  mutating func describe(_ modules: [TensorName: AdapterMatrices]) {
    targetRoles = Set(modules.keys.map(\.role))
    let found = Set(modules.keys.compactMap(\.layer))
    layers = found == Set(0..<found.count) ? nil : found
    usesDoRA = modules.values.contains { $0.magnitude != nil }
  }
}
