// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// The bytes of a file of data, piece by piece; a `.gz` is unpacked by the system's `gzip` on the way.
final class DataStream {
  private static let pieceByteCount = 1 << 20

  private let path: String
  private let handle: FileHandle
  private let unpacker: Process?
  private let complaints: Pipe?
  private var isAtEnd = false
  /// Bytes given out so far, unpacked.
  private(set) var byteCount = 0

  init(_ path: String) throws(TrainingError) {
    self.path = path
    let file = try Self.open(path)
    guard Self.isPacked(path) else {
      handle = file
      unpacker = nil
      complaints = nil
      return
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Self.gzip(for: path))
    process.arguments = ["-dc"]
    process.standardInput = file
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw TrainingError(
        .unreadable, "'\(path)' cannot be unpacked: gzip could not be started. Unpack it first.")
    }
    handle = output.fileHandleForReading
    unpacker = process
    complaints = errors
  }

  deinit {
    if let unpacker, unpacker.isRunning {
      unpacker.terminate()
      unpacker.waitUntilExit()
    }
    try? handle.close()
  }

  /// The next bytes; nil at the end of the file.
  func next() throws(TrainingError) -> [UInt8]? {
    guard !isAtEnd else { return nil }
    let data: Data?
    do { data = try handle.read(upToCount: Self.pieceByteCount) } catch {
      throw TrainingError(
        .unreadable, "'\(path)' cannot be read any further; look at the disk and try again.")
    }
    if let data, !data.isEmpty {
      byteCount += data.count
      return [UInt8](data)
    }
    isAtEnd = true
    try finish()
    return nil
  }

  /// The file's name without what says that it is packed.
  static func plainName(_ path: String) -> String {
    isPacked(path) ? String(path.dropLast(3)) : path
  }

  private static func isPacked(_ path: String) -> Bool { path.lowercased().hasSuffix(".gz") }

  private static func open(_ path: String) throws(TrainingError) -> FileHandle {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw TrainingError(
        .unreadable, "There is no file '\(path)' that can be read. Look at its name and its rights."
      )
    }
    return handle
  }

  private static func gzip(for path: String) throws(TrainingError) -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let candidates = folders.map { "\($0)/gzip" } + ["/usr/bin/gzip", "/bin/gzip"]
    guard let found = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      throw TrainingError(
        .unreadable,
        "'\(path)' is packed and this machine has no gzip. Install gzip or unpack the file first.")
    }
    return found
  }

  /// Looks at how the unpacker ended.
  private func finish() throws(TrainingError) {
    guard let unpacker, let complaints else { return }
    let said = complaints.fileHandleForReading.readDataToEndOfFile()
    unpacker.waitUntilExit()
    // 2 is a warning, such as zeros after the end.
    guard unpacker.terminationStatus != 0, unpacker.terminationStatus != 2 else { return }
    var reason =
      String(decoding: said, as: UTF8.self)
      .split(whereSeparator: \.isNewline).first.map(String.init) ?? "it stopped"
    for prefix in ["gzip: stdin: ", "gzip: "] where reason.hasPrefix(prefix) {
      reason = String(reason.dropFirst(prefix.count))
    }
    throw TrainingError(
      .unreadable,
      "'\(path)' cannot be unpacked: gzip says '\(reason)'. The file is damaged; get it again.")
  }
}
