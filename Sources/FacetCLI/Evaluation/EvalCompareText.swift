// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetEvaluation
import Foundation

/// A comparison of results as text and as JSON.
struct EvalCompareText {
  /// One of the two results.
  struct Side: Encodable {
    var model: String
    var path: String
  }

  /// A line of the table, as JSON.
  private struct Line: Encodable {
    var name: String
    var is_group: Bool
    var metric: String
    var filter: String
    var documents: Int
    var a: Double
    var b: Double
    var difference: Double
    var low: Double
    var high: Double
    var lost: Int?
    var won: Int?
    var p: Double?
    var test: String?

    init(_ line: ResultComparison.Line) {
      name = line.name
      is_group = line.isGroup
      metric = line.metric
      filter = line.filter
      documents = line.count
      a = line.first
      b = line.second
      difference = line.difference.mean
      low = line.difference.interval.lowerBound
      high = line.difference.interval.upperBound
      lost = line.test?.lost
      won = line.test?.won
      p = line.test?.probability
      test = line.test?.method.rawValue
    }
  }

  /// A document that flipped, as JSON.
  private struct Flip: Encodable {
    var task: String
    var document: Int
    var won: Bool
    var question: String
  }

  /// All of it, as JSON.
  private struct Page: Encodable {
    var a: Side
    var b: Side
    var lines: [Line]
    var flips: [Flip]
    var only_a: [String]
    var only_b: [String]
    var draws: Int
    var seed: UInt64
  }

  let comparison: ResultComparison
  let a: Side
  let b: Side

  func json(draws: Int, seed: UInt64) throws -> String {
    try JSONText.line(
      Page(
        a: a, b: b, lines: comparison.lines.map(Line.init),
        flips: comparison.flips.map {
          Flip(task: $0.task, document: $0.index, won: $0.isWon, question: $0.question)
        },
        only_a: comparison.onlyInFirst, only_b: comparison.onlyInSecond, draws: draws, seed: seed))
  }

  /// The table, and at most `flips` documents of each task and kind below it.
  func table(flips: Int) -> String {
    var table = TextTable([
      "TASK", "METRIC", "N", "A", "B", "B−A", "95 % INTERVAL", "LOST", "WON", "P",
    ])
    table.rightAligned = [2, 3, 4, 5, 6, 7, 8, 9]
    for line in comparison.lines {
      let metric = line.filter == "none" ? line.metric : "\(line.metric), \(line.filter)"
      let interval = line.difference.interval
      table.add([
        PlainText.line(line.name), PlainText.line(metric), "\(line.count)", Self.figure(line.first),
        Self.figure(line.second),
        Self.signed(line.difference.mean),
        "[\(Self.signed(interval.lowerBound)), \(Self.signed(interval.upperBound))]",
        line.test.map { "\($0.lost)" } ?? "–", line.test.map { "\($0.won)" } ?? "–",
        line.test.map { Self.probability($0.probability) } ?? "–",
      ])
    }
    var text =
      "A  \(PlainText.line(a.model))  \(a.path)\nB  \(PlainText.line(b.model))  \(b.path)\n\n"
      + table.text
    for (names, which) in [(comparison.onlyInFirst, "A"), (comparison.onlyInSecond, "B")]
    where !names.isEmpty {
      text += "Only in \(which): \(names.map(PlainText.line).joined(separator: ", "))\n"
    }
    return text + (flips > 0 ? flipped(flips) : "")
  }

  private func flipped(_ most: Int) -> String {
    var text = ""
    for task in comparison.lines.filter({ !$0.isGroup }).map(\.name).uniqued() {
      let flips = comparison.flips.filter { $0.task == task }
      for isWon in [false, true] {
        let kind = flips.filter { $0.isWon == isWon }
        guard !kind.isEmpty else { continue }
        text += "\n\(PlainText.line(task)): \(kind.count) \(isWon ? "won" : "lost")\n"
        for flip in kind.prefix(most) {
          text += "  \(flip.index)  \(Self.shortened(flip.question))\n"
        }
        if kind.count > most { text += "  … and \(kind.count - most) more\n" }
      }
    }
    return text
  }

  private static func shortened(_ text: String) -> String {
    let line = PlainText.line(text)
    return line.count > 96 ? line.prefix(95) + "…" : line
  }

  private static func figure(_ value: Double) -> String { String(format: "%.4f", value) }
  private static func signed(_ value: Double) -> String { String(format: "%+.4f", value) }
  private static func probability(_ value: Double) -> String {
    value < 0.0001 ? "<0.0001" : String(format: "%.4f", value)
  }
}

extension [String] {
  /// Each once, where it comes first.
  fileprivate func uniqued() -> [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
