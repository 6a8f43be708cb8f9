// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation

/// A file that grows; what was appended is with the system at once.
final class AppendedFile: Sendable {
  let path: String
  private let handle: FileHandle

  /// Opens the file at `path` at its end and makes it where it is missing.
  init(_ path: String) throws(TrainingError) {
    self.path = path
    let manager = FileManager.default
    guard manager.fileExists(atPath: path) || manager.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forWritingAtPath: path), (try? handle.seekToEnd()) != nil
    else { throw Self.unwritable(path) }
    self.handle = handle
  }

  deinit { try? handle.close() }

  func append(_ bytes: [UInt8]) throws(TrainingError) {
    do { try handle.write(contentsOf: Data(bytes)) } catch { throw Self.unwritable(path) }
  }

  static func unwritable(_ path: String) -> TrainingError {
    TrainingError(
      .unwritable, "'\(path)' cannot be written; look at the disk and at the folder's permissions.")
  }

  /// Puts `text` in the place of the file at `path`, all of it or nothing.
  static func replace(_ path: String, with text: String) throws(TrainingError) {
    do throws(CheckpointError) {
      var writer = try FileWriter(path)
      try writer.write(Array(text.utf8))
      try writer.finish()
    } catch {
      throw unwritable(path)
    }
  }
}
