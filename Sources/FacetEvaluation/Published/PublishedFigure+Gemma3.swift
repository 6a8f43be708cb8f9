// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension PublishedFigure {
  /// The model card of Gemma 3 270M, as far as others quote it.
  ///
  /// Cells of the card that no page at hand quotes are absent rather than remembered.
  static let gemma3Card: [PublishedFigure] = {
    let source = Source(title: "Gemma 3 model card, August 2025", place: "tables of the 270M")
    func figure(
      _ model: String, _ task: String, _ benchmark: String, _ shots: Int?, _ value: Double
    ) -> PublishedFigure {
      PublishedFigure(
        model: model, task: task, benchmark: benchmark, value: value, shots: shots, metric: nil,
        note: "the card as quoted by others", standing: .quoted, source: source)
    }
    let base = "Gemma 3 270M"
    let tuned = "Gemma 3 270M IT"
    return [
      figure(base, "hellaswag", "HellaSwag", 10, 40.9),
      figure(base, "boolq", "BoolQ", 0, 61.4),
      figure(base, "piqa", "PIQA", 0, 67.7),
      figure(base, "arc_challenge", "ARC-c", 25, 29.0),
      figure(base, "arc_easy", "ARC-e", 0, 57.7),
      figure(base, "winogrande", "WinoGrande", nil, 52.0),
      figure(tuned, "piqa", "PIQA", 0, 66.2),
      figure(tuned, "winogrande", "WinoGrande", 0, 52.3),
      figure(tuned, "bbh_cot_fewshot", "BIG-Bench Hard", nil, 26.7),
      figure(tuned, "ifeval", "IFEval", 0, 51.2),
    ]
  }()
}
