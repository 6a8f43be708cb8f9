// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTokenizer

/// The log-probabilities of given tokens, in one of an engine's places.
final class EngineScore: EngineWork {
  private let tokens: [TokenID]
  private let first: Int
  private let alternatives: Int
  private let reply: EngineRequest.Reply
  private let vocabulary: Int
  private var scores: [ScoredToken]
  private var selection = Selection()

  init(
    _ tokens: [TokenID], from first: Int, alternatives: Int, vocabulary: Int,
    _ reply: @escaping EngineRequest.Reply
  ) {
    self.tokens = tokens
    self.first = first
    self.alternatives = alternatives
    self.vocabulary = vocabulary
    self.reply = reply
    scores = tokens.map { ScoredToken(id: $0, logProbability: nil, alternatives: []) }
  }

  /// Enough that reading the head is worth it; their logits take 64 MB of a vocabulary of 262,144.
  var mostTokens: Int { 64 }

  func asked(in range: Range<Int>, isLast: Bool) -> Range<Int> {
    // What is asked of place p is answered after p − 1; nothing follows the last.
    let begin = min(max(range.lowerBound, first - 1), range.upperBound)
    return begin..<max(begin, min(range.upperBound, tokens.count - 1))
  }

  func begin(cached: Int) {}

  func progress(to done: Int) {}

  func take(_ logits: Tensor, after positions: Range<Int>) -> EngineStep {
    logits.withFloats { logits in
      for (row, position) in positions.enumerated() {
        let token = tokens[position + 1]
        let found = selection.logProbabilities(
          of: token, top: alternatives,
          in: logits.extracting(row * vocabulary..<(row + 1) * vocabulary))
        scores[position + 1].logProbability = found.chosen
        scores[position + 1].alternatives = found.top
      }
    }
    return positions.upperBound == tokens.count - 1 ? .end(complete()) : .read([])
  }

  func cancel() -> EngineReport {
    reply(.failure(CancellationError()))
    return EngineReport(outcome: .cancelled)
  }

  func fail(_ error: any Error) -> EngineReport {
    reply(.failure(error))
    return EngineReport(outcome: .failed)
  }

  func complete() -> EngineReport {
    reply(.success(scores))
    return EngineReport(outcome: .scored)
  }
}
