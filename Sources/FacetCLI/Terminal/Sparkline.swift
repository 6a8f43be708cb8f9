// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Numbers as a row of bars, one character each.
enum Sparkline {
  private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// The last `width` of `values`, from the least of them to the greatest.
  static func text(_ values: [Double], width: Int) -> String {
    let shown = values.suffix(width).filter(\.isFinite)
    guard let least = shown.min(), let most = shown.max() else { return "" }
    return String(
      shown.map { value in
        let share = most > least ? (value - least) / (most - least) : 0
        return bars[min(bars.count - 1, Int(share * Double(bars.count)))]
      })
  }
}
