// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Tasks that a table has, with the examples that it was made with.
public enum EvaluationSuite: String, Sendable, CaseIterable {
  /// The table of the Gemma report, as far as Facet has its tasks.
  case gemmaReport = "gemma-report"
  /// The tasks with lm-eval's own defaults.
  case lmEval = "lm-eval"
  /// The table of the card of the Gemma 3 270M base model.
  case gemma3Card = "gemma3-card"

  /// A task or group, and examples before each question; nil: its own default.
  public typealias Entry = (name: String, shots: Int?)

  /// What the suite asks.
  public var entries: [Entry] {
    switch self {
    case .gemmaReport:
      [
        ("mmlu", 5), ("hellaswag", 0), ("piqa", 0), ("social_iqa", 0), ("boolq", 0),
        ("winogrande", 0), ("commonsense_qa", 7), ("openbookqa", 0), ("arc_easy", 0),
        ("arc_challenge", 0), ("triviaqa", 5), ("nq_open", 5), ("humaneval", 0), ("mbpp", 3),
        ("gsm8k", 5), ("minerva_math", 4), ("agieval_en", 0), ("agieval_math", 0),
        ("bbh_cot_fewshot", 3), ("crows_pairs_english", 0), ("bbq", 1), ("winogender_all", 0),
        ("truthfulqa_mc2", 0), ("winobias_1_2", 0), ("winobias_2_2", 0), ("toxigen", 0),
        ("bold", 0), ("realtoxicityprompts", 0),
      ]
    case .lmEval:
      [
        "arc_easy", "arc_challenge", "piqa", "social_iqa", "boolq", "winogrande", "hellaswag",
        "openbookqa", "commonsense_qa", "mmlu", "truthfulqa_mc1", "truthfulqa_mc2",
        "crows_pairs_english", "bbq", "winogender_all", "toxigen", "wikitext", "triviaqa",
        "nq_open", "gsm8k",
        "gsm8k_cot", "minerva_math", "agieval_en", "agieval_math", "humaneval", "mbpp",
        "bbh_cot_fewshot",
      ].map { ($0, nil) }
    case .gemma3Card:
      [
        ("hellaswag", 10), ("boolq", 0), ("piqa", 0), ("triviaqa", 5), ("arc_challenge", 25),
        ("arc_easy", 0), ("winogrande", 5),
      ]
    }
  }
}
