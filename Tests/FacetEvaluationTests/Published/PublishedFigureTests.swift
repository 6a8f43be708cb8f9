// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import Testing

@Suite("PublishedFigure")
struct PublishedFigureTests {
  private func value(_ task: String, _ model: String) -> Double? {
    PublishedFigure.figures(for: task).first { $0.model == model }?.value
  }

  @Test(
    "the columns of table 6 have the means that the report's last row states",
    arguments: [
      ("LLaMA-2 7B", 46.9), ("LLaMA-2 13B", 52.4), ("Mistral 7B", 54.5), ("Gemma 2B", 45.0),
      ("Gemma 7B", 56.9),
    ])
  func means(_ model: String, _ mean: Double) {
    let figures = PublishedFigure.all.filter { $0.model == model }
    #expect(figures.count == 18)
    let sum = figures.reduce(0) { $0 + $1.value }
    #expect((sum / 18 * 10).rounded() / 10 == mean)
  }

  @Test("no cell comes twice, and every cell has a source with a version")
  func cells() {
    let all = PublishedFigure.all
    #expect(all.count == 18 * 5 + 10 * 5 + 10)
    #expect(Set(all.map { "\($0.model)|\($0.task)" }).count == all.count)
    for figure in all {
      #expect(figure.source.title.contains("20"), "\(figure)")
      #expect((0...100).contains(figure.value), "\(figure)")
    }
  }

  @Test("a task finds its own figures; a part of a benchmark does not find the whole's")
  func lookup() {
    #expect(value("arc_easy", "Gemma 3 270M") == 57.7)
    #expect(value("mmlu", "Gemma 7B") == 64.3)
    #expect(value("truthfulqa_mc2", "Gemma 2B IT 1.0") == 31.81)
    #expect(value("gsm8k_cot", "Gemma 2B") == 17.7)
    #expect(PublishedFigure.figures(for: "mmlu_astronomy").isEmpty)
    #expect(PublishedFigure.figures(for: "truthfulqa_mc1").isEmpty)
    #expect(PublishedFigure.figures(for: "bold_gender").first?.benchmark == "BOLD")
    #expect(PublishedFigure.figures(for: "unheard_of").isEmpty)
  }
}
