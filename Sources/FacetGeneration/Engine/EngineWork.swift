// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTokenizer

/// What is made of one sequence's logits: an answer, or scores.
///
/// It knows nothing of caches, batches and other sequences. Methods are called one after the other, from
/// whatever thread the engine's step runs on.
protocol EngineWork: AnyObject {
  /// Most tokens that may be read at once, for the sake of the logits.
  var mostTokens: Int { get }
  /// Which of the positions `range` being read are followed by something that is asked; `isLast` when no
  /// tokens are left to read after them.
  func asked(in range: Range<Int>, isLast: Bool) -> Range<Int>
  /// Reading begins; the first `cached` tokens are there already.
  func begin(cached: Int)
  /// The first `done` tokens are in.
  func progress(to done: Int)
  /// Makes something of the logits [R, V] after the positions asked for.
  func take(_ logits: Tensor, after positions: Range<Int>) throws -> EngineStep
  /// Nobody waits for it any more: gives out what there is.
  func cancel() -> EngineReport
  /// It cannot go on.
  func fail(_ error: any Error) -> EngineReport
}

/// What comes after some logits.
enum EngineStep {
  /// These tokens are to be read; none: those that are left.
  case read([TokenID])
  case end(EngineReport)
}

/// What a request came to.
struct EngineReport {
  var outcome: EngineStatus.Outcome
  var generatedTokens = 0
}
