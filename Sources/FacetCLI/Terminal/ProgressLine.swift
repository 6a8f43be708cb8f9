// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// One line about how far a long step is, on standard error: redrawn on a terminal, and every tenth
/// of the way elsewhere.
struct ProgressLine {
  private let isTerminal = OutputFile.error.isTerminal && !Terminal.isDumb
  private var tenth = 0

  /// Shows `line` for `done` of `total` steps.
  mutating func show(_ line: String, _ done: Int, of total: Int) {
    let isLast = done >= total
    if isTerminal {
      let columns = Terminal.size(of: OutputFile.error.descriptor).columns
      let text = line.prefix(max(8, columns - 1))
      try? OutputFile.error.write("\r\(text)\u{1b}[K" + (isLast ? "\n" : ""))
      return
    }
    let now = total > 0 ? done * 10 / total : 10
    if isLast || now > tenth { OutputFile.error.tell(line) }
    tenth = now
  }

  /// The seconds that the rest will take when it goes on as it did since `start`.
  static func left(since start: ContinuousClock.Instant, _ done: Int, of total: Int) -> String {
    guard done > 0 else { return "" }
    let each = (ContinuousClock.now - start) / .seconds(1) / Double(done)
    return "\(Int((each * Double(max(0, total - done))).rounded())) s left"
  }
}
