// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import Foundation
import Testing

@Suite("ReportPage")
struct ReportPageTests {
  private static let hostile = "</script><script>alert(1)</script><!-- & \" ' \u{2028} 日本"

  /// A result whose every text tries to break out.
  private func hostileResult() -> EvaluationResult {
    var model = EvaluationResult.ModelFacts(name: Self.hostile)
    model.dataType = Self.hostile
    var result = EvaluationResult(model: model, start: 0, seconds: 61)
    result.settings.suite = Self.hostile
    var task = TaskScore(
      task: "arc_easy", alias: Self.hostile, shots: 0, documentCount: 2)
    task.metrics = [.init(name: "acc", value: 0.5, standardError: 0.1)]
    task.documents = [
      DocumentScore(
        index: 0, document: .null, target: Self.hostile,
        requests: [
          .init(context: Self.hostile, continuation: Self.hostile),
          .init(context: Self.hostile, continuation: " b"),
        ],
        responses: [
          .likelihood(logProbability: -1.25, isGreedy: true),
          .likelihood(logProbability: -.infinity, isGreedy: false),
        ], verdicts: [.init(values: ["acc": 1])])
    ]
    result.tasks = [task]
    return result
  }

  /// The JSON that the page's script reads.
  private func data(_ page: String) throws -> JSON {
    let start = try #require(page.range(of: "id=\"data\">")?.upperBound)
    let end = try #require(page.range(of: "</script>", range: start..<page.endIndex)?.lowerBound)
    return try JSONReader.read([UInt8](page[start..<end].utf8), path: "page")
  }

  @Test("text that tries to break out of a tag, an attribute or the script stays text")
  func escaping() throws {
    let page = ReportPage(hostileResult()).text
    #expect(!page.contains("alert(1)</script>"))
    #expect(!page.contains("<!--"))
    // The page's own two scripts and nothing else.
    #expect(page.components(separatedBy: "<script").count == 3)
    #expect(page.components(separatedBy: "</script>").count == 3)
    let document = try data(page).array?.first?["documents"]?.array?.first
    #expect(document?["prompt"]?.string == Self.hostile)
    #expect(document?["choices"]?.array?.first?["text"]?.string == Self.hostile)
    #expect(document?["choices"]?.array?.first?["target"]?.bool == true)
    #expect(document?["choices"]?.array?.first?["logProbability"]?.number == -1.25)
    #expect(document?["choices"]?.array?.last?.object?["logProbability"] == .null)
    #expect(document?["right"]?.bool == true)
  }

  @Test("the page asks nothing of any server, and tells the browser not to")
  func standsAlone() throws {
    let page = ReportPage(try ResultGolden.result("first")).text
    #expect(page.contains("default-src 'none'; style-src 'sha256-"))
    for word in ["http://", "https://", "src=", "@import", "url(", "fetch(", "<link", "<img"] {
      #expect(!page.contains(word), "\(word)")
    }
  }

  @Test("a figure stands with its interval beside what was published, with source and shots")
  func figures() throws {
    let page = ReportPage(hostileResult()).text
    #expect(page.contains("acc: 50.00 [30.40, 69.60]"))
    #expect(page.contains("Gemma 2B, ARC-e: 73.2 — Gemma: Open Models"))
    #expect(page.contains("Gemma 3 270M, ARC-e, 0-shot: 57.7 — Gemma 3 model card"))
    #expect(page.contains("table 6: shots not stated; tables of the 270M: 0 shots"))
    #expect(page.contains("arXiv 2403.08295v4"))
    #expect(page.contains("<dd>1 min 1 s</dd>"))
  }

  @Test("a group has a chart of its parts, the best first, with the line of guessing")
  func parts() throws {
    let page = ReportPage(try ResultGolden.result("first")).text
    let section = try #require(page.components(separatedBy: "<section class=\"parts\">").last)
    #expect(section.contains("Toys: its 3 parts"))
    #expect(section.contains("guessing: 33.33 %"))
    let chart = try #require(section.components(separatedBy: "</svg>").first)
    let labels = chart.components(separatedBy: "class=\"label\"").dropFirst().compactMap {
      $0.components(separatedBy: ">").dropFirst().first?.first
    }
    #expect(labels == ["c", "a", "b"])
  }

  @Test("metrics that are no shares are in the table and in no chart")
  func perplexity() throws {
    let page = ReportPage(try ResultGolden.result("first")).text
    #expect(
      page.contains("<td class=\"word\">word_perplexity</td><td>24</td><td>0</td><td>1.072</td>"))
    #expect(!page.contains("<figcaption>toy_whole"))
  }

  @Test("a page with nothing measured is whole, and says so")
  func empty() {
    let page = ReportPage(EvaluationResult(model: .init(name: "m"), start: 0, seconds: 0)).text
    #expect(page.contains("<p>Nothing was measured.</p>"))
    #expect(page.hasSuffix("</html>\n"))
    #expect(!page.contains("<script"))
  }

  @Test("a page with more documents than fit says how many it holds and shortens long prompts")
  func large() throws {
    var result = hostileResult()
    var document = result.tasks[0].documents[0]
    document.requests[0].context = String(repeating: "x", count: 10_000)
    result.tasks[0].documents = Array(repeating: document, count: 2100)
    let task = try #require(try data(ReportPage(result).text).array?.first)
    #expect(task["total"]?.integer == 2100)
    #expect(task["documents"]?.array?.count == 2000)
    let prompt = try #require(task["documents"]?.array?.first?["prompt"]?.string)
    #expect(prompt.contains("\n[… 4000 characters left out …]\n"))
    #expect(prompt.count < 6100)
  }
}
