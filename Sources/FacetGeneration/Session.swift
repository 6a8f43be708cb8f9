// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetModel
public import FacetTensor
public import FacetTokenizer

/// One sequence on its way through a model: its cache, and the tokens in it.
///
/// It has one owner (docs/adr/0006-one-owner-of-a-sequence.md). A prompt that begins like what the
/// cache holds is read from there on, so a conversation costs only its new part.
public struct Session: ~Copyable {
  /// The model.
  public let model: LanguageModel
  /// Tokens whose keys and values the cache holds.
  public private(set) var tokens: [TokenID]

  private let cache: KVCache
  private let workspace: Workspace

  /// An empty sequence of at most `context` tokens.
  ///
  /// Without a number: what the model was made for, and at most ``defaultContext``.
  public init(_ model: LanguageModel, context: Int? = nil) throws {
    let longest = model.configuration.contextLength
    let context = context ?? min(longest, Self.defaultContext)
    guard context >= 1, context <= longest else {
      throw GenerationError(
        .invalidOption,
        "A context of \(context) tokens is asked for; \(model.card.name) takes between 1 and "
          + "\(longest).")
    }
    let needed = KVCache.byteCount(
      model.configuration, capacity: context, chunk: Self.chunk,
      dtype: model.transformer.cacheDType)
    if let memory = MachineMemory.current(), needed > memory.available {
      throw GenerationError(
        .outOfMemory,
        "The cache for a context of \(context) tokens takes \(ByteText(needed)), and "
          + "\(ByteText(memory.available)) of memory are available. Use a smaller context.")
    }
    let cache = try model.transformer.makeCache(capacity: context, chunk: Self.chunk)
    self.model = model
    self.cache = cache
    workspace = Workspace()
    tokens = []
  }

  /// The context of a session that is not given one, where the model allows it.
  public static var defaultContext: Int { 8192 }

  /// Tokens of a prompt that go through the model at once.
  public static var chunk: Int { 512 }

  /// Tokens that fit.
  public var contextLength: Int { cache.capacity }

  /// Bytes of the cache and of the activations so far.
  public var byteCount: Int { cache.byteCount + workspace.byteCount }

  /// Forgets everything.
  public mutating func reset() {
    cache.reset()
    tokens.removeAll(keepingCapacity: true)
  }

  /// Makes the sequence be `prompt` and returns the logits [1, V] after its last token.
  ///
  /// Chunk by chunk; `progress` is told how many tokens are in, and throwing from it stops. The logits
  /// are valid until the next call.
  public mutating func prefill(
    _ prompt: [TokenID], progress: (Int) throws -> Void = { _ in }
  ) throws -> Tensor {
    guard !prompt.isEmpty else {
      throw GenerationError(.emptyInput, "The prompt has no tokens; give at least one word.")
    }
    guard prompt.count <= contextLength else {
      throw GenerationError(
        .contextFull,
        "The prompt has \(prompt.count) tokens and the context \(contextLength). Shorten the prompt, "
          + "or use a larger context (this model takes up to \(model.configuration.contextLength))."
      )
    }
    keepCommonBeginning(with: prompt)
    try progress(tokens.count)
    while true {
      let end = min(prompt.count, tokens.count + Self.chunk)
      let isLast = end == prompt.count
      let part = Array(prompt[tokens.count..<end])
      let logits = try forward(part, logits: isLast ? .last : .none)
      try progress(end)
      if isLast { return logits }
    }
  }

  /// Adds a token and returns the logits [1, V] after it.
  public mutating func decode(_ token: TokenID) throws -> Tensor {
    try forward([token], logits: .last)
  }

  /// Adds tokens, at most ``chunk`` of them, and returns the logits of the rows asked for.
  package mutating func forward(_ new: [TokenID], logits rows: Batch.LogitRows) throws -> Tensor {
    let logits = try model.transformer.forward(
      Batch(new, cache: cache, logits: rows), workspace: workspace)
    tokens += new
    return logits
  }

  /// Goes back to the longest beginning of `prompt` that the cache holds, less one token: the last
  /// one's logits are wanted.
  private mutating func keepCommonBeginning(with prompt: [TokenID]) {
    let common = zip(tokens, prompt.dropLast()).prefix { $0 == $1 }.count
    if common > 0, cache.truncate(to: common) {
      tokens.removeLast(tokens.count - common)
    } else {
      reset()
    }
  }
}
