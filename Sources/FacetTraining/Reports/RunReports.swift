// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import Foundation

/// What a run leaves for people to look at: `metrics.jsonl`, TensorBoard's files under `runs/`,
/// `report.html` and `loss.svg`.
package struct RunReports: Sendable {
  private struct Line {
    let text: String
    let entry: HistoryEntry
  }

  private let directory: String
  private let settings: [(String, String)]
  private let clock: @Sendable () -> Double
  private var lines: [Line] = []
  private var metrics: AppendedFile
  private let board: TensorBoardWriter

  /// The run's history so far.
  package var history: [HistoryEntry] { lines.map(\.entry) }

  private var metricsPath: String { Self.metricsPath(directory) }

  /// Opens the reports of the run in `directory`.
  ///
  /// A run that is not resumed starts over; one that is takes up its history, to which `rewind(to:)`
  /// must give the step of the checkpoint. `settings` go into the page, `clock` tells the seconds since 1970.
  package init(
    directory: String, resuming: Bool, settings: [(String, String)] = [],
    clock: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
  ) throws(TrainingError) {
    self.directory = directory
    self.settings = settings
    self.clock = clock
    let runs = "\(directory)/runs"
    do {
      try FileManager.default.createDirectory(atPath: runs, withIntermediateDirectories: true)
    } catch {
      throw AppendedFile.unwritable(runs)
    }
    let path = Self.metricsPath(directory)
    if resuming { lines = try Self.read(path) }
    // Also mends a last line that the end of the process cut off.
    try AppendedFile.replace(path, with: Self.text(lines))
    metrics = try AppendedFile(path)
    board = try TensorBoardWriter(directory: runs, wallTime: clock())
    if !resuming { try board.restart(at: 0, wallTime: clock()) }
  }

  /// Adds an entry; it is with the system when this returns.
  package mutating func add(_ entry: HistoryEntry) throws(TrainingError) {
    let line = Line(text: entry.jsonText, entry: entry)
    try metrics.append(Array("\(line.text)\n".utf8))
    lines.append(line)
    try board.add(entry, wallTime: clock())
  }

  /// Takes back the entries after `step`, the step of the checkpoint that the run goes on from.
  package mutating func rewind(to step: Int) throws(TrainingError) {
    let kept = lines.filter { $0.entry.step <= step }
    if kept.count < lines.count {
      try AppendedFile.replace(metricsPath, with: Self.text(kept))
      metrics = try AppendedFile(metricsPath)
      lines = kept
    }
    let (next, overflows) = step.addingReportingOverflow(1)
    if !overflows { try board.restart(at: next, wallTime: clock()) }
  }

  /// Writes `report.html` and `loss.svg`; at the end of a run, and at any checkpoint before.
  package func finish() throws(TrainingError) {
    let page = RunPage(history: history, settings: settings)
    try AppendedFile.replace("\(directory)/report.html", with: page.text)
    if let curve = page.lossCurve {
      try AppendedFile.replace("\(directory)/loss.svg", with: curve)
    }
  }

  private static func metricsPath(_ directory: String) -> String { "\(directory)/metrics.jsonl" }

  private static func text(_ lines: [Line]) -> String { lines.map { $0.text + "\n" }.joined() }

  private static func read(_ path: String) throws(TrainingError) -> [Line] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError(.unreadable, "'\(path)' cannot be read; look at its permissions.")
    }
    var lines: [Line] = []
    let pieces = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, piece) in pieces.enumerated() {
      if piece.allSatisfy({ $0 == 32 || $0 == 13 }) { continue }
      if let entry = (try? JSONReader.read(Array(piece), path: path)).flatMap({ HistoryEntry($0) })
      {
        lines.append(Line(text: String(decoding: piece, as: UTF8.self), entry: entry))
      } else if index < pieces.count - 1 {
        throw TrainingError(
          .unreadable,
          "Line \(index + 1) of '\(path)' is no entry of a run's history; remove the line and resume "
            + "again.")
      }
    }
    return lines
  }
}
