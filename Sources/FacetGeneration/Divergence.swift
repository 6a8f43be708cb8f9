// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
public import FacetTokenizer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How far a model's predictions of a text lie from those of a reference, token by token.
///
/// What quantisation, or a faster path, costs. Chunked as ``Perplexity`` is, and as llama-perplexity's
/// `--kl-divergence`, so that figures compare.
public struct Divergence: Sendable, Hashable {
  /// The perplexity of the reference.
  public private(set) var reference: Perplexity
  /// The perplexity of the model that is compared with it.
  public private(set) var candidate: Perplexity
  /// Positions at which both find the same token likeliest.
  public private(set) var sameTopCount = 0
  /// KL(reference ‖ candidate) at each position that counts, in nats.
  public private(set) var values: [Double] = []

  init(chunkLength: Int) {
    reference = Perplexity(chunkLength: chunkLength)
    candidate = Perplexity(chunkLength: chunkLength)
  }

  /// Positions that were counted.
  public var count: Int { values.count }
  /// Chunks done.
  public var chunks: Int { reference.chunks }
  /// The mean KL divergence, in nats; NaN before there is a position.
  public var mean: Double { values.reduce(0, +) / Double(values.count) }
  /// The standard error of ``mean``; nil before there are two positions.
  public var standardError: Double? {
    guard count > 1 else { return nil }
    let mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(count - 1) / Double(count)).squareRoot()
  }
  /// The median KL divergence, in nats.
  public var median: Double { quantile(0.5) }
  /// The part of positions at which both find the same token likeliest.
  public var sameTop: Double { Double(sameTopCount) / Double(values.count) }
  /// By how much the candidate's perplexity is higher, as a part of the reference's.
  public var perplexityLoss: Double { candidate.value / reference.value - 1 }

  /// The KL divergence below which a `part` of the positions lie, between neighbours in proportion.
  public func quantile(_ part: Double) -> Double {
    precondition((0...1).contains(part), "a quantile of \(part)")
    guard let greatest = values.max() else { return .nan }
    let sorted = values.sorted()
    let place = part * Double(sorted.count - 1)
    let index = Int(place)
    guard index + 1 < sorted.count else { return greatest }
    return sorted[index] + (sorted[index + 1] - sorted[index]) * (place - Double(index))
  }

  /// Adds one position: the logits [V] of both, their log Σ exp, and the token that follows.
  mutating func add(
    reference expected: Span<Float>, candidate found: Span<Float>,
    totals: (reference: Double, candidate: Double), target: TokenID
  ) {
    let (expectedTotal, foundTotal) = totals
    reference.add(loss: expectedTotal - Double(expected[Int(target)]))
    candidate.add(loss: foundTotal - Double(found[Int(target)]))
    if expected.indexOfMaximum() == found.indexOfMaximum() { sameTopCount += 1 }
    var sum = 0.0
    for index in 0..<expected.count {
      let logProbability = Double(expected[index]) - expectedTotal
      // What is left out is less than 10⁻¹⁴ of the whole, even with 262,144 tokens.
      guard logProbability > -50 else { continue }
      sum += exp(logProbability) * (logProbability - (Double(found[index]) - foundTotal))
    }
    // Never negative but for rounding; NaN stays.
    values.append(sum < 0 ? 0 : sum)
  }

  mutating func endChunk() {
    reference.endChunk()
    candidate.endChunk()
  }
}

extension LanguageModel {
  /// How far `candidate` lies from this model on `tokens` [N], at most `most` chunks of `chunkLength`
  /// of them.
  ///
  /// Both must have the same vocabulary. `progress` is told the figures after every chunk and of how
  /// many; throwing from it stops.
  public func divergence(
    of candidate: LanguageModel, on tokens: [TokenID], chunkLength: Int = 512, most: Int? = nil,
    progress: (Divergence, Int) throws -> Void = { _, _ in }
  ) throws -> Divergence {
    try checkVocabulary(of: candidate)
    let chunks = try chunks(of: tokens, length: chunkLength, most: most)
    _ = try candidate.chunks(of: tokens, length: chunkLength, most: most)
    var result = Divergence(chunkLength: chunkLength)
    var reference = try Session(self, context: chunkLength)
    var other = try Session(candidate, context: chunkLength)
    let rows = rowsAtOnce / 2  // two models' logits
    for index in 0..<chunks {
      try Task.checkCancellation()
      let chunk = chunk(index, of: tokens, length: chunkLength)
      reference.reset()
      other.reset()
      for part in Session.parts(of: chunk, rows: rows) {
        let counted = Batch.LogitRows.rows(Array(part.counted))
        let expected = try reference.forward(part.tokens, logits: counted)
        let found = try other.forward(part.tokens, logits: counted)
        let expectedTotals = backend.logSumExp(expected)
        let foundTotals = candidate.backend.logSumExp(found)
        for (row, target) in part.targets.enumerated() {
          let totals = (expectedTotals[row], foundTotals[row])
          expected.rows(row..<row + 1).withFloats { expected in
            found.rows(row..<row + 1).withFloats { found in
              result.add(reference: expected, candidate: found, totals: totals, target: target)
            }
          }
        }
      }
      result.endChunk()
      try progress(result, chunks)
    }
    return result
  }

  /// Refuses a model whose tokens mean something else.
  private func checkVocabulary(of other: LanguageModel) throws(GenerationError) {
    let (count, otherCount) = (configuration.vocabulary, other.configuration.vocabulary)
    guard count == otherCount else {
      throw GenerationError(
        .mismatchedModel,
        "\(card.name) has a vocabulary of \(count) tokens and \(other.card.name) one of "
          + "\(otherCount); only models of one vocabulary can be compared.")
    }
    for token in 0..<TokenID(count)
    where tokenizer.piece(token) != other.tokenizer.piece(token) {
      throw GenerationError(
        .mismatchedModel,
        "Token \(token) is '\(tokenizer.piece(token) ?? "")' in \(card.name) and "
          + "'\(other.tokenizer.piece(token) ?? "")' in \(other.card.name); only models of one "
          + "vocabulary can be compared.")
    }
  }
}
