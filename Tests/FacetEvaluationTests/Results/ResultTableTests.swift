// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import Testing

@Suite("ResultTable")
struct ResultTableTests {
  @Test("tables of tasks and of groups equal lm-eval's make_table byte for byte")
  func golden() throws {
    let result = try ResultGolden.result("first")
    #expect(
      ResultTable(result).text + "\n" + ResultTable(result, .groups).text
        == (try ResultGolden.text(ResultGolden.path("first/table.md"))))
  }

  @Test("twenty-five tables of odd names and figures equal make_table's byte for byte")
  func oddTables() throws {
    let cases = try #require(try ResultGolden.json("tables.json")["tables"]?.array)
    #expect(cases.count == 25)
    for (number, entry) in cases.enumerated() {
      let json = try #require(entry.object?["result"])
      let result = try EvaluationResult(json: json, path: "golden")
      #expect(ResultTable(result).text == entry["table"]?.string, "table \(number)")
    }
  }

  @Test("nothing measured is no table")
  func empty() {
    let result = EvaluationResult(model: .init(name: "m"), start: 0, seconds: 0)
    #expect(ResultTable(result).text == "")
  }
}
