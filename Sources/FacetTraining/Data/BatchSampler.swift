// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor

/// Hands out the examples of a dataset in batches, epoch after epoch.
///
/// Which batch comes when follows from the dataset, the options and the seed alone, so its state is a
/// few numbers, and a sampler that is made from them goes on with exactly the next batch.
public struct BatchSampler: Sendable {
  /// How examples become batches.
  public struct Options: Sendable, Codable, Hashable {
    /// Examples of a batch; with packing, rows of `packedLength` tokens that are filled with examples.
    public var batchSize: Int
    /// Tokens of a packed row; nil: no packing.
    public var packedLength: Int?
    /// Whether each epoch has an order of its own.
    public var shuffles: Bool

    /// Shuffled batches of `batchSize` examples, or of as many packed rows.
    public init(batchSize: Int = 1, packedLength: Int? = nil, shuffles: Bool = true) {
      self.batchSize = batchSize
      self.packedLength = packedLength
      self.shuffles = shuffles
    }
  }

  /// Where a sampler stands.
  public struct State: Sendable, Codable, Hashable {
    /// What the orders of all epochs follow from.
    public var seed: UInt64
    /// The epoch, from 0.
    public var epoch: Int
    /// Batches of this epoch that were handed out.
    public var cursor: Int
    /// The dataset's fingerprint and the options, so that nobody goes on with others.
    public var fingerprint: UInt64
  }

  /// The examples.
  public let dataset: Dataset
  /// How they become batches.
  public let options: Options
  /// Where the sampler stands: after the batch that came last.
  public private(set) var state: State
  /// The examples of all rows of this epoch; `starts` says where each row begins.
  private var order: [Int] = []
  private var starts: [Int] = [0]

  /// Rows of examples that are packed together; a whole epoch at once would sort it by length.
  private static let window = 4096

  /// Begins with the first batch of the first epoch.
  public init(_ dataset: Dataset, options: Options, seed: UInt64) throws(TrainingError) {
    try Self.check(dataset, options)
    self.dataset = dataset
    self.options = options
    state = State(
      seed: seed, epoch: 0, cursor: 0, fingerprint: Self.fingerprint(dataset, options))
    planEpoch()
  }

  /// Goes on where `state` was taken.
  public init(_ dataset: Dataset, options: Options, resuming state: State) throws(TrainingError) {
    try self.init(dataset, options: options, seed: state.seed)
    guard state.fingerprint == self.state.fingerprint, state.epoch >= 0 else {
      throw TrainingError(
        .mismatchedModel,
        "The data, or how they are put into batches, are not those that the run began with. Give the "
          + "same files and settings, or begin a new run.")
    }
    self.state.epoch = state.epoch
    planEpoch()
    self.state.cursor = min(max(state.cursor, 0), batchesPerEpoch)
  }

  /// Batches of an epoch; every one has as many.
  public var batchesPerEpoch: Int {
    (starts.count - 1 + options.batchSize - 1) / options.batchSize
  }

  /// The next batch; after the last of an epoch the first of the next.
  public mutating func next() -> PackedBatch {
    if state.cursor >= batchesPerEpoch {
      state.epoch += 1
      state.cursor = 0
      planEpoch()
    }
    let first = state.cursor * options.batchSize
    let last = min(first + options.batchSize, starts.count - 1)
    state.cursor += 1
    return PackedBatch(examples: order[starts[first]..<starts[last]].map { dataset[$0] })
  }

  private static func check(_ dataset: Dataset, _ options: Options) throws(TrainingError) {
    guard options.batchSize > 0 else {
      throw TrainingError(
        .invalidSetting, "The batch size is \(options.batchSize); it must be at least 1.")
    }
    guard dataset.count > 0 else {
      throw TrainingError(
        .invalidData, "There are no examples to make batches of. Give data with at least one row.")
    }
    guard let length = options.packedLength else { return }
    let longest = (0..<dataset.count).map(dataset.length).max() ?? 0
    guard longest <= length else {
      throw TrainingError(
        .invalidSetting,
        "The longest example has \(longest) tokens and does not go into packed rows of \(length). "
          + "Raise the packing length, or lower the maximum length.")
    }
  }

  private static func fingerprint(_ dataset: Dataset, _ options: Options) -> UInt64 {
    var state = dataset.fingerprint
    for value in [options.batchSize, options.packedLength ?? -1, options.shuffles ? 1 : 0] {
      state = ExampleStore.mix(state ^ UInt64(bitPattern: Int64(value)))
    }
    return state
  }

  /// Draws the order of the epoch that `state` names.
  ///
  /// What is packed together is drawn once for all epochs, so that each has as many batches.
  private mutating func planEpoch() {
    let seed = ExampleStore.mix(state.seed)
    var generator = RandomGenerator(seed: seed ^ ExampleStore.mix(UInt64(state.epoch)))
    order = Array(0..<dataset.count)
    guard let length = options.packedLength else {
      if options.shuffles { order.shuffle(using: &generator) }
      starts = Array(0...dataset.count)
      return
    }
    var composition = RandomGenerator(seed: seed)
    if options.shuffles { order.shuffle(using: &composition) }
    var bins: [[Int]] = []
    for first in stride(from: 0, to: order.count, by: Self.window) {
      let window = Array(order[first..<min(first + Self.window, order.count)])
      for bin in BinPacking.pack(window.map(dataset.length), capacity: length) {
        bins.append(bin.map { window[$0] })
      }
    }
    // Packing begins with the longest; training is not to.
    if options.shuffles { bins.shuffle(using: &generator) }
    order = bins.flatMap { $0 }
    starts = [0]
    for bin in bins { starts.append((starts.last ?? 0) + bin.count) }
  }
}
