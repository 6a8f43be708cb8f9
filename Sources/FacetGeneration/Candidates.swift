// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTokenizer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The tokens still in question, and the filters that thin them out.
///
/// The list stays in token order; a filter finds its cutoff by partial selection on a copy of the keys
/// and drops what lies below. Nothing sorts a vocabulary, and the arrays are reused from token to token.
struct Candidates {
  /// A token in question.
  struct Candidate {
    var token: TokenID
    var logit: Float
    /// exp(logit − maximum).
    var weight: Float
  }

  /// The tokens, by ascending id.
  private(set) var list: [Candidate] = []
  /// Σ weight.
  private(set) var total = 0.0
  private var selection = Selection()

  /// Takes every token of `logits` that the filters of `sampling` could keep, then applies them:
  /// top-k → typical → top-p → min-p.
  ///
  /// `maximum` is that of the row and finite.
  mutating func fill(_ logits: Span<Float>, maximum: Float, _ sampling: Sampling) {
    if sampling.topK > 0, sampling.topK < logits.count {
      gather(logits, top: sampling.topK)
      weigh(maximum: maximum)
    } else {
      let (floor, sum) = floor(logits, maximum: maximum, sampling)
      gather(logits, from: floor)
      weigh(maximum: maximum)
      if let sum { total = sum }
    }
    if sampling.typicalP < 1 { keepTypical(sampling.typicalP, maximum: maximum) }
    if sampling.topP < 1 { keepTop(mass: sampling.topP) }
    if sampling.minP > 0 { keepLikely(sampling.minP) }
  }

  /// Weighs the tokens anew at `temperature`.
  mutating func apply(temperature: Float) {
    let maximum = list.reduce(-Float.infinity) { max($0, $1.logit) }
    total = 0
    for index in list.indices {
      let weight = exp((list[index].logit - maximum) / temperature)
      list[index].weight = weight
      total += Double(weight)
    }
  }

  /// The token at `fraction` (0 ..< 1) of the weight, by ascending id.
  func token(at fraction: Double) -> TokenID? {
    var left = fraction * total
    var last: TokenID?
    for candidate in list where candidate.weight > 0 {
      left -= Double(candidate.weight)
      last = candidate.token
      if left < 0 { break }
    }
    return last
  }
}

// MARK: - Gathering

extension Candidates {
  private static var block: Int { 256 }

  /// The logit below which no filter keeps a token, and Σ weight of the row where it had to be found.
  private func floor(
    _ logits: Span<Float>, maximum: Float, _ sampling: Sampling
  ) -> (floor: Float, total: Double?) {
    if sampling.typicalP < 1 { return (-.greatestFiniteMagnitude, nil) }
    guard sampling.topP < 1 else { return (maximum + log(sampling.minP), nil) }
    let total = logits.sumOfExponentials(in: 0..<logits.count, maximum: maximum, scale: 1)
    // Tokens lighter than (1 − p)·Σ/V together weigh less than what top-p leaves out. A little lower,
    // so that rounding does not decide.
    let weight = (1 - Double(sampling.topP)) * total / Double(logits.count)
    return (maximum + Float(log(weight)) - 0.01, total)
  }

  private mutating func gather(_ logits: Span<Float>, from floor: Float) {
    list.removeAll(keepingCapacity: true)
    var start = 0
    while start < logits.count {
      let end = min(start + Self.block, logits.count)
      if logits.maximum(in: start..<end) >= floor {
        for index in start..<end where logits[index] >= floor {
          list.append(Candidate(token: TokenID(index), logit: logits[index], weight: 0))
        }
      }
      start = end
    }
  }

  private mutating func gather(_ logits: Span<Float>, top count: Int) {
    guard let cutoff = selection.cutoff(logits, top: count) else {
      return gather(logits, from: -.greatestFiniteMagnitude)
    }
    gather(logits, from: cutoff.key)
    keep(cutoff) { $0.logit }
  }

  private mutating func weigh(maximum: Float) {
    total = 0
    for index in list.indices {
      let weight = exp(list[index].logit - maximum)
      list[index].weight = weight
      total += Double(weight)
    }
  }
}

// MARK: - Filters

extension Candidates {
  /// Keeps the likeliest tokens until they have `mass` of the probability.
  private mutating func keepTop(mass: Float) {
    let cutoff = selection.cutoff(mass: Double(mass) * total, of: list) { $0.logit }
    if let cutoff { keep(cutoff) { $0.logit } }
  }

  /// Keeps the tokens whose surprise −ln p is nearest to its mean, until they have `mass` of the
  /// probability.
  private mutating func keepTypical(_ mass: Float, maximum: Float) {
    let logTotal = log(total)
    var entropy = 0.0
    for candidate in list where candidate.weight > 0 {
      entropy +=
        Double(candidate.weight) / total * (logTotal - Double(candidate.logit - maximum))
    }
    func nearness(_ candidate: Candidate) -> Float {
      -Float(abs(logTotal - Double(candidate.logit - maximum) - entropy))
    }
    let cutoff = selection.cutoff(mass: Double(mass) * total, of: list, by: nearness)
    if let cutoff { keep(cutoff, by: nearness) }
  }

  /// Keeps the tokens at least `fraction` as likely as the likeliest one left.
  private mutating func keepLikely(_ fraction: Float) {
    let maximum = list.reduce(-Float.infinity) { max($0, $1.logit) }
    let floor = maximum + log(fraction)
    keep(Selection.Entry(key: floor, token: .max, weight: 0)) { $0.logit }
  }

  /// Keeps what does not come after `cutoff`.
  private mutating func keep(_ cutoff: Selection.Entry, by key: (Candidate) -> Float) {
    var kept = 0
    total = 0
    for candidate in list {
      let entry = Selection.Entry(key: key(candidate), token: candidate.token, weight: 0)
      guard !cutoff.precedes(entry) else { continue }
      list[kept] = candidate
      kept += 1
      total += Double(candidate.weight)
    }
    list.removeLast(list.count - kept)
  }
}
