// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetCheckpoint
public import Foundation

/// Writes results as lm-eval does: `MODEL/results_DATE.json` and `MODEL/samples_TASK_DATE.jsonl`.
public struct ResultWriter: Sendable {
  /// Where the files are.
  public struct Paths: Sendable, Hashable {
    /// The folder of the model.
    public var folder: String
    /// The figures.
    public var results: String
    /// The documents, a file for each task.
    public var samples: [String]
    /// What to put into the name of another file of this evaluation.
    public var stamp: String
  }

  private let output: String
  private let date: Date

  /// Writes into `output`, which is made where it is not there.
  public init(output: String, date: Date = Date()) {
    self.output = output
    self.date = date
  }

  /// Writes `result`; no file is ever there in part.
  ///
  /// The figures come last, so that whoever finds them finds the documents too.
  public func write(_ result: EvaluationResult) throws(EvaluationError) -> Paths {
    let stamp = ResultNames.stamp(date)
    let folder = output + "/" + ResultNames.sanitized(result.model.name)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw EvaluationError(
        .unwritable, "Cannot make the folder '\(folder)': \(error.localizedDescription)")
    }
    var samples: [String] = []
    var hashes: [(String, String)] = []
    for task in result.tasks {
      let (lines, hash) = task.samples()
      // A name with a slash would be a path.
      let name = task.task.replacing("/", with: "__")
      let path = "\(folder)/samples_\(name)_\(stamp).jsonl"
      try Self.write(lines.lazy.map { $0 + "\n" }, to: path)
      samples.append(path)
      hashes.append((task.task, hash))
    }
    let path = "\(folder)/results_\(stamp).json"
    try Self.write([PythonOutput.dumps(result.json(taskHashes: hashes), indent: 2)], to: path)
    return Paths(folder: folder, results: path, samples: samples, stamp: stamp)
  }

  /// Writes `pieces` one after the other.
  package static func write(
    _ pieces: some Sequence<String>, to path: String
  ) throws(EvaluationError) {
    do throws(CheckpointError) {
      var file = try FileWriter(path)
      for piece in pieces { try file.write([UInt8](piece.utf8)) }
      try file.finish()
    } catch {
      throw EvaluationError(.unwritable, error.message)
    }
  }
}
