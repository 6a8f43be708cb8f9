// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer

// Speculative sampling (Leviathan et al. 2023, Chen et al. 2023). A guess x drawn from q is kept with the
// chance min(1, p(x)/q(x)); otherwise a token is drawn from what p has more than q. Together that is a
// draw from p. A guess that was not drawn needs no rule of its own: the token is drawn from p as ever,
// and the guess is right or not. p and q are what all options make of the two rows of logits.
extension Sampler {
  /// Draws a guess from `logits` [V]; the caller accepts it, and takes that back.
  mutating func proposal(_ logits: Span<Float>) throws(GenerationError) -> Proposal {
    if sampling.temperature == 0 { return Proposal(token: try next(logits), distribution: nil) }
    let list = try distribution(logits)
    let token = Self.draw(list.lazy.map { ($0.token, $0.probability) }, at: uniform())
    guard let token else { return Proposal(token: try next(logits), distribution: nil) }
    return Proposal(token: token, distribution: list)
  }

  /// Draws the next token from `logits` [V], for which `guess` was drawn.
  mutating func next(
    _ logits: Span<Float>, guess: Proposal?
  ) throws(GenerationError) -> TokenID {
    guard let guess, let theirs = guess.distribution else { return try next(logits) }
    let ours = try distribution(logits)
    func probability(_ list: [(token: TokenID, probability: Double)]) -> Double {
      list.first { $0.token == guess.token }?.probability ?? 0
    }
    if uniform() * probability(theirs) < probability(ours) { return guess.token }
    let rest = Self.residual(ours, theirs)
    let total = rest.reduce(0) { $0 + $1.1 }
    // Nothing left: the two are equal but for rounding.
    if let token = Self.draw(rest, at: uniform() * total) { return token }
    return try next(logits)
  }

  /// What `ours` has more than `theirs`, token by token; both by ascending id.
  private static func residual(
    _ ours: [(token: TokenID, probability: Double)],
    _ theirs: [(token: TokenID, probability: Double)]
  ) -> [(TokenID, Double)] {
    var other = theirs.startIndex
    return ours.compactMap { entry in
      while other < theirs.endIndex, theirs[other].token < entry.token { other += 1 }
      let taken =
        other < theirs.endIndex && theirs[other].token == entry.token
        ? theirs[other].probability : 0
      return entry.probability > taken ? (entry.token, entry.probability - taken) : nil
    }
  }

  /// The token at `mass` of the weight.
  private static func draw(
    _ list: some Sequence<(TokenID, Double)>, at mass: Double
  ) -> TokenID? {
    var left = mass
    var last: TokenID?
    for (token, weight) in list where weight > 0 {
      left -= weight
      last = token
      if left < 0 { break }
    }
    return last
  }
}
