// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Curves over the steps of a run, as SVG: inside a page, or a file of its own.
struct LineChart {
  /// A curve; points that are not finite leave a gap.
  struct Series {
    let name: String
    /// Of the page's style sheet.
    let style: String
    let points: [(step: Int, value: Double)]
  }

  /// Of the drawing's parts; no two charts of a page have the same.
  let name: String
  let title: String
  let series: [Series]

  private static let width = 640.0
  private static let height = 260.0
  private static let left = 72.0
  private static let right = 16.0
  private static let top = 12.0
  private static let bottom = 40.0
  /// More points than these would be finer than the screen.
  private static let greatestPointCount = 1200

  private struct Scale {
    let first: Double
    let last: Double
    let least: Double
    let greatest: Double

    func x(_ step: Double) -> Double {
      LineChart.left + (step - first) / (last - first)
        * (LineChart.width - LineChart.left - LineChart.right)
    }

    func y(_ value: Double) -> Double {
      LineChart.height - LineChart.bottom - (value - least) / (greatest - least)
        * (LineChart.height - LineChart.top - LineChart.bottom)
    }
  }

  /// The drawing as a figure of a page, nil when there is nothing to draw.
  var text: String? {
    guard let drawing = drawing() else { return nil }
    return """
      <figure>
      <figcaption>\(Self.escaped(title))\(legend)</figcaption>
      \(drawing)
      </figure>

      """
  }

  /// The drawing as a file that shows the same by itself, nil when there is nothing to draw.
  func file(styles: String) -> String? {
    let attributes =
      "xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.number(Self.width))\" "
      + "height=\"\(Self.number(Self.height))\" font-family=\"system-ui, sans-serif\" "
    let keys = shown.enumerated().map { index, series in
      "<text class=\"\(series.style)\" x=\"\(Self.number(Self.width - Self.right))\" "
        + "y=\"\(Self.number(Self.top + 12 + 18 * Double(index)))\" text-anchor=\"end\">"
        + "\(Self.escaped(title)), \(Self.escaped(series.name))</text>\n"
    }
    let styling = "<style>\n\(styles)\n</style>\n"
    return drawing(attributes, head: styling, foot: keys.joined()).map { $0 + "\n" }
  }

  /// The curves that have something to draw.
  private var shown: [Series] {
    series.filter { $0.points.contains { Self.isDrawable($0.value) } }
  }

  /// The drawing with its title and its description, `head` before them and `foot` above the curves.
  private func drawing(
    _ attributes: String = "", head: String = "", foot: String = ""
  ) -> String? {
    let shown = shown
    let points = shown.flatMap(\.points).filter { Self.isDrawable($0.value) }
    let steps = points.map { Double($0.step) }
    let values = points.map(\.value)
    guard let first = steps.min(), let last = steps.max(), let least = values.min(),
      let greatest = values.max()
    else { return nil }
    let ticks = Self.ticks(least, greatest)
    guard let lowest = ticks.first, let highest = ticks.last else { return nil }
    let scale = Scale(
      first: first == last ? first - 1 : first, last: first == last ? last + 1 : last,
      least: min(least, lowest), greatest: max(greatest, highest))
    let body = grid(scale, ticks) + shown.map { curve($0, scale) }.joined()
    let described = shown.map(Self.description).joined(separator: " ")
    return """
      <svg \(attributes)viewBox="0 0 \(Self.number(Self.width)) \(Self.number(Self.height))" role="img" \
      aria-labelledby="\(name)-title \(name)-text">
      \(head)<title id="\(name)-title">\(Self.escaped(title))</title>
      <desc id="\(name)-text">\(Self.escaped(described))</desc>
      \(body)\(foot)</svg>
      """
  }

  private func grid(_ scale: Scale, _ ticks: [Double]) -> String {
    var text = ""
    let end = Self.number(Self.width - Self.right)
    for tick in ticks {
      let y = scale.y(tick)
      text += "<path class=\"grid\" d=\"M\(Self.number(Self.left)) \(Self.number(y))H\(end)\"/>\n"
      text += Self.label(Self.left - 8, y + 4, "end", Self.figure(tick, among: ticks))
    }
    let bottom = Self.height - Self.bottom + 18
    for tick in Self.ticks(scale.first, scale.last) where tick == tick.rounded() {
      guard tick >= max(0, scale.first), tick <= scale.last else { continue }
      text += Self.label(scale.x(tick), bottom, "middle", String(format: "%.0f", tick))
    }
    let middle = (Self.left + Self.width - Self.right) / 2
    return text + Self.label(middle, Self.height - 4, "middle", "step")
  }

