// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Synchronization

/// Ctrl-C: what is under way is cancelled and ends in good order; a second one ends the process.
///
/// The handler of the signal only writes a byte to a pipe. A thread of its own reads it, so that
/// cancelling does not wait for a thread that computes.
enum Interrupts {
  private static let pipe = Pipe()
  private static let output = OutputFile(descriptor: pipe.fileHandleForWriting.fileDescriptor)
  private static let current = Mutex<Current>(Current())

  private struct Current {
    var isInstalled = false
    var cancel: (@Sendable () -> Void)?
    var wasCancelled = false
  }

  /// Runs `body` as a task that Ctrl-C cancels, and SIGTERM where it is included.
  static func cancelling<Result: Sendable>(
    includingTermination: Bool = false,
    _ body: sending @escaping @isolated(any) () async throws -> Result
  ) async throws -> Result {
    install()
    if includingTermination { signal(SIGTERM) { _ in Interrupts.output.signalByte() } }
    let task = Task { try await body() }
    current.withLock { $0.cancel = { task.cancel() } }
    defer {
      current.withLock {
        $0.cancel = nil
        $0.wasCancelled = false
      }
    }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  private static func install() {
    let isFirst = current.withLock { state in
      defer { state.isInstalled = true }
      return !state.isInstalled
    }
    guard isFirst else { return }
    let input = pipe.fileHandleForReading
    // Touched here, so that the handler finds it made.
    _ = output.descriptor
    Thread.detachNewThread {
      while !input.readData(ofLength: 1).isEmpty { interrupt() }
    }
    signal(SIGINT) { _ in Interrupts.output.signalByte() }
  }

  private static func interrupt() {
    let cancel = current.withLock { state in
      guard !state.wasCancelled, let cancel = state.cancel else {
        return nil as (@Sendable () -> Void)?
      }
      state.wasCancelled = true
      return cancel
    }
    guard let cancel else {
      Terminal.restore()
      _exit(130)
    }
    cancel()
  }
}
