// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// What becomes of every tensor of a checkpoint, in the order of the new file.
struct ConversionPlan: Sendable {
  /// One tensor: where it comes from and what it becomes.
  struct Step: Sendable {
    let name: String
    let source: Tensor
    let dtype: DType
    let order: RowOrder
    /// How much errors in each column count.
    let importance: [Float]?
    /// True when that was measured, not assumed to be alike.
    let usesImportance: Bool
    let isVector: Bool
    /// What is added to it.
    let adapter: AdapterMatrices?

    /// True when the bits are taken as they are.
    var isCopy: Bool { source.dtype == dtype && order == .stored && adapter == nil }
    var shape: [Int] { isVector ? [source.columns] : [source.rows, source.columns] }
    /// The plan checked that this fits.
    var byteCount: Int { source.rows * (source.columns / dtype.blockSize) * dtype.blockByteCount }
  }

  let steps: [Step]

  var weights: Int { steps.reduce(0) { $0 + $1.source.count } }
  var byteCount: Int { steps.reduce(0) { $0 + $1.source.byteCount } }
  var convertedByteCount: Int { steps.reduce(0) { $0 + $1.byteCount } }

  /// Plans the conversion of `checkpoint`; throws when it would round what is already rounded.
  init(_ checkpoint: Checkpoint, options: ModelConverter.Options) throws(CheckpointError) {
    let description = checkpoint.architecture
    guard !description.isBidirectional else {
      throw CheckpointError(
        .unsupported,
        "'\(checkpoint.path)' encodes texts; Facet runs such models and does not convert them.")
    }
    let names = checkpoint.tensors.keys.sorted(by: ConversionPlan.precedes)
    try checkpoint.check(adapter: options.adapter)
    let context = QuantizationPreset.Context(
      layers: description.layers,
      headsPerKeyValueHead: description.queryHeads / max(1, description.keyValueHeads),
      tiedEmbeddings: !names.contains(TensorName(.head)),
      hasImportance: options.importance != nil)
    var steps: [Step] = []
    for name in names {
      guard let tensor = checkpoint.tensors[name] else { continue }
      let dtype = options.preset.dtype(of: name, columns: tensor.columns, context)
      let text = GGUFNames.string(name)
      let importance = try options.importance?.columns(of: text, expected: tensor.columns)
      let step = Step(
        name: text, source: tensor, dtype: dtype,
        order: try ConversionPlan.order(of: name, tensor, checkpoint),
        importance: dtype.isQuantized && dtype != .q8_0
          ? importance ?? options.preset.evenImportance(for: dtype, columns: tensor.columns) : nil,
        usesImportance: dtype.isQuantized && dtype != .q8_0 && importance != nil,
        isVector: name.role.isNorm, adapter: options.adapter[name])
      try ConversionPlan.checkLoss(step, checkpoint, options)
      steps.append(step)
    }
    self.steps = steps
  }

  /// The embedding, the layers, the final norm, the head.
  private static func precedes(_ a: TensorName, _ b: TensorName) -> Bool {
    place(a) < place(b)
  }

  private static func place(_ name: TensorName) -> (Int, Int) {
    let role = TensorRole.allCases.firstIndex(of: name.role) ?? 0
    switch name.role {
    case .embedding: return (-1, 0)
    case .finalNorm: return (.max, 0)
    case .head: return (.max, 1)
    default: return (name.layer ?? 0, role)
    }
  }

  /// GGUF's llama architecture wants rotary pairs side by side.
  private static func order(
    of name: TensorName, _ tensor: Tensor, _ checkpoint: Checkpoint
  ) throws(CheckpointError) -> RowOrder {
    let description = checkpoint.architecture
    guard description.ggufArchitecture == "llama", description.rotaryLayout == .halfSplit,
      name.role == .query || name.role == .key
    else { return .stored }
    let width = description.headWidth ?? description.width / max(1, description.queryHeads)
    guard width > 0, width.isMultiple(of: 2), tensor.rows.isMultiple(of: width) else {
      throw CheckpointError(
        .wrongShape,
        "The tensor '\(name)' of '\(checkpoint.path)' has \(tensor.rows) rows, which are no whole "
          + "heads of \(width).")
    }
    return .pairingHalves(headWidth: width)
  }

  private static func checkLoss(
    _ step: Step, _ checkpoint: Checkpoint, _ options: ModelConverter.Options
  ) throws(CheckpointError) {
    guard step.source.dtype.isQuantized, step.dtype.isQuantized, !step.isCopy,
      options.requantization == .refused
    else { return }
    throw CheckpointError(
      .unsupported,
      "'\(checkpoint.path)' is quantised already: '\(step.name)' is \(step.source.dtype). To round it "
        + "to \(step.dtype) loses more than rounding the original once. Convert the original, or "
        + "allow requantising (--requantize).")
  }
}
