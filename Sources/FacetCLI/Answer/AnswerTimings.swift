// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation

/// What `--verbose` says about an answer.
enum AnswerTimings {
  /// Prints the figures of `summary` to standard error.
  static func tell(_ summary: GenerationSummary) {
    let prompt = rate(summary.prefillTokensPerSecond)
    let answer = rate(summary.decodeTokensPerSecond)
    let guesses =
      summary.draftedTokens > 0
      ? "\nfacet: accepted \(summary.acceptedTokens) of \(summary.draftedTokens) drafted tokens"
      : ""
    let forced =
      summary.forcedTokens > 0 ? "\nfacet: \(summary.forcedTokens) tokens forced by the guide" : ""
    OutputFile.error.tell(
      """
      facet: prompt \(summary.promptTokens) tokens (\(summary.cachedTokens) from the cache), \
      \(Seconds(summary.prefillTime)), \(prompt)
      facet: answer \(summary.generatedTokens) tokens, \(Seconds(summary.decodeTime)), \(answer)\(forced)\(guesses)
      facet: ended by \(summary.reason.key), seed \(summary.seed)
      """)
  }

  private static func rate(_ value: Double) -> String {
    String(format: "%.1f tokens/s", value)
  }
}

/// A time for people: `0.25 s`.
struct Seconds: CustomStringConvertible {
  let description: String

  init(_ time: Duration) { description = String(format: "%.2f s", time / .seconds(1)) }
}
