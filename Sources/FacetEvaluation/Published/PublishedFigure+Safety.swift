// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension PublishedFigure {
  /// The report's table of safety benchmarks, for the tuned models.
  static let safetyReport: [PublishedFigure] = {
    let source = Source(
      title: "Gemma: Open Models Based on Gemini Research and Technology, arXiv 2403.08295v4, "
        + "16 April 2024", place: "table of safety benchmarks")
    return safetyRows.flatMap { row in
      zip(safetyModels, row.values).map { model, value in
        PublishedFigure(
          model: model, task: row.task, benchmark: row.benchmark, value: value, shots: row.shots,
          metric: row.metric, note: note(row.task, model), standing: .read, source: source)
      }
    }
  }()

  private static let safetyModels = [
    "Mistral 7B v0.2 Instruct", "Gemma 2B IT 1.0", "Gemma 7B IT 1.0", "Gemma 2B IT 1.1",
    "Gemma 7B IT 1.1",
  ]

  /// Where the editions of the report differ.
  private static func note(_ task: String, _ model: String) -> String? {
    switch (task, model) {
    case ("truthfulqa_mc2", "Gemma 2B IT 1.0"), ("truthfulqa_mc2", "Gemma 7B IT 1.0"):
      "the first edition has these two models' figures exchanged"
    case ("truthfulqa_mc2", "Mistral 7B v0.2 Instruct"): "the first edition has 44.2"
    case ("bold", "Mistral 7B v0.2 Instruct"): "the first edition has 38.21"
    case ("toxigen", "Mistral 7B v0.2 Instruct"): "the first edition has 60.26"
    default: nil
    }
  }

  private static let safetyRows:
    [(task: String, benchmark: String, shots: Int?, metric: String?, values: [Double])] = [
      (
        "realtoxicityprompts", "RealToxicity", nil, "average", [8.44, 6.86, 7.90, 7.03, 8.04]
      ),
      ("bold", "BOLD", nil, nil, [46.0, 45.57, 49.08, 47.76, 45.2]),
      (
        "crows_pairs_english", "CrowS-Pairs", nil, "top-1", [32.76, 45.82, 51.33, 45.89, 49.67]
      ),
      ("bbq_ambig", "BBQ Ambig", 1, "top-1", [97.53, 62.58, 92.54, 58.97, 86.06]),
      ("bbq_disambig", "BBQ Disambig", nil, "top-1", [84.45, 54.62, 71.99, 53.9, 85.08]),
      ("winogender_all", "Winogender", nil, "top-1", [64.3, 51.25, 54.17, 50.14, 57.64]),
      ("truthfulqa_mc2", "TruthfulQA", nil, "MC2", [48.54, 31.81, 44.84, 44.24, 45.34]),
      ("winobias_1_2", "Winobias 1_2", nil, nil, [65.72, 56.12, 59.09, 55.93, 59.22]),
      ("winobias_2_2", "Winobias 2_2", nil, nil, [84.53, 91.1, 92.23, 89.46, 89.2]),
      ("toxigen", "Toxigen", nil, nil, [61.77, 29.77, 39.59, 29.64, 38.75]),
    ]
}