  private func curve(_ series: Series, _ scale: Scale) -> String {
    var path = ""
    var marks = ""
    var isInGap = true
    let points = Self.thinned(series.points)
    for (index, point) in points.enumerated() {
      guard Self.isDrawable(point.value) else {
        isInGap = true
        continue
      }
      let x = Self.number(scale.x(Double(point.step)))
      let y = Self.number(scale.y(point.value))
      path += "\(isInGap ? "M" : "L")\(x) \(y)"
      let next = index + 1
      let isAlone = isInGap && (next == points.count || !Self.isDrawable(points[next].value))
      if isAlone || points.count <= 40 {
        marks += "<circle class=\"\(series.style)\" cx=\"\(x)\" cy=\"\(y)\" r=\"2.5\"/>\n"
      }
      isInGap = false
    }
    return "<path class=\"curve \(series.style)\" d=\"\(path)\"/>\n" + marks
  }

  private var legend: String {
    guard shown.count > 1 else { return "" }
    let entries = shown.map { "<span class=\"key \($0.style)\">\(Self.escaped($0.name))</span>" }
    return " " + entries.joined(separator: " ")
  }

  /// Figures so large that their span would not be one are not drawn.
  private static func isDrawable(_ value: Double) -> Bool { abs(value) < 1e300 }

  /// At most twice as many points as fit: of each stretch the least and the greatest.
  static func thinned(_ points: [(step: Int, value: Double)]) -> [(step: Int, value: Double)] {
    guard points.count > greatestPointCount else { return points }
    let length = (points.count - 1) / (greatestPointCount / 2) + 1
    return stride(from: 0, to: points.count, by: length).flatMap { start in
      let stretch = points[start..<min(points.count, start + length)]
      guard stretch.allSatisfy({ isDrawable($0.value) }),
        let least = stretch.min(by: { $0.value < $1.value }),
        let greatest = stretch.max(by: { $0.value < $1.value })
      else { return Array(stretch) }
      return least.step < greatest.step ? [least, greatest] : [greatest, least]
    }
  }

  /// Round figures, about five, from below `least` to above `greatest`.
  static func ticks(_ least: Double, _ greatest: Double) -> [Double] {
    var (least, greatest) = (least, greatest)
    if least == greatest {
      let margin = least == 0 ? 1 : abs(least) / 2
      (least, greatest) = (least - margin, greatest + margin)
    }
    let rough = (greatest - least) / 4
    let power = pow(10, log10(rough).rounded(.down))
    let step = ([1, 2, 5].first { $0 * power >= rough * 0.999 } ?? 10) * power
    guard step > 0, step.isFinite else { return [least, greatest] }
    let start = (least / step + 1e-9).rounded(.down)
    let count = Int(min(20, max(1, (greatest / step - 1e-9).rounded(.up) - start)))
    return (0...count).map { (start + Double($0)) * step }
  }

  private static func description(_ series: Series) -> String {
    let points = series.points.filter { isDrawable($0.value) }
    guard let first = points.first, let last = points.last else { return "" }
    let start = "\(series.name): \(figure(first.value)) at step \(first.step)"
    return points.count == 1 ? start + "." : start + ", \(figure(last.value)) at step \(last.step)."
  }

  /// A figure in four digits.
  static func figure(_ value: Double) -> String {
    value.isFinite ? String(format: "%.4g", value) : "not a number"
  }

  /// A figure beside an axis, with the digits that its neighbours need.
  private static func figure(_ value: Double, among ticks: [Double]) -> String {
    let greatest = ticks.reduce(0) { max($0, abs($1)) }
    let span = ticks.count > 1 ? ticks[1] - ticks[0] : 0
    guard span >= 1e-6, greatest < 1e5 else { return String(format: "%.3g", value) }
    return String(format: "%.\(max(0, -Int(log10(span * 1.001).rounded(.down))))f", value)
  }

  /// `text` for use between tags and in attributes.
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }

  private static func label(_ x: Double, _ y: Double, _ anchor: String, _ text: String) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(text)</text>\n"
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
