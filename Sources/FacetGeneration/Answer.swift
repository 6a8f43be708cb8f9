// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGuides
import FacetTensor
import FacetTokenizer

/// One answer in the making: from a row of logits to a token, its text, and whether it was the last.
///
/// It knows nothing of caches and passes, so that one sequence and a batch of them use it alike.
struct Answer: ~Copyable {
  /// What one token brought.
  struct Step {
    var token: GeneratedToken
    /// Why the answer ended with it, if it did.
    var end: FinishReason?
  }

  private var sampler: Sampler
  private var detokenizer: StreamingDetokenizer
  private var matcher: StopMatcher
  /// Looks for stop texts beside calls of tools, where there may be both.
  private var toolMatcher: ToolStopMatcher?
  private let options: GenerationOptions
  private let stopTokens: Set<TokenID>
  /// Tokens drawn or forced.
  private(set) var count: Int
  /// Tokens that the guide left no choice about.
  private(set) var forcedCount = 0
  private var guide: GuideMatcher?

  /// An answer to `prompt`, whose tokens penalties look back on.
  init(
    to prompt: Prompt, _ options: GenerationOptions, model: LanguageModel
  ) throws(GenerationError) {
    try options.validate()
    let tokenizer = model.tokenizer
    let compiled = try options.guide.map { wanted throws(GenerationError) in
      try model.guides.compiled(wanted)
    }
    guide = compiled.map { GuideMatcher($0) }
    var sampler = try Sampler(options.sampling)
    for token in prompt.tokens { sampler.accept(token) }
    self.sampler = sampler
    self.options = options
    // A reply is a text of its own; a continuation begins with whatever space it needs. What a guide
    // allows is the text as it stands, with no space taken away.
    let isReply = prompt.chatFormat != nil && options.guide?.isExact != true
    detokenizer = StreamingDetokenizer(tokenizer, from: isReply ? .text : .continuation)
    // A guide says itself where the text ends, and may ask for what stops others.
    matcher = StopMatcher(
      options.guide == nil ? options.stop + (prompt.chatFormat?.stopTexts ?? []) : [])
    if case .toolCalls(let tools)? = options.guide, let compiled, !options.stop.isEmpty {
      toolMatcher = ToolStopMatcher(options.stop, tools, compiled)
    }
    stopTokens = tokenizer.special.stop
    count = 0
  }

  /// Stands for the draws.
  var seed: UInt64 { sampler.seed }

  /// Whether the answer follows a guide.
  var isGuided: Bool { guide != nil }

  /// Draws a token from `logits` [V], which `guess` was made for.
  mutating func next(
    _ logits: Span<Float>, guess: Proposal? = nil
  ) throws(GenerationError) -> Step {
    guard let allowed = try allowed() else {
      return take(try sampler.next(logits, guess: guess), logits)
    }
    return take(try sampler.next(logits, allowed: allowed), logits)
  }

  /// The tokens that the guide allows next; nil without a guide.
  private mutating func allowed() throws(GenerationError) -> TokenMask? {
    do throws(GuideError) { return try guide?.mask() } catch { throw GenerationError(error) }
  }

  /// The next tokens, at most `most`, where the guide leaves no choice.
  mutating func forced(most: Int) -> [TokenID] {
    let left = options.maxTokens.map { $0 - count } ?? .max
    return guide?.forcedTokens(most: min(most, left)) ?? []
  }

  /// Takes a token that was not drawn.
  mutating func force(_ id: TokenID, _ logits: Span<Float>?) -> Step {
    forcedCount += 1
    return take(id, logits)
  }

  /// Adds a token; `logits` are for its log-probability.
  private mutating func take(_ id: TokenID, _ logits: Span<Float>?) -> Step {
    sampler.accept(id)
    count += 1
    var token = GeneratedToken(id: id, text: "", logProbability: nil, alternatives: [])
    if let wanted = options.logProbabilities, let logits {
      let found = sampler.logProbabilities(of: id, top: wanted, in: logits)
      token.logProbability = found.chosen
      token.alternatives = found.top
    }
    if stopTokens.contains(id) { return Step(token: token, end: .endOfTurn) }
    guide?.accept(id)
    let (text, stop) = certain(detokenizer.append(id), of: id)
    token.text = text
    if let stop { return Step(token: token, end: .stopText(stop)) }
    if let guide, guide.isComplete { return Step(token: token, end: .guideComplete) }
    return Step(token: token, end: count == options.maxTokens ? .maxTokens : nil)
  }

  /// What of the `text` that a token brought is certain, up to a stop text if there is one now.
  private mutating func certain(
    _ text: String, of token: TokenID
  ) -> (text: String, stop: String?) {
    guard var tools = toolMatcher.take() else { return matcher.append(text) }
    defer { toolMatcher = tools }
    return tools.append(token, text)
  }

  /// Draws `count` guesses, the first from `logits` [1, V], the others from what `read` makes of the one
  /// before; fewer when one would end the answer.
  mutating func guesses(
    _ count: Int, from logits: Tensor, read: (TokenID) throws -> Tensor
  ) throws -> [Proposal] {
    let window = sampler.window
    defer { sampler.window = window }
    var logits = logits
    var guesses: [Proposal] = []
    while true {
      let guess = try logits.withFloats { try sampler.proposal($0) }
      guesses.append(guess)
      if guesses.count == count || stopTokens.contains(guess.token) { return guesses }
      sampler.accept(guess.token)
      logits = try read(guess.token)
    }
  }

  /// What was held back and belongs to the answer after all.
  mutating func finish(_ reason: FinishReason) -> String {
    if case .stopText = reason { return "" }
    if var tools = toolMatcher { return tools.finish(detokenizer.finish()) }
    let (text, stop) = matcher.append(detokenizer.finish())
    return stop == nil ? text + matcher.finish() : text
  }
}
