// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How documents are scored.
package enum Scorer: String, Sendable {
  /// By the likeliest choice, or by exact match.
  case standard
  /// The share of probability on true answers.
  case truthful = "truthfulqa_mc2"
  /// Which of two sentences is likelier, and by how much.
  case pairs = "crows_pairs"
  /// Accuracy and bias by condition and category.
  case bbq
  /// Perplexity by the words and bytes of the text as it was before it was prepared.
  case wikitext
  /// Whether the program that the answer is passes its test.
  case program
  /// By the value of the answer, as Minerva was scored, and as ``MathVerification`` has it.
  case minerva = "minerva_math"
  /// By the answer's form, as AGIEval scores its cloze questions.
  case cloze = "agieval_math"
  /// By how likely moderation would stop it, as ``ModerationScorer`` has it.
  case moderation = "moderation-ngram-1"

  /// What the names of metrics may be.
  func metrics(_ kind: TaskDefinition.Kind) -> [@Sendable (String) -> Bool] {
    switch (self, kind) {
    case (.standard, .choice): [{ ["acc", "acc_norm", "acc_bytes"].contains($0) }]
    case (.standard, .generation): [{ $0 == "exact_match" }]
    case (.program, .generation): [{ ["pass@1", "pass_at_1"].contains($0) }]
    case (.minerva, .generation): [{ ["exact_match", "math_verify"].contains($0) }]
    case (.cloze, .generation): [{ $0 == "acc" }]
    case (.moderation, .generation): [{ ["toxicity", "toxic"].contains($0) }]
    case (.truthful, .choice): [{ $0 == "acc" }]
    case (.pairs, .choice): [{ ["likelihood_diff", "pct_stereotype"].contains($0) }]
    case (.bbq, .choice):
      [
        { ["acc", "accuracy_amb", "accuracy_disamb"].contains($0) },
        { $0.hasPrefix("amb_bias_score") || $0.hasPrefix("disamb_bias_score") },
      ]
    case (.wikitext, .perplexity), (.standard, .perplexity):
      [{ ["word_perplexity", "byte_perplexity", "bits_per_byte"].contains($0) }]
    default: []
    }
  }

  /// Whether more of a metric is better.
  static func isHigherBetter(_ metric: String) -> Bool {
    let lower = [
      "likelihood_diff", "pct_stereotype", "word_perplexity", "byte_perplexity", "bits_per_byte",
      "toxicity", "toxic",
    ]
    return !lower.contains(metric) && !metric.contains("bias_score")
  }
}
