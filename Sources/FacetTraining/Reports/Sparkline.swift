// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A curve in one line of text, for terminals.
public enum Sparkline {
  private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// The last `width` of `values`, the least as the lowest block and the greatest as the highest.
  ///
  /// Values that are all the same stand at half height; one that is not finite is a `×`.
  public static func text(_ values: [Double], width: Int) -> String {
    let last = values.suffix(max(0, width))
    let finite = last.filter(\.isFinite)
    guard let least = finite.min(), let greatest = finite.max() else {
      return String(last.map { _ in "×" as Character })
    }
    // Halves, because the span of two finite values need not be finite.
    let span = greatest / 2 - least / 2
    let top = Double(blocks.count - 1)
    return String(
      last.map { value -> Character in
        guard value.isFinite else { return "×" }
        guard span > 0 else { return blocks[blocks.count / 2 - 1] }
        let place = ((value / 2 - least / 2) / span * top).rounded()
        return blocks[Int(min(max(place, 0), top))]
      })
  }
}
