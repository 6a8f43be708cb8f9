// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import Foundation

/// A record of TensorBoard's event files: a protobuf `Event` between its length and its checksums.
package struct TensorBoardEvent: Sendable {
  private enum Wire: UInt64 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  private var message: [UInt8] = []

  /// The first record of every file.
  package static func fileVersion(wallTime: Double) -> Self {
    var event = Self(wallTime: wallTime, step: 0)
    event.message.append(3, Array("brain.Event:2".utf8))
    return event
  }

  /// Says that the figures from `step` on, in this file and in those before it, count no more.
  package static func sessionStart(wallTime: Double, step: Int) -> Self {
    var event = Self(wallTime: wallTime, step: step)
    var session: [UInt8] = []
    session.append(1, UInt64(1))
    event.message.append(7, session)
    return event
  }

  /// The figures of one step.
  package static func scalars(
    _ values: [(tag: String, value: Float)], wallTime: Double, step: Int
  ) -> Self {
    var event = Self(wallTime: wallTime, step: step)
    var summary: [UInt8] = []
    for (tag, value) in values {
      var field: [UInt8] = []
      field.append(1, Array(tag.utf8))
      field.append(2, Wire.fixed32.rawValue, UInt64(value.bitPattern), count: 4)
      summary.append(1, field)
    }
    event.message.append(5, summary)
    return event
  }

  private init(wallTime: Double, step: Int) {
    message.append(1, Wire.fixed64.rawValue, wallTime.bitPattern, count: 8)
    if step > 0 { message.append(2, UInt64(step)) }
  }

  /// The record as it stands in a file.
  package var record: [UInt8] {
    var length: [UInt8] = []
    length.append(littleEndian: UInt64(message.count), count: 8)
    var record = length
    record.append(littleEndian: UInt64(CRC32C.masked(length)), count: 4)
    record += message
    record.append(littleEndian: UInt64(CRC32C.masked(message)), count: 4)
    return record
  }
}

/// Protobuf's wire format, as far as events need it.
extension [UInt8] {
  fileprivate mutating func append(littleEndian value: UInt64, count: Int) {
    for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
  }

  fileprivate mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// A field of whole numbers.
  fileprivate mutating func append(_ field: UInt64, _ value: UInt64) {
    append(varint: field << 3)
    append(varint: value)
  }

  /// A field of fixed width.
  fileprivate mutating func append(_ field: UInt64, _ wire: UInt64, _ value: UInt64, count: Int) {
    append(varint: field << 3 | wire)
    append(littleEndian: value, count: count)
  }

  /// A field of text or of a message.
  fileprivate mutating func append(_ field: UInt64, _ bytes: [UInt8]) {
    append(varint: field << 3 | 2)
    append(varint: UInt64(bytes.count))
    self += bytes
  }
}

/// Writes a run's figures where TensorBoard finds them.
package struct TensorBoardWriter: Sendable {
  private let file: AppendedFile

  /// The file being written.
  package var path: String { file.path }

  /// Starts a new file in `directory`; `wallTime` is in seconds since 1970.
  package init(
    directory: String, wallTime: Double, host: String = ProcessInfo.processInfo.hostName
  ) throws(TrainingError) {
    let seconds = Int(exactly: wallTime.rounded(.down)) ?? 0
    // TensorBoard reads the files of a folder in the order of their names.
    let host = host.isEmpty ? "localhost" : host.replacing("/", with: "-")
    let name = "\(directory)/events.out.tfevents.\(seconds).\(host)"
    var path = name
    var next = 1
    while FileManager.default.fileExists(atPath: path) {
      path = "\(name).\(next)"
      next += 1
    }
    file = try AppendedFile(path)
    try file.append(TensorBoardEvent.fileVersion(wallTime: wallTime).record)
  }

  /// Takes back the figures of `step` and of those after it.
  package func restart(at step: Int, wallTime: Double) throws(TrainingError) {
    try file.append(TensorBoardEvent.sessionStart(wallTime: wallTime, step: step).record)
  }

  /// Adds the figures of `entry`.
  package func add(_ entry: HistoryEntry, wallTime: Double) throws(TrainingError) {
    let values = Self.scalars(entry)
    try file.append(
      TensorBoardEvent.scalars(values, wallTime: wallTime, step: entry.step).record)
  }

  /// The figures under the names that Hugging Face's trainer gives them.
  package static func scalars(_ entry: HistoryEntry) -> [(tag: String, value: Float)] {
    entry.fields.dropFirst().map { name, value in
      let tag = name.hasPrefix("eval_") ? "eval/" + name.dropFirst(5) : group(entry) + name
      return (tag, Float(value.number ?? .nan))
    }
  }

  private static func group(_ entry: HistoryEntry) -> String {
    if case .step = entry { "train/" } else { "eval/" }
  }
}
