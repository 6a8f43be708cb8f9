// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
package import FacetStore
import Synchronization

/// Shows how far a pull is, on standard error: one line that is redrawn on a terminal, a few plain
/// lines elsewhere.
package final class PullDisplay: Sendable {
  private struct State {
    var phase: PullEvent.Phase?
    var start = ContinuousClock.now
    var startBytes = 0
    var quarter = 0
    var lineIsOpen = false
  }

  private let name: String
  private let isTerminal: Bool
  private let state = Mutex(State())

  init(_ name: String) {
    self.name = name
    isTerminal = OutputFile.error.isTerminal && !Terminal.isDumb
  }

  /// Shows `event`.
  func show(_ event: PullEvent) {
    state.withLock { state in
      if event.phase != state.phase {
        state.phase = event.phase
        state.start = .now
        state.startBytes = event.byteCount
        state.quarter = 0
        closeLine(&state)
        if let line = opening(event) { OutputFile.error.tell(line) }
      }
      guard let total = event.totalByteCount, total > 0, event.phase != .finished else { return }
      if isTerminal {
        let columns = Terminal.size(of: OutputFile.error.descriptor).columns
        let text = Self.bar(
          event, total: total, elapsed: ContinuousClock.now - state.start, from: state.startBytes,
          columns: columns)
        try? OutputFile.error.write("\r\(text)\u{1b}[K")
        state.lineIsOpen = true
      } else {
        let quarter = min(event.byteCount, total) * 4 / total
        if quarter > state.quarter {
          state.quarter = quarter
          OutputFile.error.tell("  \(quarter * 25) % of \(ByteText(total))")
        }
      }
    }
  }

  /// Ends a redrawn line, so that what follows begins on its own.
  func close() { state.withLock { closeLine(&$0) } }

  private func closeLine(_ state: inout State) {
    if state.lineIsOpen { OutputFile.error.tell("") }
    state.lineIsOpen = false
  }

  /// What is said when a step begins.
  private func opening(_ event: PullEvent) -> String? {
    let size = event.totalByteCount.map { " (\(ByteText($0)))" } ?? ""
    switch event.phase {
    case .waiting: return "Another process is pulling \(name); waiting for it."
    case .licence: return event.licence.map(notice)
    case .downloading: return isTerminal ? nil : "Downloading \(name)\(size)"
    case .assembling: return isTerminal ? nil : "Assembling \(name)\(size)"
    case .verifying where (event.totalByteCount ?? 0) > 0:
      return isTerminal ? nil : "Verifying \(name)\(size)"
    case .resolving, .verifying, .finished: return nil
    }
  }

  private func notice(_ licence: Licence) -> String {
    let text = "\(licence.name): \(licence.notice)\n\(licence.url)"
    guard isTerminal else { return text }
    return WordWrap.wrap(text, columns: Terminal.size(of: OutputFile.error.descriptor).columns)
  }

  /// One line of progress, at most `columns` wide.
  package static func bar(
    _ event: PullEvent, total: Int, elapsed: Duration, from start: Int, columns: Int
  ) -> String {
    let done = min(max(event.byteCount, 0), total)
    let percent = done * 100 / total
    let seconds = elapsed / .seconds(1)
    var tail = " \(padded(percent)) %  \(ByteText(done)) of \(ByteText(total))"
    let moved = Double(done - start)
    if event.phase == .downloading, seconds > 1, moved > 0 {
      let rate = moved / seconds
      tail += "  \(ByteText(Int(rate)))/s"
      if done < total { tail += "  \(Int((Double(total - done) / rate).rounded(.up))) s left" }
    }
    let verb = event.phase.rawValue.prefix(1).uppercased() + event.phase.rawValue.dropFirst()
    let head = verb + String(repeating: " ", count: max(0, 12 - verb.count))
    // One column stays free: a full line makes some terminals wrap.
    let room = columns - 1 - head.count - tail.count
    guard room >= 8 else { return String((head + tail).prefix(max(0, columns - 1))) }
    let width = min(room, 30)
    let filled = width * percent / 100
    return head + String(repeating: "█", count: filled)
      + String(repeating: "░", count: width - filled) + tail
  }

  private static func padded(_ percent: Int) -> String {
    String(repeating: " ", count: percent < 10 ? 2 : percent < 100 ? 1 : 0) + "\(percent)"
  }
}
