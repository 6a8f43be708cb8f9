// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel

extension Engine {
  /// How much an engine does at once.
  public struct Options: Sendable, Hashable {
    /// Sequences that are worked on together.
    public var sequences: Int
    /// Most tokens of each; nil: what the model was made for, and at most ``Session/defaultContext``.
    public var context: Int?
    /// Requests that may wait for a place; one more is refused.
    public var queueLimit: Int
    /// Bytes of keys and values that are kept after answers, for prompts that begin alike; nil: 512 MB, or
    /// an eighth of the memory where that is less.
    public var prefixMemory: Int?
    /// Tokens of prompts that are read beside the running answers in one step.
    ///
    /// More of them read faster; fewer keep the answers waiting less.
    public var chunk: Int

    /// 16 sequences, 256 waiting, chunks of 256 tokens, unless said otherwise.
    public init(
      sequences: Int = 16, context: Int? = nil, queueLimit: Int = 256, prefixMemory: Int? = nil,
      chunk: Int = Session.chunk
    ) {
      self.sequences = sequences
      self.context = context
      self.queueLimit = queueLimit
      self.prefixMemory = prefixMemory
      self.chunk = chunk
    }

    /// Refuses values out of range with a sentence that names the option.
    public func validate() throws(GenerationError) {
      func require(
        _ value: Int, _ range: ClosedRange<Int>, _ name: String
      ) throws(GenerationError) {
        guard range.contains(value) else {
          throw GenerationError(
            .invalidOption,
            "\(name) is \(value); it must lie between \(range.lowerBound) and "
              + "\(range.upperBound).")
        }
      }
      try require(sequences, 1...Session.chunk, "The number of sequences at once")
      try require(queueLimit, 0...1 << 20, "The number of requests that may wait")
      try require(prefixMemory ?? 0, 0...1 << 50, "The memory for kept prefixes")
      try require(chunk, 1...Session.chunk, "The number of prompt tokens read in a step")
    }

    /// Tokens of a sequence of `model`.
    func contextLength(for model: LanguageModel) throws(GenerationError) -> Int {
      try validate()
      let longest = model.configuration.contextLength
      let length = context ?? min(longest, Session.defaultContext)
      guard length >= 1, length <= longest else {
        throw GenerationError.wrongContext(length, model)
      }
      return length
    }

    /// Bytes for kept prefixes on this machine.
    var prefixByteCount: Int {
      prefixMemory ?? min(512 << 20, (MachineMemory.current()?.limit ?? .max) / 8)
    }
  }
}
