// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import Foundation

/// Bars from 0 to 100 %, one below the other, as SVG.
package struct BarChart: Sendable {
  /// A bar.
  package struct Bar: Sendable {
    var label: String
    /// A part of 1.
    var value: Double
    var interval: ClosedRange<Double>?
    /// The class of its style.
    var style: String
    /// What the pointer shows.
    var note: String

    /// A bar of this length.
    package init(
      _ label: String, _ value: Double, interval: ClosedRange<Double>? = nil, style: String,
      note: String = ""
    ) {
      self.label = label
      self.value = min(1, max(0, value))
      self.interval = interval
      self.style = style
      self.note = note
    }
  }

  /// Where the names of the bars stand.
  package enum Labels: Sendable, Hashable {
    /// Before the bars, for short ones.
    case before
    /// Above the bars, for long ones.
    case above
  }

  private let title: String
  private let bars: [Bar]
  private let labels: Labels
  /// Where guessing would lead.
  private let chance: Double?

  private static let width = 520.0
  private static let valueWidth = 62.0

  package init(title: String, bars: [Bar], labels: Labels = .before, chance: Double? = nil) {
    self.title = title
    self.bars = bars
    self.labels = labels
    self.chance = chance
  }

  private var rowHeight: Double { labels == .above ? 38 : 26 }
  private var labelWidth: Double { labels == .above ? 2 : 172 }
  private var scale: Double { Self.width - labelWidth - Self.valueWidth }
  private func x(_ share: Double) -> Double { labelWidth + share * scale }

  /// The chart.
  package var text: String {
    let height = Double(bars.count) * rowHeight + 22
    let description = bars.map { "\($0.label): \(HTMLText.percent($0.value)) %" }
      .joined(separator: "; ")
    return """
      <svg viewBox="0 0 \(Self.number(Self.width)) \(Self.number(height))" role="img" \
      aria-label="\(HTMLText.escaped("\(title). \(description)"))">
      \(grid(height - 22))\(bars.enumerated().map(row).joined())</svg>

      """
  }

  private func grid(_ bottom: Double) -> String {
    let ticks = [0.0, 0.25, 0.5, 0.75, 1].map { share in
      let place = Self.number(x(share))
      return "<line class=\"grid\" x1=\"\(place)\" y1=\"0\" x2=\"\(place)\" "
        + "y2=\"\(Self.number(bottom))\"/>\n"
        + "<text class=\"tick\" x=\"\(place)\" y=\"\(Self.number(bottom + 17))\" "
        + "text-anchor=\"middle\">\(Int(share * 100))</text>\n"
    }
    guard let chance else { return ticks.joined() }
    let place = Self.number(x(chance))
    return ticks.joined()
      + "<line class=\"chance\" x1=\"\(place)\" y1=\"0\" x2=\"\(place)\" "
      + "y2=\"\(Self.number(bottom))\"><title>guessing: \(HTMLText.percent(chance)) %</title></line>\n"
  }

  private func row(_ index: Int, _ bar: Bar) -> String {
    let top = Double(index) * rowHeight
    let thickness = labels == .above ? 12.0 : 18
    let middle = top + rowHeight - (labels == .above ? 9 : 13)
    let note = bar.note.isEmpty ? "" : "<title>\(HTMLText.escaped(bar.note))</title>"
    return "<g class=\"\(bar.style)\">\(note)" + label(bar, top, middle)
      + "<rect x=\"\(Self.number(labelWidth))\" y=\"\(Self.number(middle - thickness / 2))\" "
      + "width=\"\(Self.number(max(1, bar.value * scale)))\" "
      + "height=\"\(Self.number(thickness))\" rx=\"2\"/>" + whisker(bar, middle)
      + "<text class=\"value\" x=\"\(Self.number(Self.width))\" "
      + "y=\"\(Self.number(middle + 5))\" "
      + "text-anchor=\"end\">\(String(format: "%.1f", bar.value * 100))</text></g>\n"
  }

  private func label(_ bar: Bar, _ top: Double, _ middle: Double) -> String {
    guard labels == .before else {
      return "<text class=\"label\" x=\"\(Self.number(labelWidth))\" "
        + "y=\"\(Self.number(top + 17))\">\(HTMLText.escaped(bar.label))</text>"
    }
    let shown = bar.label.count > 26 ? bar.label.prefix(25) + "…" : bar.label[...]
    // Long names are drawn narrower, so that they stay in the chart on any screen.
    let squeeze =
      shown.count > 18
      ? " textLength=\"\(Self.number(labelWidth - 8))\" lengthAdjust=\"spacingAndGlyphs\"" : ""
    return "<text class=\"label\" x=\"\(Self.number(labelWidth - 8))\" "
      + "y=\"\(Self.number(middle + 5))\" text-anchor=\"end\"\(squeeze)>"
      + "\(HTMLText.escaped(String(shown)))</text>"
  }

  private func whisker(_ bar: Bar, _ middle: Double) -> String {
    guard let interval = bar.interval else { return "" }
    let (left, right) = (Self.number(x(interval.lowerBound)), Self.number(x(interval.upperBound)))
    let (low, high) = (Self.number(middle - 5), Self.number(middle + 5))
    return "<path class=\"whisker\" d=\"M\(left) \(low)V\(high)M\(left) \(Self.number(middle))"
      + "H\(right)M\(right) \(low)V\(high)\"/>"
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
