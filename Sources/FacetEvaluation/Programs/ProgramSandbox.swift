// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs programs in Python that a model wrote, each in a process of its own with nothing within its reach.
///
/// The process gives everything up before the program's first line (`sandbox.py`): files but Python's own,
/// processes, threads, sockets, privileges, and memory and time beyond the limits. Linux only.
public struct ProgramSandbox: Sendable {
  /// What came of a program.
  package enum Verdict: Sendable, Hashable {
    /// It ran to its end without an error.
    case passed
    /// It ended with an error, which this names.
    case failed(String)
    /// It was still running when its time was over.
    case timedOut

    /// What is wrong with it; nil when nothing is.
    package var problem: String? {
      switch self {
      case .passed: nil
      case .failed(let problem): problem
      case .timedOut: "timed out"
      }
    }
  }

  /// Seconds that a program may compute, and may take; `code_eval` gives as many.
  package var seconds: Int
  /// Bytes of memory that it may have.
  package var byteCount: Int
  private let interpreter: String

  /// A sandbox on this machine, or why there can be none.
  public init() throws(EvaluationError) {
    self.init(interpreter: try Self.interpreter())
    let verdict = try run("pass")
    guard verdict == .passed else {
      throw EvaluationError(
        .invalidSetting,
        "Programs cannot be run safely here: \(verdict.problem ?? "").")
    }
  }

  private init(interpreter: String) {
    self.interpreter = interpreter
    seconds = 3
    byteCount = 1 << 30
  }

  /// The Python that `python3` is: what lies in PATH may be a script that needs the environment.
  private static func interpreter() throws(EvaluationError) -> String {
    let ask = ["python3", "-I", "-c", "import sys; sys.stdout.write(sys.executable)"]
    let environment = ProcessInfo.processInfo.environment
    let answer = try? answer("/usr/bin/env", ask, environment: environment, within: 20)
    guard let path = answer?.text.split(separator: "\n").last, answer?.status == 0 else {
      throw EvaluationError(
        .invalidSetting,
        "Programs in Python are to be run, and python3 was not found; install it, or leave tasks with "
          + "programs out.")
    }
    return String(path)
  }

  /// Runs `program` to its end, or until its time is over.
  package func run(_ program: String) throws(EvaluationError) -> Verdict {
    let path = NSTemporaryDirectory() + "facet-program-\(UUID().uuidString).py"
    let answer: Ending
    do {
      try Data(program.utf8).write(to: URL(fileURLWithPath: path))
      defer { try? FileManager.default.removeItem(atPath: path) }
      let guardian = String(decoding: PackageResources.sandbox_py, as: UTF8.self)
      // A machine under load may take its time to start Python; the program's own limit is kept inside.
      answer = try Self.answer(
        interpreter,
        ["-I", "-X", "utf8", "-c", guardian, "\(seconds)", "\(byteCount)", path],
        environment: [:], within: 10 * seconds + 20)
    } catch {
      throw EvaluationError(
        .invalidSetting, "A program could not be run: \(error.localizedDescription)")
    }
    if let signal = answer.signal {
      let isTime = [SIGALRM, SIGXCPU, SIGKILL].contains(signal)
      return isTime ? .timedOut : .failed("signal \(signal)")
    }
    let last = answer.text.split(separator: "\n").last.map { String($0) } ?? "no verdict"
    return last == "passed" ? .passed : .failed(last)
  }

  /// How a process ended.
  private struct Ending {
    var text: String
    var status: Int32
    /// The signal that ended it.
    var signal: Int32?
  }

  /// Runs `executable` and returns what it said; it is killed after `seconds`.
  private static func answer(
    _ executable: String, _ arguments: [String], environment: [String: String],
    within seconds: Int
  ) throws -> Ending {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.environment = environment
    let output = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let id = process.processIdentifier
    let end = DispatchWorkItem { kill(id, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds), execute: end)
    // What the process says is short, and it cannot start another that would keep the pipe open.
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    end.cancel()
    let isSignal = process.terminationReason == .uncaughtSignal
    return Ending(
      text: String(decoding: data, as: UTF8.self), status: process.terminationStatus,
      signal: isSignal ? process.terminationStatus : nil)
  }
}
