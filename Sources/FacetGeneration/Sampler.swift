// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetGuides
import FacetTensor
public import FacetTokenizer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Draws tokens from logits as a ``Sampling`` says.
///
/// One per sequence: it holds the random state and the tokens that penalties look back on. Its
/// arrays are reused from token to token.
public struct Sampler: ~Copyable {
  /// The options it follows.
  public let sampling: Sampling
  /// What stands for the draws of this sampler: the seed asked for, or the one chosen.
  public let seed: UInt64

  private var generator: RandomGenerator
  /// What penalties look back on.
  var window: PenaltyWindow
  private var adjusted: [Float] = []
  private var candidates = Candidates()
  private var selection = Selection()
  private var blockTotals: [Double] = []

  /// A sampler with an empty window; throws when an option is out of range.
  public init(_ sampling: Sampling) throws(GenerationError) {
    try sampling.validate()
    self.sampling = sampling
    var system = SystemRandomNumberGenerator()
    // 53 bits: a reader of JSON that knows only doubles still gets it exactly.
    seed = sampling.seed ?? UInt64.random(in: 0..<1 << 53, using: &system)
    generator = RandomGenerator(seed: seed)
    window = PenaltyWindow(size: sampling.hasPenalties ? sampling.penaltyWindow : 0)
  }

  /// Notes a token of the sequence, read or drawn, for the penalties.
  public mutating func accept(_ token: TokenID) {
    window.append(token)
  }

  /// Draws the next token from `logits` [V].
  ///
  /// The caller accepts it.
  public mutating func next(_ logits: Span<Float>) throws(GenerationError) -> TokenID {
    try next(logits, allowed: nil)
  }

  /// Draws the next token from `logits` [V], one that is `allowed` (nil: any).
  package mutating func next(
    _ logits: Span<Float>, allowed: TokenMask?
  ) throws(GenerationError) -> TokenID {
    let isAdjusted = adjust(logits)
    guard isAdjusted || allowed != nil else { return try draw(logits) }
    if let allowed { try keep(allowed, of: logits, isAdjusted: isAdjusted) }
    // The scratch is lent out for the draw and taken back, so that nothing is copied.
    var scratch: [Float] = []
    swap(&scratch, &adjusted)
    defer { swap(&scratch, &adjusted) }
    return try draw(scratch.span)
  }
}

// MARK: - Steps

extension Sampler {
  /// Copies the logits to `adjusted` and adds bias and penalties; false when there are none.
  private mutating func adjust(_ logits: Span<Float>) -> Bool {
    guard !sampling.logitBias.isEmpty || !window.counts.isEmpty else { return false }
    copy(logits)
    for (token, bias) in sampling.logitBias where Int(token) < adjusted.count {
      adjusted[Int(token)] += bias
    }
    for (token, count) in window.counts where token >= 0 && Int(token) < adjusted.count {
      var logit = adjusted[Int(token)]
      logit = logit > 0 ? logit / sampling.repetitionPenalty : logit * sampling.repetitionPenalty
      logit -= Float(count) * sampling.frequencyPenalty + sampling.presencePenalty
      adjusted[Int(token)] = logit
    }
    return true
  }

  private mutating func copy(_ logits: Span<Float>) {
    if adjusted.count != logits.count {
      adjusted = Array(repeating: 0, count: logits.count)
    }
    var copy = adjusted.mutableSpan
    for index in logits.indices { copy[index] = logits[index] }
  }

  /// Leaves only the tokens of `allowed` in `adjusted`, which holds the logits already or not.
  private mutating func keep(
    _ allowed: TokenMask, of logits: Span<Float>, isAdjusted: Bool
  ) throws(GenerationError) {
    if !isAdjusted { copy(logits) }
    var row = adjusted.mutableSpan
    row.clear(except: allowed.words)
    guard row.span.maximum(in: row.indices) > -.infinity else {
      throw GenerationError(
        .noCandidate,
        "No token can be drawn: the guide, the logit bias and the model leave none. Loosen the guide or "
          + "the bias, or check the model file.")
    }
  }

  private mutating func draw(_ logits: Span<Float>) throws(GenerationError) -> TokenID {
    guard let best = logits.indexOfMaximum(), logits[best] < .infinity else {
      throw Self.noCandidate
    }
    if sampling.temperature == 0 { return TokenID(best) }
    guard sampling.hasFilters else { return try drawFromAll(logits, maximum: logits[best]) }
    candidates.fill(logits, maximum: logits[best], sampling)
    candidates.apply(temperature: sampling.temperature)
    guard let token = candidates.token(at: generator.uniform()) else { throw Self.noCandidate }
    return token
  }

