// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// The built command, run as a child process.
enum Facet {
  /// What came of a run.
  struct Outcome {
    var status: Int32
    var output: String
    var error: String
  }

  /// The executable, which is built beside the bundle of the tests.
  static let executable: String = {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    for _ in 0..<5 {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("facet").path
      var isFolder: ObjCBool = false
      if unsafe FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder),
        !isFolder.boolValue
      {
        return candidate
      }
    }
    return "facet"
  }()

  /// The environment of a run: a library with nothing in it, one thread.
  static func environment(home: String? = nil, _ more: [String: String] = [:]) -> [String: String] {
    let inherited = ProcessInfo.processInfo.environment
    let own = [
      "PATH": inherited["PATH"] ?? "", "HOME": TinyModel.folder, "TERM": "xterm",
      "FACET_HOME": home ?? TinyModel.folder + "/no-library", "FACET_THREADS": "1",
      "LD_LIBRARY_PATH": inherited["LD_LIBRARY_PATH"] ?? "",
    ]
    return own.merging(more) { $1 }
  }

  /// A child that has been started.
  final class Child {
    let process = Process()
    let output = Pipe()
    let error = Pipe()
    private let input = Pipe()

    init(
      _ arguments: [String], input text: String = "", home: String? = nil,
      environment: [String: String] = [:]
    ) throws {
      process.executableURL = URL(fileURLWithPath: Facet.executable)
      process.arguments = arguments
      process.environment = Facet.environment(home: home, environment)
      process.standardInput = input
      process.standardOutput = output
      process.standardError = error
      try process.run()
      // Small enough for the pipe, so nothing waits.
      input.fileHandleForWriting.write(Data(text.utf8))
      try input.fileHandleForWriting.close()
    }

    /// What is left of both outputs, once the child has ended.
    func outcome() -> Outcome {
      let error = error
      let reader = TextReader(error.fileHandleForReading)
      let output = String(
        decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      return Outcome(status: process.terminationStatus, output: output, error: reader.text())
    }
  }

  /// Runs the command to its end.
  static func run(
    _ arguments: String..., input: String = "", home: String? = nil,
    environment: [String: String] = [:]
  ) throws -> Outcome {
    try Child(arguments, input: input, home: home, environment: environment).outcome()
  }
}

/// Reads a pipe on a thread of its own, so that a child with much to say in two pipes never waits.
private final class TextReader: @unchecked Sendable {
  // Written by the thread before the semaphore is signalled, read after it.
  private var data = Data()
  private let done = DispatchSemaphore(value: 0)

  init(_ handle: FileHandle) {
    Thread.detachNewThread { [self] in
      data = handle.readDataToEndOfFile()
      done.signal()
    }
  }

  func text() -> String {
    done.wait()
    return String(decoding: data, as: UTF8.self)
  }
}
