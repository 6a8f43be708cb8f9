// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The lines of a file, one at a time.
struct LineReader {
  /// No row is this long unless a file has no lines.
  static let lineByteLimit = 1 << 28

  private let stream: DataStream
  private let path: String
  private var buffer: [UInt8] = []
  private var start = 0
  private var searched = 0
  private var isAtEnd = false
  /// The number of the line that came last, from 1.
  private(set) var number = 0

  /// Goes on in `stream` after `beginning`, which was read from it before.
  init(_ stream: DataStream, path: String, beginning: [UInt8] = []) {
    self.stream = stream
    self.path = path
    buffer = beginning
  }

  /// The next line without its end (LF or CR LF); nil after the last.
  mutating func next() throws(TrainingError) -> [UInt8]? {
    while true {
      if let end = newline() {
        defer {
          start = end + 1
          searched = start
        }
        return line(to: end)
      }
      guard !isAtEnd else { return nil }
      buffer.removeFirst(start)
      start = 0
      searched = buffer.count
      guard buffer.count <= Self.lineByteLimit else { throw endless() }
      guard let piece = try stream.next() else {
        isAtEnd = true
        guard !buffer.isEmpty else { return nil }
        defer { start = buffer.count }
        searched = buffer.count
        return line(to: buffer.count)
      }
      buffer += piece
    }
  }

  private func newline() -> Int? {
    var index = searched
    while index < buffer.count {
      if buffer[index] == 0x0A { return index }
      index += 1
    }
    return nil
  }

  private mutating func line(to end: Int) -> [UInt8] {
    number += 1
    var line = buffer[start..<end]
    if line.last == 0x0D { line.removeLast() }
    // What some editors put in front of a file.
    if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    return Array(line)
  }

  private func endless() -> TrainingError {
    TrainingError(
      .invalidData,
      "Line \(number + 1) of '\(path)' has more than \(Self.lineByteLimit) bytes; no row is that long. "
        + "Write one row a line.")
  }
}
