// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Synchronization

/// What happens during a pull, for whoever shows it.
public struct PullEvent: Sendable, Hashable {
  /// The steps of a pull, in their order.
  public enum Phase: String, Sendable, Hashable, CaseIterable {
    /// Another process is pulling the same model; this one waits.
    case waiting
    /// The source is asked what the model consists of.
    case resolving
    /// The licence of the model is known: see `licence`.
    case licence
    /// Bytes arrive.
    case downloading
    /// Chunks are joined to files.
    case assembling
    /// Checksums are compared.
    case verifying
    /// The model is in the library.
    case finished
  }

  /// The step.
  public let phase: Phase
  /// The file or package the step is about, empty when it is about all.
  public let file: String
  /// Bytes done in this step, over all files.
  public let byteCount: Int
  /// Bytes this step has to do, over all files; nil when the source does not say.
  public let totalByteCount: Int?
  /// The terms of the model, in the `licence` phase.
  public let licence: Licence?

  /// Makes an event.
  public init(
    _ phase: Phase, file: String = "", byteCount: Int = 0, totalByteCount: Int? = nil,
    licence: Licence? = nil
  ) {
    self.phase = phase
    self.file = file
    self.byteCount = byteCount
    self.totalByteCount = totalByteCount
    self.licence = licence
  }
}

/// Adds up the bytes of one phase over its items and reports at most ten times a second.
package final class PullMeter: Sendable {
  private struct State {
    var done: [String: Int] = [:]
    var lastReport: ContinuousClock.Instant?
  }

  private let phase: PullEvent.Phase
  private let total: Int?
  private let report: @Sendable (PullEvent) -> Void
  private let state = Mutex(State())

  package init(
    _ phase: PullEvent.Phase, total: Int?, report: @escaping @Sendable (PullEvent) -> Void
  ) {
    self.phase = phase
    self.total = total
    self.report = report
  }

  /// Notes that `byteCount` bytes of `item` are done.
  ///
  /// `isLast` reports without delay.
  package func set(_ item: String, _ byteCount: Int, isLast: Bool = false) {
    let sum: Int? = state.withLock { state in
      // Never backwards: a watcher may look just after a file was moved on.
      state.done[item] = max(byteCount, state.done[item] ?? 0)
      let now = ContinuousClock.now
      if !isLast, let last = state.lastReport, now - last < .milliseconds(100) { return nil }
      state.lastReport = now
      return state.done.values.reduce(0, +)
    }
    guard let sum else { return }
    report(PullEvent(phase, file: item, byteCount: sum, totalByteCount: total))
  }
}
