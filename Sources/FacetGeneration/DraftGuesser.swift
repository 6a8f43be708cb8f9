// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTokenizer

/// Lets a smaller model write ahead.
///
/// How far ahead depends on what was kept before and on the sizes of the two models, not on the
/// clock: the same seed gives the same answer.
final class DraftGuesser: Guesser {
  private var session: Session
  private let most: Int
  private let pace: Speculation.Pace
  /// What a pass of the draft costs, in passes of the model: decoding reads all weights once.
  private let ratio: Double
  private var sequence: [TokenID] = []
  /// How often a guess is kept.
  private var chance = 0.7
  /// Passes since something was guessed.
  private var idle = 0

  init(
    _ draft: LanguageModel, for model: LanguageModel, most: Int, _ pace: Speculation.Pace,
    context: Int
  ) throws {
    session = try Session(draft, context: min(context, draft.configuration.contextLength))
    self.most = most
    self.pace = pace
    ratio =
      Double(draft.transformer.weights.readByteCount)
      / Double(max(1, model.transformer.weights.readByteCount))
  }

  func begin(_ prompt: [TokenID]) throws {
    sequence = prompt
    guard prompt.count < session.contextLength else { return }
    _ = try session.prefill(prompt) { _ in
      if Task.isCancelled { throw CancellationError() }
    }
  }

  func append(_ token: TokenID) { sequence.append(token) }

  func guess(most: Int, _ answer: inout Answer) throws -> [Proposal] {
    let most = min(most, self.most, session.contextLength - sequence.count)
    let count = worth(max(0, most))
    guard count > 0 else { return [] }
    let logits = try session.prefill(sequence)
    return try answer.guesses(count, from: logits) { try session.decode($0) }
  }

  /// How many of `most` guesses to make.
  private func worth(_ most: Int) -> Int {
    if pace == .always { return most }
    let count = PassCosts().best(repeatElement(chance, count: most), each: ratio)
    idle = count > 0 ? 0 : idle + 1
    guard idle > Self.patience else { return count }
    idle = 0
    return min(1, most)
  }

  func learn(guessed: Int, kept: Int, time: Duration) {
    for index in 0..<min(guessed, kept + 1) {
      chance += ((index < kept ? 1 : 0) - chance) / 16
    }
  }

  /// Passes after which a draft that seldom was right gets another chance.
  private static let patience = 32
}

extension ModelWeights {
  /// Bytes that decoding one token reads.
  fileprivate var readByteCount: Int {
    layers.reduce(head.byteCount) { sum, layer in
      [
        layer.query, layer.key, layer.value, layer.attentionOutput, layer.gate, layer.up,
        layer.down,
      ].reduce(sum) { $0 + $1.byteCount }
    }
  }
}
