// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation

/// A result drawn as bars, one panel for reading and one for writing.
///
/// The file stands alone. Its colours follow what the reader's page asks for, light or dark.
struct BenchChart {
  private let result: BenchmarkResult
  private let before: BenchmarkResult?

  /// `result`, with the bars of `before` under its own.
  init(_ result: BenchmarkResult, _ before: BenchmarkResult?) {
    self.result = result
    self.before = before
  }

  private static let width = 840.0
  private static let left = 300.0
  private static let right = 110.0
  private static let rowHeight = 34.0

  func write(to path: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw Failure("Cannot write '\(path)': \(error.localizedDescription)")
    }
  }

  /// The drawing.
  var text: String {
    var body = ""
    var y = 20.0
    for (kind, title) in [(BenchmarkRow.Kind.prefill, "Reading"), (.decode, "Writing")] {
      let rows = result.rows.filter { $0.kind == kind }
      guard !rows.isEmpty else { continue }
      body += Self.label(20, y + 16, "title", "\(title), tokens per second")
      y += 36
      let greatest = rows.reduce(1.0) {
        max($0, $1.fastest, comparison($1)?.before.fastest ?? 0)
      }
      for row in rows {
        body += bars(row, y: y, scale: (Self.width - Self.left - Self.right) / greatest)
        y += Self.rowHeight
      }
      y += 16
    }
    if before != nil { body += legend(y: y) }
    y += before == nil ? 0 : 28
    return Self.frame(body, height: y)
  }

  private func comparison(_ row: BenchmarkRow) -> BenchmarkComparison? {
    before.flatMap { result.comparison(of: row, with: $0) }
  }

  /// A row: its name, its bar with the span of the runs, its figure, and the earlier one's bar.
  private func bars(_ row: BenchmarkRow, y: Double, scale: Double) -> String {
    let (name, details) = Self.names(row)
    var text = Self.label(Self.left - 10, y + 11, "name", name)
    text += Self.label(Self.left - 10, y + 24, "detail", details)
    let old = comparison(row)
    let height = old == nil ? 20.0 : 13.0
    text += Self.bar(y: y + 2, height: height, width: row.median * scale, "bar")
    let middle = y + 2 + height / 2
    text +=
      "<path class=\"span\" d=\"M\(Self.number(Self.left + row.slowest * scale)) "
      + "\(Self.number(middle))H\(Self.number(Self.left + row.fastest * scale))\"/>\n"
    var figure = String(format: row.median < 100 ? "%.1f" : "%.0f", row.median)
    if let old {
      text += Self.bar(y: y + 17, height: 8, width: old.before.median * scale, "before")
      figure += String(format: " (%.2f×)", old.ratio)
    } else if let share = row.ceilingShare {
      figure += " (\(Int((share * 100).rounded())) %)"
    }
    let end = Self.left + max(row.fastest, old?.before.median ?? 0) * scale
    return text + Self.label(end + 8, y + 16, "figure", figure)
  }

  private func legend(y: Double) -> String {
    Self.bar(x: 20, y: y, height: 12, width: 24, "bar") + Self.label(52, y + 11, "left", "now")
      + Self.bar(x: 110, y: y, height: 12, width: 24, "before")
      + Self.label(142, y + 11, "left", "before")
  }

  private static func names(_ row: BenchmarkRow) -> (String, String) {
    let short = row.model.count > 38 ? "…" + row.model.suffix(37) : row.model
    var details = "\(row.tokens) tokens"
    if row.batch > 1 { details += " · \(row.batch) sequences" }
    if row.depth > 0 { details += " · after \(row.depth)" }
    return (String(short), details)
  }

  private static func bar(
    x: Double = left, y: Double, height: Double, width: Double, _ style: String
  ) -> String {
    "<rect class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\" "
      + "width=\"\(number(max(1, width)))\" height=\"\(number(height))\" rx=\"2\"/>\n"
  }

  private static func label(_ x: Double, _ y: Double, _ style: String, _ text: String) -> String {
    let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      .replacing(">", with: "&gt;")
    return "<text class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\">\(escaped)</text>\n"
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func frame(_ body: String, height: Double) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
    font-family="system-ui, sans-serif" font-size="12">
    <style>
    .page { fill: #ffffff }
    text { fill: #1f2328 }
    .title { font-size: 14px; font-weight: 600 }
    .name, .detail { text-anchor: end }
    .detail { fill: #59636e; font-size: 11px }
    .bar { fill: #2a6fdb }
    .before { fill: #a8b3bf }
    .span { stroke: #0b2f6b; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 }
      text { fill: #e6edf3 }
      .detail { fill: #9198a1 }
      .bar { fill: #4493f8 }
      .before { fill: #59636e }
      .span { stroke: #cfe3ff }
    }
    </style>
    <rect class="page" width="100%" height="100%"/>
    \(body)</svg>

    """
  }
}
