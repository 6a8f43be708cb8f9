// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTraining
import Foundation
import Testing

@Suite("What a run leaves behind")
struct RunReportsTests {
  private static func lines(_ folder: String) throws -> [String] {
    try ReportFixture.text(folder + "/metrics.jsonl").split(separator: "\n").map(String.init)
  }

  @Test("Every entry is in metrics.jsonl as soon as it was added, under TRL's names")
  func lines() throws {
    let folder = try ReportFixture.folder() + "/run"
    var reports = try RunReports(directory: folder, resuming: false)
    try reports.add(ReportFixture.step(2))
    try reports.add(ReportFixture.evaluation(2))
    #expect(
      try Self.lines(folder) == [
        "{\"step\": 2, \"epoch\": 0.25, \"loss\": 3.5, \"grad_norm\": 1.5, \"learning_rate\": 0.00025, "
          + "\"num_tokens\": 4096, \"mean_token_accuracy\": 0.5, \"entropy\": 2.25, "
          + "\"tokens_per_second\": 512.0, \"peak_memory\": 3000000000}",
        "{\"step\": 2, \"epoch\": 0.25, \"eval_loss\": 2.5, \"eval_perplexity\": 12.25, "
          + "\"eval_mean_token_accuracy\": 0.625, \"eval_runtime\": 0.75}",
      ])
  }

  @Test(
    "A resumed run keeps the entries up to its checkpoint, byte for byte, and goes on from there")
  func resuming() throws {
    let folder = try ReportFixture.folder()
    var first = try RunReports(directory: folder, resuming: false)
    for entry in try ReportFixture.history() { try first.add(entry) }
    let before = try Self.lines(folder)
    var second = try RunReports(directory: folder, resuming: true)
    #expect(try second.history == ReportFixture.history())
    #expect(try Self.lines(folder) == before)
    try second.rewind(to: 4)
    #expect(try Self.lines(folder) == Array(before.prefix(5)))
    for entry in try ReportFixture.history().dropFirst(5) { try second.add(entry) }
    #expect(try Self.lines(folder) == before)
    #expect(try second.history == ReportFixture.history())
  }

  @Test("A line that the end of the process cut off is left out, those before it stay")
  func cutLine() throws {
    let folder = try ReportFixture.folder()
    var first = try RunReports(directory: folder, resuming: false)
    try first.add(ReportFixture.step(1))
    try first.add(ReportFixture.step(2))
    let text = try ReportFixture.text(folder + "/metrics.jsonl")
    try String(text.dropLast(20)).write(
      toFile: folder + "/metrics.jsonl", atomically: true, encoding: .utf8)
    var second = try RunReports(directory: folder, resuming: true)
    try second.add(ReportFixture.step(2))
    #expect(try ReportFixture.text(folder + "/metrics.jsonl") == text)
  }

  @Test("A line that is no entry is named by its number")
  func strangeLine() throws {
    let folder = try ReportFixture.folder()
    let path = folder + "/metrics.jsonl"
    try "\n{\"step\": 1}\n{\"step\": 2, \"loss\": 1}\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(
      throws: TrainingError(
        .unreadable,
        "Line 2 of '\(path)' is no entry of a run's history; remove the line and resume again.")
    ) { try RunReports(directory: folder, resuming: true) }
  }

  @Test("A run that is not resumed starts its history over")
  func startingOver() throws {
    let folder = try ReportFixture.folder()
    var first = try RunReports(directory: folder, resuming: false)
    try first.add(ReportFixture.step(1))
    let second = try RunReports(directory: folder, resuming: false)
    #expect(second.history.isEmpty)
    #expect(try Self.lines(folder).isEmpty)
  }

  @Test("A run in a place that is no folder says which")
  func unwritable() throws {
    let path = try ReportFixture.folder() + "/file"
    try "".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(
      throws: TrainingError(
        .unwritable,
        "'\(path)/runs' cannot be written; look at the disk and at the folder's permissions.")
    ) { try RunReports(directory: path, resuming: false) }
  }

  @Test("The page is well-formed, asks nothing of a server, and escapes what it was given")
  func page() throws {
    let folder = try ReportFixture.folder()
    var reports = try RunReports(
      directory: folder, resuming: false, settings: [("model", "<script>\"a\" & b</script>")])
    for entry in try ReportFixture.history() { try reports.add(entry) }
    try reports.finish()
    let text = try ReportFixture.text(folder + "/report.html")
    #expect(text.contains("<td>&lt;script&gt;&quot;a&quot; &amp; b&lt;/script&gt;</td>"))
    #expect(!text.contains("<script") && !text.contains("http") && !text.contains("url("))
    #expect(text.contains("training: 3.75 at step 1, 2 at step 8."))
    #expect(text.contains("validation: 2.5 at step 4, 2.5 at step 8."))
    for name in ["Loss", "Token accuracy", "Learning rate", "Gradient norm"] {
      #expect(text.contains("\">\(name)</title>"))
    }
    for tag in ["svg", "figure", "table", "tr", "td", "th", "section", "desc", "details", "div"] {
      let opened = text.ranges(of: "<\(tag)>").count + text.ranges(of: "<\(tag) ").count
      #expect(opened == text.ranges(of: "</\(tag)>").count, "\(tag)")
    }
  }

  @Test(
    "The loss is a drawing of its own, which any viewer of SVG reads; before a step there is none")
  func lossCurve() throws {
    let folder = try ReportFixture.folder()
    var reports = try RunReports(directory: folder, resuming: false)
    try reports.finish()
    #expect(!FileManager.default.fileExists(atPath: folder + "/loss.svg"))
    for entry in try ReportFixture.history() { try reports.add(entry) }
    try reports.finish()
    let text = try ReportFixture.text(folder + "/loss.svg")
    for tag in ["svg", "style", "title", "desc", "text"] {
      let opened = text.ranges(of: "<\(tag)>").count + text.ranges(of: "<\(tag) ").count
      #expect(opened > 0 && opened == text.ranges(of: "</\(tag)>").count, "\(tag)")
    }
    #expect(text.ranges(of: "<path ").count > 3 && !text.contains("figcaption"))
    #expect(text.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640.0\""))
    #expect(text.contains(">Loss, training</text>") && text.contains(">Loss, validation</text>"))
    #expect(text.contains("training: 3.75 at step 1, 2 at step 8."))
  }

  @Test(
    "A history of anything makes a page",
    arguments: [
      [], [1], [.nan], [.nan, 1, .nan, 1], [.infinity, -1, 5], [1e308, -1e308], [0, 0],
      [.leastNonzeroMagnitude, 0],
      [-3, -3, -3],
    ] as [[Double]])
  func strangeHistories(_ losses: [Double]) throws {
    let history = try losses.enumerated().map {
      try ReportFixture.step($0.offset, loss: $0.element)
    }
    let text = RunPage(history: history, settings: []).text
    #expect(text.hasSuffix("</html>\n"))
    let drawings = text.ranges(of: " d=\"").isEmpty
    #expect(drawings == losses.isEmpty)
    #expect(!text.contains("\"nan") && !text.contains(" nan") && !text.contains("inf"))
  }

  @Test("A long history keeps its highest and lowest losses in the curve and thins its table")
  func longHistory() throws {
    var history = try (1...5000).map { try ReportFixture.step($0, loss: 2) }
    history[2500] = try ReportFixture.step(2501, loss: 4)
    history[3000] = try ReportFixture.step(3001, loss: 1)
    let text = RunPage(history: history, settings: []).text
    #expect(text.utf8.count < 200_000)
    #expect(text.contains("Training: one row in 25; metrics.jsonl has them all"))
    // The chart is 208 high, from 12 to 220: the greatest loss is at its top, the least at its foot.
    #expect(text.contains(/L\d+\.\d 12\.0[L"]/) && text.contains(/L\d+\.\d 220\.0[L"]/))
  }
}
