// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
import FacetModel
import FacetTensor

/// What a model takes of the memory, known before anything is loaded.
public struct MemoryPlan: Sendable, Hashable, Codable {
  /// Tokens of context that the plan is for.
  public var context: Int
  /// Bytes of the weights: the mapped file, which the system may drop and read again.
  public var weights: Int
  /// Bytes of keys and values for the whole context.
  public var cache: Int
  /// Bytes of activations for one chunk of the prompt, and of the kernels' own scratch.
  public var scratch: Int
  /// The memory of this process, where the system tells it.
  public var memory: MachineMemory?

  /// All bytes.
  public var total: Int { weights + cache + scratch }

  /// Whether it all fits into what is available; nil where the system does not tell.
  public var fits: Bool? { memory.map { total <= $0.available } }

  /// Plans a session of `context` tokens of the model in `checkpoint`.
  public init(_ checkpoint: Checkpoint, context: Int, options: LanguageModel.LoadOptions) throws {
    try options.validate()
    let configuration = try ModelConfiguration(checkpoint.architecture)
    guard context >= 1, context <= configuration.contextLength else {
      throw GenerationError(
        .invalidOption,
        "A context of \(context) tokens is asked for; the model takes between 1 and "
          + "\(configuration.contextLength).")
    }
    self.context = context
    weights = checkpoint.tensors.values.reduce(0) { $0 + $1.byteCount }
    cache = KVCache.byteCount(
      configuration, capacity: context, chunk: Session.chunk,
      dtype: options.keyValueType ?? Transformer.cacheDType(options.precision))
    let tokens = min(context, Session.chunk)
    scratch =
      Transformer.activationByteCount(configuration, tokens: tokens)
      + CPUBackend.scratchByteCount(
        tokens: tokens, width: max(configuration.width, configuration.feedForwardWidth),
        headWidth: configuration.headWidth, threads: options.threads ?? CPUBackend.availableCores)
    memory = MachineMemory.current()
  }

  /// The longest context that fits the available memory; 0 when not even one token does.
  public static func longestContext(
    _ checkpoint: Checkpoint, options: LanguageModel.LoadOptions
  ) throws -> Int {
    var low = 0
    var high = try ModelConfiguration(checkpoint.architecture).contextLength
    while low < high {
      let middle = (low + high + 1) / 2
      let plan = try MemoryPlan(checkpoint, context: middle, options: options)
      if plan.fits ?? true { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
