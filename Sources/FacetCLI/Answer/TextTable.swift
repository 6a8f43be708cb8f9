// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Rows of text in columns that are as wide as they need to be.
package struct TextTable {
  private var rows: [[String]]
  /// Columns whose entries end at the same place, as figures do.
  package var rightAligned: Set<Int> = []

  package init(_ header: [String] = []) { rows = header.isEmpty ? [] : [header] }

  package mutating func add(_ row: [String]) { rows.append(row) }

  /// All rows, a line each.
  package var text: String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.indices.contains(column) ? Self.width($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { line($0, widths) + "\n" }.joined()
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    var line = ""
    for (column, cell) in row.enumerated() {
      let padding = String(repeating: " ", count: widths[column] - Self.width(cell))
      let isLast = column == row.count - 1
      line += column > 0 ? "  " : ""
      line += rightAligned.contains(column) ? padding + cell : cell + (isLast ? "" : padding)
    }
    return line
  }

  private static func width(_ text: String) -> Int {
    text.reduce(0) { $0 + DisplayWidth.columns($1) }
  }
}
