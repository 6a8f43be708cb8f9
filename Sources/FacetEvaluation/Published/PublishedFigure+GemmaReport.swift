// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension PublishedFigure {
  /// Table 6 of the Gemma report; its first edition has the same cells.
  static let gemmaReport: [PublishedFigure] = {
    let source = Source(
      title: "Gemma: Open Models Based on Gemini Research and Technology, arXiv 2403.08295v4, "
        + "16 April 2024", place: "table 6")
    return rows.flatMap { row in
      zip(models, row.values).map { model, value in
        let ownRun = model == "Mistral 7B" && row.ownRun
        return PublishedFigure(
          model: model, task: row.task, benchmark: row.benchmark, value: value, shots: row.shots,
          metric: row.metric, note: ownRun ? "run by the report's authors" : row.note,
          standing: .read, source: source)
      }
    }
  }()

  private static let models = [
    "LLaMA-2 7B", "LLaMA-2 13B", "Mistral 7B", "Gemma 2B", "Gemma 7B",
  ]

  /// A row of the table.
  private struct Row: Sendable {
    var task: String
    var benchmark: String
    var shots: Int?
    var metric: String?
    var values: [Double]
    /// Whether Mistral's figure is the authors' own run.
    var ownRun = false
    var note: String?

    init(
      _ task: String, _ benchmark: String, _ shots: Int?, _ metric: String?, _ values: [Double],
      ownRun: Bool = false, note: String? = nil
    ) {
      self.task = task
      self.benchmark = benchmark
      self.shots = shots
      self.metric = metric
      self.values = values
      self.ownRun = ownRun
      self.note = note
    }
  }

  private static let rows: [Row] = [
    Row("mmlu", "MMLU", 5, "top-1", [45.3, 54.8, 62.5, 42.3, 64.3]),
    Row("hellaswag", "HellaSwag", 0, nil, [77.2, 80.7, 81.0, 71.4, 81.2]),
    Row("piqa", "PIQA", 0, nil, [78.8, 80.5, 82.2, 77.3, 81.2]),
    Row("social_iqa", "SIQA", 0, nil, [48.3, 50.3, 47.0, 49.7, 51.8], ownRun: true),
    Row("boolq", "BoolQ", 0, nil, [77.4, 81.7, 83.2, 69.4, 83.2], ownRun: true),
    Row("winogrande", "WinoGrande", nil, "partial scoring", [69.2, 72.8, 74.2, 65.4, 72.3]),
    Row("commonsense_qa", "CQA", 7, nil, [57.8, 67.3, 66.3, 65.3, 71.3], ownRun: true),
    Row("openbookqa", "OBQA", nil, nil, [58.6, 57.0, 52.2, 47.8, 52.8]),
    Row("arc_easy", "ARC-e", nil, nil, [75.2, 77.3, 80.5, 73.2, 81.5]),
    Row("arc_challenge", "ARC-c", nil, nil, [45.9, 49.4, 54.9, 42.1, 53.2]),
    Row("triviaqa", "TriviaQA", 5, nil, [72.1, 79.6, 62.5, 53.2, 63.4]),
    Row("nq_open", "NQ", 5, nil, [25.7, 31.2, 23.2, 12.5, 23.0]),
    Row("humaneval", "HumanEval", nil, "pass@1", [12.8, 18.3, 26.2, 22.0, 32.3]),
    Row(
      "mbpp", "MBPP", 3, nil, [20.8, 30.6, 40.2, 29.2, 44.4], ownRun: true,
      note: "on the split where Mistral's own 50.2 stands, Gemma 7B has 54.5"),
    Row("gsm8k", "GSM8K", nil, "maj@1", [14.6, 28.7, 35.4, 17.7, 46.4], ownRun: true),
    Row("minerva_math", "MATH", 4, nil, [2.5, 3.9, 12.7, 11.8, 24.3]),
    Row("agieval_en", "AGIEval", nil, nil, [29.3, 39.1, 41.2, 24.2, 41.7], ownRun: true),
    Row("bbh_cot_fewshot", "BBH", nil, nil, [32.6, 39.4, 56.1, 35.2, 55.1], ownRun: true),
  ]
}
