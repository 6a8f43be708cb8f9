// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Figures as lm-eval prints them: a table in Markdown, and one of groups where there are any.
public struct MarkdownTable: Sendable {
  private static let headers = [
    "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr",
  ]

  /// The text of all figures.
  public static func text(_ scores: [TaskScore], groups: [GroupScore]) -> String {
    let tasks = table("Tasks", scores, groups, withTasks: true)
    return groups.isEmpty ? tasks : tasks + "\n" + table("Groups", scores, groups, withTasks: false)
  }

  private static func table(
    _ name: String, _ scores: [TaskScore], _ groups: [GroupScore], withTasks: Bool
  ) -> String {
    var rows: [[String]] = []
    var shown: Set<String> = []
    func visit(_ name: String, _ depth: Int) {
      let indent = depth > 0 ? String(repeating: " ", count: depth) + "- " : ""
      if let group = groups.first(where: { $0.group.name == name }) {
        rows += lines(
          indent + group.group.alias, group.group.version, " ", group.metrics)
        for child in group.group.members.sorted() { visit(child, depth + 1) }
      } else if let score = scores.first(where: { $0.task == name }) {
        shown.insert(name)
        if withTasks {
          rows += lines(indent + score.alias, score.version, "\(score.shots)", score.metrics)
        }
      }
    }
    let below = Set(groups.flatMap(\.group.members))
    for name in groups.map(\.group.name).filter({ !below.contains($0) }).sorted() { visit(name, 0) }
    for name in scores.map(\.task).sorted() where !shown.contains(name) { visit(name, 0) }
    return render([name] + headers, rows)
  }

  /// The lines of one task: its name stands in the first.
  private static func lines(
    _ name: String, _ version: Double, _ shots: String, _ metrics: [TaskScore.Metric]
  ) -> [[String]] {
    let sorted = metrics.sorted { "\($0.name),\($0.filter)" < "\($1.name),\($1.filter)" }
    return sorted.enumerated().map { index, metric in
      let number = version == version.rounded() ? "\(Int(version))" : "\(version)"
      return [
        index == 0 ? name : "", index == 0 ? number : "", metric.filter, shots, metric.name,
        metric.higherIsBetter ? "↑" : "↓", String(format: "%.4f", metric.value), "±",
        metric.standardError.map { String(format: "%.4f", $0) } ?? "   N/A",
      ]
    }
  }

  /// The cells, padded; columns of numbers to the right, with as many decimals as one of them needs.
  private static func render(_ headers: [String], _ rows: [[String]]) -> String {
    var columns = headers.indices.map { column in rows.map { $0[column] } }
    var isNumber = columns.map { cells in
      let filled = cells.filter { $0.contains { $0 != " " } }
      return !filled.isEmpty && filled.allSatisfy { Double($0) != nil }
    }
    isNumber[0] = false
    for column in [6, 8] where isNumber[column] { columns[column] = shortened(columns[column]) }
    let widths = headers.indices.map { column in
      max(3, headers[column].count, columns[column].map(\.count).max() ?? 0)
    }
    func pad(_ text: String, _ column: Int) -> String {
      let space = String(repeating: " ", count: widths[column] - text.count)
      return isNumber[column] ? space + text : text + space
    }
    func centred(_ text: String, _ column: Int) -> String {
      let space = widths[column] - text.count
      return String(repeating: " ", count: space / 2) + text
        + String(repeating: " ", count: space - space / 2)
    }
    let head = headers.indices.map { centred(headers[$0], $0) }
    let rule = headers.indices.map { column in
      String(repeating: "-", count: widths[column] - (isNumber[column] ? 1 : 0))
        + (isNumber[column] ? ":" : "")
    }
    let body = rows.indices.map { row in headers.indices.map { pad(columns[$0][row], $0) } }
    return ([head, rule] + body).map { "|" + $0.joined(separator: "|") + "|\n" }.joined()
  }

  /// Numbers of four decimals with the zeros left out that all of them end in.
  private static func shortened(_ numbers: [String]) -> [String] {
    let surplus =
      numbers.map { number in number.reversed().prefix { $0 == "0" }.count }.min() ?? 0
    let dropped = min(4, surplus)
    return numbers.map { String($0.dropLast(dropped == 4 ? 5 : dropped)) }
  }
}
