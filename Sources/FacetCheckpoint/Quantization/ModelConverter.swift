// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// Writes a model as GGUF in a type of choice.
///
/// Tensors go through one after the other and in slabs of rows: memory does not grow with the model.
/// The new file appears when it is complete.
public struct ModelConverter: Sendable {
  /// What may be rounded again.
  public enum Requantization: Sendable, Hashable {
    /// Models that are quantised already are refused, since they lose quality twice.
    case refused
    /// They are taken.
    case allowed
  }

  /// What may be replaced.
  public enum Overwriting: Sendable, Hashable {
    /// A file that is there is left alone, with an error.
    case refused
    /// It is replaced once the new one is complete.
    case allowed
  }

  /// How a model is converted.
  public struct Options: Sendable {
    /// The types of the new file.
    public var preset: QuantizationPreset
    /// How much errors in each column count; nil: alike.
    public var importance: ImportanceMatrix?
    /// What is added to the matrices on the way, by their names: an adapter that fits the model.
    public var adapter: [TensorName: AdapterMatrices] = [:]
    /// Whether quantised models are taken.
    public var requantization = Requantization.refused
    /// Whether a file at the destination is replaced.
    public var overwriting = Overwriting.refused
    /// Threads that share the work; nil: one per core that the process may use.
    public var threads: Int?

    /// Converts to `preset`, with nothing out of the ordinary.
    public init(preset: QuantizationPreset, importance: ImportanceMatrix? = nil) {
      self.preset = preset
      self.importance = importance
    }
  }

  /// The choices.
  public let options: Options

  /// Makes a converter.
  public init(_ options: Options) {
    self.options = options
  }

  /// Writes `checkpoint` to `path`.
  ///
  /// `tokenizer` is what the file will hold for one; nil: a GGUF file's own goes along. `progress`
  /// is told what happens; throwing from it stops, and nothing is written then.
  public func convert(
    _ checkpoint: Checkpoint, tokenizer: TokenizerEntries?, to path: String,
    progress: (ConversionEvent) throws -> Void = { _ in }
  ) throws -> ConversionSummary {
    let plan = try plan(checkpoint, path)
    guard let backend = CPUBackend(threads: options.threads) else {
      throw CheckpointError(.unsupported, "This CPU has none of the instruction sets of Facet.")
    }
    var writer = GGUFWriter()
    try writer.describe(checkpoint, tokenizer: tokenizer, options: options)
    for step in plan.steps {
      try writer.add(
        step.name, step.dtype, shape: step.shape, step.data(backend, path: checkpoint.path))
    }
    try progress(
      .started(
        tensors: plan.steps.count, byteCount: plan.byteCount,
        convertedByteCount: plan.convertedByteCount))
    var stop: (any Error)?
    let isComplete = try writer.write(to: path, isStopped: { Task.isCancelled }) { index in
      do {
        try progress(.tensor(ConvertedTensor(index: index, plan.steps[index])))
        return true
      } catch {
        stop = error
        return false
      }
    }
    guard isComplete else { throw stop ?? CancellationError() }
    let summary = ConversionSummary(path: path, options.preset, plan)
    try progress(.finished(summary))
    return summary
  }

  private func plan(
    _ checkpoint: Checkpoint, _ path: String
  ) throws(CheckpointError) -> ConversionPlan {
    if let threads = options.threads, threads < 1 || threads > 1024 {
      throw CheckpointError(
        .unsupported, "The number of threads is \(threads); it must lie between 1 and 1024.")
    }
    guard !FileSystem.isDirectory(path) else {
      throw CheckpointError(.unreadable, "'\(path)' is a directory; name a file to write.")
    }
    if FileSystem.exists(path), options.overwriting == .refused {
      throw CheckpointError(
        .unreadable,
        "'\(path)' is there already. Choose another name or allow overwriting (--force).")
    }
    let plan = try ConversionPlan(checkpoint, options: options)
    try FileSystem.checkSpace(
      for: path, needed: plan.convertedByteCount,
      available: FileSystem.availableByteCount(at: path))
    return plan
  }
}

extension ConversionPlan.Step {
  /// Weights that are held in memory at once.
  private static let slab = 4 << 20

  /// The bytes of the new tensor, made when they are written.
  fileprivate func data(_ backend: CPUBackend, path: String) -> TensorData {
    if isCopy { return .tensor(source) }
    let rows = max(1, Self.slab / max(1, source.columns))
    return .parts(byteCount: byteCount, count: (source.rows + rows - 1) / rows) {
      (part) throws(CheckpointError) in
      let first = part * rows
      let output = try CheckpointError.wrapping { () throws(TensorError) in
        try Tensor.zeros(
          rows: min(rows, source.rows - first), columns: source.columns, dtype: dtype)
      }
      let row =
        if let adapter {
          try merge(adapter, from: first, backend, path, into: output)
        } else {
          backend.rewrite(
            source, from: first, order: order, importance: importance, into: output)
        }
      if let row { throw try unfit(row: first + row, backend, path) }
      return output
    }
  }

  /// Rows `first…` with the adapter, in f32 until they are rounded; the first that cannot be written.
  private func merge(
    _ adapter: AdapterMatrices, from first: Int, _ backend: CPUBackend, _ path: String,
    into output: Tensor
  ) throws(CheckpointError) -> Int? {
    let sums = try CheckpointError.wrapping { () throws(TensorError) in
      try Tensor.zeros(rows: output.rows, columns: output.columns)
    }
    if let row = backend.rewrite(source, from: first, order: order, into: sums) { return row }
    adapter.merge(into: sums) { order.stored(first + $0) }
    return backend.rewrite(sums, importance: importance, into: output)
  }

  /// What is wrong with a row that could not be written.
  private func unfit(
    row: Int, _ backend: CPUBackend, _ path: String
  ) throws(CheckpointError) -> CheckpointError {
    let plain = try CheckpointError.wrapping { () throws(TensorError) in
      try Tensor.zeros(rows: 1, columns: source.columns)
    }
    let isFinite = backend.rewrite(source, from: row, order: order, into: plain) == nil
    return CheckpointError(
      .malformed,
      isFinite
        ? "Row \(row) of tensor '\(name)' of '\(path)' holds numbers too large for \(dtype). Choose "
          + "another type."
        : "Row \(row) of tensor '\(name)' of '\(path)' holds an infinity or a NaN. The file is damaged "
          + "or its training failed.")
  }
}

extension CheckpointError {
  /// The result of `body`, with an error of this module.
  static func wrapping<T>(_ body: () throws(TensorError) -> T) throws(CheckpointError) -> T {
    do {
      return try body()
    } catch {
      throw CheckpointError(.unreadable, error.message)
    }
  }
}

extension ConvertedTensor {
  fileprivate init(index: Int, _ step: ConversionPlan.Step) {
    self.init(
      index: index, name: step.name, rows: step.source.rows, columns: step.source.columns,
      from: step.source.dtype.name, to: step.dtype.name, byteCount: step.byteCount,
      usesImportance: step.usesImportance)
  }
}

extension ConversionSummary {
  fileprivate init(path: String, _ preset: QuantizationPreset, _ plan: ConversionPlan) {
    self.init(
      path: path, preset: preset.rawValue, tensors: plan.steps.count, weights: plan.weights,
      byteCount: plan.byteCount, convertedByteCount: plan.convertedByteCount)
  }
}
