// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTestSupport
import Foundation

/// A folder for one test, removed with its content when the test is over.
final class Scratch {
  let path: String

  init() throws {
    // Memory rather than disk where there is such a folder: fuzzing writes many thousands of files.
    let memory = "/dev/shm/"
    let root = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    path = root + "facet-checkpoint-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Where `name` lies in the folder.
  func file(_ name: String) -> String { path + "/" + name }

  /// Writes `bytes` and returns where they are.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  /// Writes `text` and returns where it is.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

  /// What lies in the folder, in order.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  /// Copies a folder of Tests/Goldens/checkpoints, and puts a tokenizer beside it.
  func copy(golden folder: String) throws {
    let source = Goldens.path("checkpoints/\(folder)")
    for name in try FileManager.default.contentsOfDirectory(atPath: source) {
      try write(name, try contents(source + "/" + name))
    }
    try write("tokenizer.model", "pieces")
  }
}

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] {
  try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The error that `body` throws, nil when it throws none.
func failure<R>(_ body: () throws(CheckpointError) -> R) -> CheckpointError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error
  }
}

/// The error of opening the model at `path`.
func failure(opening path: String) -> CheckpointError? {
  failure { () throws(CheckpointError) in try Checkpoint.open(path) }
}

/// Little-endian bytes of a number.
func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// CRC-32 as zlib computes it, bit by bit.
func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc: UInt32 = .max
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  return ~crc
}