  /// Draws from the softmax over the whole row: sums of blocks first, then one block token by token.
  private mutating func drawFromAll(
    _ logits: Span<Float>, maximum: Float
  ) throws(GenerationError) -> TokenID {
    let block = 1024
    let scale = 1 / sampling.temperature
    blockTotals.removeAll(keepingCapacity: true)
    var total = 0.0
    for start in stride(from: 0, to: logits.count, by: block) {
      let range = start..<min(start + block, logits.count)
      let part = logits.sumOfExponentials(in: range, maximum: maximum, scale: scale)
      blockTotals.append(part)
      total += part
    }
    guard total.isFinite else { throw Self.noCandidate }
    var left = generator.uniform() * total
    var chosen = 0
    while chosen < blockTotals.count - 1, left >= blockTotals[chosen] {
      left -= blockTotals[chosen]
      chosen += 1
    }
    var last = -1
    for index in chosen * block..<min((chosen + 1) * block, logits.count) {
      let weight = Double(exp((logits[index] - maximum) * scale))
      guard weight > 0 else { continue }
      left -= weight
      last = index
      if left < 0 { break }
    }
    // A block that rounding alone chose may be empty; the likeliest token is then as good as any.
    return last >= 0 ? TokenID(last) : TokenID(logits.indexOfMaximum() ?? 0)
  }

  /// The tokens that the filters leave, with their probabilities, by ascending id.
  package mutating func distribution(
    _ logits: Span<Float>
  ) throws(GenerationError) -> [(token: TokenID, probability: Double)] {
    let row = adjust(logits) ? adjusted : Array(copying: logits)
    guard let best = row.span.indexOfMaximum(), row[best] < .infinity else {
      throw Self.noCandidate
    }
    if sampling.temperature == 0 { return [(TokenID(best), 1)] }
    candidates.fill(row.span, maximum: row[best], sampling)
    candidates.apply(temperature: sampling.temperature)
    return candidates.list.map { ($0.token, Double($0.weight) / candidates.total) }
  }

  /// A number of this sampler's own in [0, 1).
  mutating func uniform() -> Double { generator.uniform() }

  private static var noCandidate: GenerationError {
    GenerationError(
      .noCandidate,
      "No token can be drawn: the model's logits are not numbers, or every token is ruled out by its "
        + "logit bias. Check the model file and the options.")
  }
}

// MARK: - Log-probabilities

extension Sampler {
  /// The log-probability of `token` under the model, before bias, penalties and filters, and the
  /// `count` likeliest tokens with theirs.
  public mutating func logProbabilities(
    of token: TokenID, top count: Int, in logits: Span<Float>
  ) -> (chosen: Float, top: [TokenLogProbability]) {
    selection.logProbabilities(of: token, top: count, in: logits)
  }
}

extension Selection {
  /// The log-probability of `token` in a softmax over `logits`, and the `count` likeliest tokens with theirs.
  mutating func logProbabilities(
    of token: TokenID, top count: Int, in logits: Span<Float>
  ) -> (chosen: Float, top: [TokenLogProbability]) {
    precondition(token >= 0 && Int(token) < logits.count, "token \(token) of \(logits.count)")
    let logTotal = logits.logSumExp()
    var top: [TokenLogProbability] = []
    top.reserveCapacity(count)
    forEachOfTop(count, of: logits) { entry in
      top.append(
        TokenLogProbability(
          token: entry.token, logProbability: Float(Double(entry.key) - logTotal)))
    }
    return (Float(Double(logits[Int(token)]) - logTotal), top)
  }
}

/// A token and how likely the model found it.
public struct TokenLogProbability: Sendable, Hashable, Codable {
  /// The token.
  public var token: TokenID
  /// The natural logarithm of its probability.
  public var logProbability: Float

  /// Pairs a token with its log-probability.
  public init(token: TokenID, logProbability: Float) {
    self.token = token
    self.logProbability = logProbability
  }

  enum CodingKeys: String, CodingKey {
    case token
    case logProbability = "logprob"
  }
}

extension Array where Element == Float {
  /// The numbers of a span.
  init(copying span: Span<Float>) {
    self.init()
    reserveCapacity(span.count)
    for index in span.indices { append(span[index]) }
  }
}
