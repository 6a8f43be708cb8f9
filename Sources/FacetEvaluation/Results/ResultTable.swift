// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
internal import Foundation

/// The figures of an evaluation as a markdown table, as lm-eval prints it.
public struct ResultTable: Sendable {
  /// What a table lists.
  public enum Content: Sendable, Hashable {
    /// All tasks and groups.
    case tasks
    /// The groups that have figures.
    case groups
  }

  private let result: EvaluationResult
  private let content: Content

  /// The table of `content`.
  public init(_ result: EvaluationResult, _ content: Content = .tasks) {
    self.result = result
    self.content = content
  }

  /// The table, a line each; empty when there is nothing to list.
  public var text: String {
    let rows = rows
    guard !rows.isEmpty else { return "" }
    let headers = [
      content == .groups ? "Groups" : "Tasks", "Version", "Filter", "n-shot", "Metric", "", "Value",
      "", "Stderr",
    ]
    let columns = headers.indices.map { column in
      TableColumn(header: headers[column], cells: rows.map { $0[column] }).lines
    }
    return (0..<rows.count + 2).map { line in
      "|" + columns.map { $0[line] }.joined(separator: "|") + "|\n"
    }.joined()
  }

  /// A line of the hierarchy of groups and tasks.
  private struct Entry {
    var name: String
    var depth: Int
  }

  /// Groups with what is in them below, in the order of names; then the tasks of no group.
  private var entries: [Entry] {
    let groups = Dictionary(result.groups.map { ($0.name, $0.members) }) { first, _ in first }
    let listed = Set(
      content == .groups
        ? result.groups.filter { !$0.metrics.isEmpty }.map(\.name)
        : result.groups.map(\.name) + result.tasks.map(\.task))
    let children = Set(groups.values.joined())
    var entries: [Entry] = []
    var visited: Set<String> = []
    func visit(_ name: String, _ depth: Int) {
      // A group that holds itself would never end.
      guard depth <= groups.count else { return }
      visited.insert(name)
      if listed.contains(name) { entries.append(Entry(name: name, depth: depth)) }
      for child in Self.sorted(groups[name] ?? []) { visit(child, depth + 1) }
    }
    for name in Self.sorted(groups.keys) where !children.contains(name) { visit(name, 0) }
    return entries + Self.sorted(listed.subtracting(visited)).map { Entry(name: $0, depth: 0) }
  }

  private static func sorted(_ names: some Sequence<String>) -> [String] {
    names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }

  private var rows: [[TableColumn.Cell]] {
    let shots = result.shots
    let directions = result.directions
    return entries.flatMap { entry in
      let task = result.task(entry.name)
      let group = result.groups.first { $0.name == entry.name }
      let alias = task?.alias ?? group?.alias ?? entry.name
      let indent = entry.depth > 0 ? String(repeating: " ", count: entry.depth) + "- " : ""
      let metrics = (task?.metrics ?? group?.metrics ?? []).sorted {
        $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars)
      }
      return metrics.enumerated().map { index, metric in
        let direction = directions[entry.name]?.first { $0.0 == metric.name }?.1
        let version: TableColumn.Cell =
          task.map { .number($0.version) } ?? .text(group?.version ?? "    N/A")
        return [
          .text(index == 0 ? indent + alias : ""), index == 0 ? version : .text(""),
          .text(metric.filter), .text(shots[entry.name].map { "\($0)" } ?? " "),
          .text(metric.name),
          .text(direction == .bool(true) ? "↑" : direction == .bool(false) ? "↓" : ""),
          .text(Self.figure(metric.value)), .text("±"),
          .text(metric.standardError.map(Self.figure) ?? "   N/A"),
        ]
      }
    }
  }

  private static func figure(_ value: Double) -> String {
    value.isNaN ? "nan" : String(format: "%.4f", value)
  }
}
