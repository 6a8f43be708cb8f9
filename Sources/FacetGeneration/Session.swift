// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetModel
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

  /// What changes the model's matrices in this sequence.
  public private(set) var adapters: [Adapter]

  let cache: KVCache
  private let workspace: Workspace
  /// Makes guesses; nil: tokens are read one by one.
  let guesser: (any Guesser)?
  /// Where the last prompt ended, while going back there needs no copy.
  private var promptEnd: Int?
  /// What the windows held there, once they were about to move on.
  private var mark: KVCache.Windows?

  /// An empty sequence of at most `context` tokens.
  ///
  /// Without a number: what the model was made for, and at most ``defaultContext``. `speculation` makes
  /// answers faster, never others.
  public init(
    _ model: LanguageModel, context: Int? = nil, speculation: Speculation? = nil
  ) throws {
    let longest = model.configuration.contextLength
    let context = context ?? min(longest, Self.defaultContext)
    guard context >= 1, context <= longest else {
      throw GenerationError.wrongContext(context, model)
    }
    let needed = KVCache.byteCount(
      model.configuration, capacity: context, chunk: Self.chunk,
      dtype: model.transformer.cacheDType)
    try Self.checkMemory(needed, context: context)
    self.init(
      model, cache: try model.transformer.makeCache(capacity: context, chunk: Self.chunk),
      tokens: [], guesser: try speculation?.makeGuesser(for: model, context: context))
  }

  private init(
    _ model: LanguageModel, cache: KVCache, tokens: [TokenID], guesser: (any Guesser)?
  ) {
    self.model = model
    self.cache = cache
    self.tokens = tokens
    self.guesser = guesser
    adapters = model.adapters
    workspace = Workspace()
  }

  /// A session of its own with the same tokens in its cache: several questions about one text, which
  /// is then read once.
  public borrowing func fork(speculation: Speculation? = nil) throws -> Session {
    try Self.checkMemory(cache.byteCount, context: contextLength)
    var result = Session(
      model, cache: try cache.copy(), tokens: tokens,
      guesser: try speculation?.makeGuesser(for: model, context: contextLength))
    result.adapters = adapters
    return result
  }

  private static func checkMemory(_ needed: Int, context: Int) throws(GenerationError) {
    if let memory = MachineMemory.current(), needed > memory.available {
      throw GenerationError.noMemory(needed, context: context, memory.available)
    }
  }

  /// The context of a session that is not given one, where the model allows it.
  public static var defaultContext: Int { 8192 }

  /// Tokens of a prompt that go through the model at once.
  public static var chunk: Int { 256 }

  /// Tokens that fit.
  public var contextLength: Int { cache.capacity }

  /// Bytes of the cache and of the activations so far.
  public var byteCount: Int {
    cache.byteCount + workspace.byteCount + (mark?.byteCount ?? 0)
  }

  /// Forgets everything.
  public mutating func reset() {
    cache.reset()
    tokens.removeAll(keepingCapacity: true)
    promptEnd = nil
    mark = nil
  }

  /// Answers with `adapters` from here on, instead of those before.
  ///
  /// Keys and values depend on them: unless they are the same, everything is forgotten.
  public mutating func attach(_ adapters: [Adapter]) throws {
    for adapter in adapters { try adapter.check(for: model.configuration) }
    guard adapters.map(\.identity) != self.adapters.map(\.identity) else { return }
    self.adapters = try adapters.map { try $0.settled(on: model.transformer) }
    reset()
  }

  /// Tells the model and its adapters from others.
  var identity: UInt64 {
    guard !adapters.isEmpty else { return model.transformer.identity }
    var sum = Checksum()
    sum.add(model.transformer.identity)
    for adapter in adapters { sum.add(adapter.identity) }
    return sum.value
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
      throw GenerationError.contextFull(prompt.count, contextLength, model.configuration)
    }
    keepCommonBeginning(with: prompt)
    try progress(tokens.count)
    while true {
      let end = min(prompt.count, tokens.count + Self.chunk)
      let isLast = end == prompt.count
      let part = Array(prompt[tokens.count..<end])
      let logits = try forward(part, logits: isLast ? .last : .none)
      try progress(end)
      if isLast {
        promptEnd = end
        return logits
      }
    }
  }

  /// Adds a token and returns the logits [1, V] after it.
  public mutating func decode(_ token: TokenID) throws -> Tensor {
    try forward([token], logits: .last)
  }

  /// Goes back to the first `count` tokens; false, with nothing changed, when the layers with a
  /// window have moved on too far.
  ///
  /// To where the last prompt ended, and some way before, it is always possible; to a place after that
  /// which is lost, it goes back to where the prompt ended.
  @discardableResult
  public mutating func truncate(to count: Int) -> Bool {
    guard count >= 0, count <= tokens.count else { return false }
    if !cache.truncate(to: count) {
      guard let mark, cache.truncate(to: min(count, mark.position), with: mark) else {
        return false
      }
    }
    tokens.removeLast(tokens.count - cache.position)
    if let end = promptEnd, cache.position < end { promptEnd = nil }
    if let mark, cache.position < mark.position { self.mark = nil }
    return true
  }

  /// Adds tokens, at most ``chunk`` of them, and returns the logits of the rows asked for.
  package mutating func forward(_ new: [TokenID], logits rows: Batch.LogitRows) throws -> Tensor {
    keepWindows(adding: new.count)
    let logits = try model.transformer.forward(
      Batch(
        new, sequences: [Batch.Sequence(cache: cache, count: new.count, adapters: adapters)],
        logits: rows), workspace: workspace)
    tokens += new
    return logits
  }

  /// Notes that the cache now holds `tokens`, from elsewhere.
  mutating func resume(_ tokens: [TokenID]) {
    precondition(tokens.count == cache.position, "\(tokens.count) tokens at \(cache.position)")
    self.tokens = tokens
    promptEnd = tokens.count
  }

  /// Copies the windows when `count` tokens more would cost the way back to the prompt's end.
  ///
  /// Short answers never come here.
  private mutating func keepWindows(adding count: Int) {
    guard let end = promptEnd, tokens.count >= end else { return }
    // The next prompt may part from this one some way before its end, at a question about a text.
    let margin = min(256, cache.chunk / 2)
    guard cache.loses(max(0, end - margin), adding: count) else { return }
    promptEnd = nil
    mark = try? cache.copyOfWindows()
  }

  /// Goes back to the longest beginning of `prompt` that the cache holds, less one token: the last
  /// one's logits are wanted.
  private mutating func keepCommonBeginning(with prompt: [TokenID]) {
    let common = zip(tokens, prompt.dropLast()).prefix { $0 == $1 }.count
    if common == 0 || !truncate(to: common) { reset() }
  }
}
