// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// What a run writes about itself beside its numbers: `metrics.jsonl`, a line for each entry of its
/// history, and `trainer_state.json`.
final class RunReports {
  /// The history so far.
  private(set) var entries: [HistoryEntry] = []
  private let path: String
  private let file: FileHandle

  /// Begins the history in `directory`, or takes it up again.
  init(directory: RunDirectory, resuming step: Int) throws(TrainingError) {
    path = directory.file("metrics.jsonl")
    if step > 0 { entries = Self.read(path).filter { $0.step <= step } }
    do {
      // Entries of steps that are going to be done again go.
      try directory.write(entries.map { try $0.line() }.joined(), to: "metrics.jsonl")
      file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try file.seekToEnd()
    } catch { throw RunDirectory.unwritable(path, error) }
  }

  /// Adds an entry; it is in the file when this returns.
  func add(_ entry: HistoryEntry) throws(TrainingError) {
    entries.append(entry)
    do { try file.write(contentsOf: Data(try entry.line().utf8)) } catch {
      throw RunDirectory.unwritable(path, error)
    }
  }

  private static func read(_ path: String) -> [HistoryEntry] {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let data = Data(line.utf8)
      let decoder = JSONDecoder()
      if let metrics = try? decoder.decode(StepMetrics.self, from: data) { return .step(metrics) }
      return (try? decoder.decode(EvaluationMetrics.self, from: data)).map { .evaluation($0) }
    }
  }
}

extension HistoryEntry {
  /// The step that it tells of.
  var step: Int {
    switch self {
    case .step(let metrics): metrics.step
    case .evaluation(let metrics): metrics.step
    }
  }

  /// It as a line of JSON.
  func line() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let data =
      switch self {
      case .step(let metrics): try encoder.encode(metrics)
      case .evaluation(let metrics): try encoder.encode(metrics)
      }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
