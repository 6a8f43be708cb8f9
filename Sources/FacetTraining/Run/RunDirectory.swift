// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation

/// The folder of a run and its checkpoints: `checkpoint-N`, complete or not there at all.
struct RunDirectory {
  let path: String

  private static let prefix = "checkpoint-"
  private static let unfinished = ".unfinished-"

  init(_ path: String) { self.path = path }

  /// Makes the folder if need be, and removes what a killed process left half written.
  func prepare() throws(TrainingError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw Self.unwritable(path, error) }
    for name in names where name.hasPrefix(Self.unfinished) {
      try? FileManager.default.removeItem(atPath: file(name))
    }
  }

  /// The path of `name` in the folder.
  func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

  private var names: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
  }

  /// The steps that there are checkpoints of, in order.
  var steps: [Int] {
    names.compactMap { name in
      name.hasPrefix(Self.prefix) ? Int(name.dropFirst(Self.prefix.count)) : nil
    }.sorted()
  }

  /// Where the checkpoint of `step` is.
  func checkpoint(_ step: Int) -> String { file("\(Self.prefix)\(step)") }

  /// Writes the checkpoint of `step` through `body`, which is given a folder that is not there yet for
  /// others.
  ///
  /// What was there before is unharmed when the disk is full.
  func write(step: Int, _ body: (_ folder: String) throws -> Void) throws {
    let temporary = file("\(Self.unfinished)\(step)")
    do {
      try? FileManager.default.removeItem(atPath: temporary)
      try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
      try body(temporary)
      try? FileManager.default.removeItem(atPath: checkpoint(step))
      try FileManager.default.moveItem(atPath: temporary, toPath: checkpoint(step))
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw Self.unwritable(checkpoint(step), error)
    }
  }

  /// Removes all checkpoints but the last `limit` and that of step `best`.
  func prune(limit: Int?, best: Int?) {
    guard let limit else { return }
    for step in steps.dropLast(max(1, limit)) where step != best {
      try? FileManager.default.removeItem(atPath: checkpoint(step))
    }
  }

  /// Writes a text whole or not at all.
  func write(_ text: String, to name: String) throws(TrainingError) {
    do {
      var file = try FileWriter(self.file(name))
      try file.write(Array(text.utf8))
      try file.finish()
    } catch { throw Self.unwritable(self.file(name), error) }
  }

  static func unwritable(_ path: String, _ error: any Error) -> TrainingError {
    if let error = error as? TrainingError { return error }
    let reason = (error as? CheckpointError)?.message ?? (error as NSError).localizedDescription
    return TrainingError(
      .unwritable,
      "Cannot write '\(path)': \(reason) What was there before is unharmed; free some space or choose "
        + "another output_dir.")
  }
}
