// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

/// The values of `--format`.
enum BenchFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, markdown, csv
}

/// A result of `facet bench` in a file.
enum BenchFile {
  /// Reads either form.
  static func read(_ path: String) throws -> BenchmarkResult {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure("There is no file '\(path)' that can be read.")
    }
    if let result = try? JSONDecoder().decode(BenchmarkResult.self, from: data) { return result }
    if let short = try? JSONDecoder().decode(ShortForm.self, from: data) { return short.result }
    throw Failure(
      "'\(path)' is no result of facet bench. Make one with --format json or --json.")
  }

  /// What every engine's benchmark prints; ours says more.
  private struct ShortForm: Decodable {
    var model: String
    var threads: Int
    var prompt: Int
    var generate: Int
    var prefill_runs: [Double]
    var decode_runs: [Double]
    var precision: String?
    var instruction_set: String?

    var result: BenchmarkResult {
      var result = BenchmarkResult(instructionSet: instruction_set ?? "")
      func add(_ kind: BenchmarkRow.Kind, _ tokens: Int, _ depth: Int, _ runs: [Double]) {
        guard !runs.isEmpty else { return }
        let key = BenchmarkRow.Key(
          model: model, kind: kind, tokens: tokens, depth: depth)
        result.rows.append(
          BenchmarkRow(key: key, threads: threads, precision: precision ?? "", runs: runs))
      }
      add(.prefill, prompt, 0, prefill_runs)
      add(.decode, generate, prompt, decode_runs)
      return result
    }
  }
}

/// A result in the forms that `facet bench` prints.
struct BenchTable {
  private let result: BenchmarkResult
  private let before: BenchmarkResult?

  /// `result`, beside `before` where there is one.
  init(_ result: BenchmarkResult, _ before: BenchmarkResult?) {
    self.result = result
    self.before = before
  }

  func text(_ format: BenchFormat) throws -> String {
    switch format {
    case .json: return try JSONText.page(result) + "\n"
    case .csv: return ([header] + rows).map { csv($0) + "\n" }.joined()
    case .markdown: return machine("\n\n") + markdown
    case .text:
      var table = TextTable(header.map { $0.uppercased() })
      table.rightAligned = Self.figures
      for row in rows { table.add(row) }
      return machine("\n") + table.text
    }
  }

  /// Columns that hold numbers.
  private static let figures: Set<Int> = [2, 3, 4, 5, 6, 7, 8, 9, 10]

  private var header: [String] {
    ["model", "", "tokens", "batch", "depth", "tokens/s", "min", "max", "ceiling"]
      + (before == nil ? [] : ["before", "ratio", "verdict"])
  }

  private var rows: [[String]] {
    result.rows.map { row in
      let share = row.ceilingShare.map { "\(Int(($0 * 100).rounded())) %" } ?? "–"
      let cells = [
        row.model, row.kind.rawValue, "\(row.tokens)", "\(row.batch)", "\(row.depth)",
        Self.rate(row.median), Self.rate(row.slowest), Self.rate(row.fastest), share,
      ]
      guard let before else { return cells }
      guard let comparison = result.comparison(of: row, with: before) else {
        return cells + ["–", "–", "not there"]
      }
      return cells + [
        Self.rate(comparison.before.median), String(format: "%.3f", comparison.ratio),
        comparison.verdict.rawValue,
      ]
    }
  }

  /// What the figures were measured on.
  private func machine(_ end: String) -> String {
    let first = result.rows.first
    var parts = first.map { ["\($0.threads) threads", $0.precision] } ?? []
    parts.append(result.instructionSet)
    if let ceilings = result.ceilings {
      parts.append(String(format: "reads %.1f GB/s", ceilings.readBytesPerSecond / 1e9))
      let peaks = [
        ("f32", ceilings.f32OperationsPerSecond), ("bf16", ceilings.bf16OperationsPerSecond),
        ("int8", ceilings.int8OperationsPerSecond),
      ]
      for case (let name, let peak?) in peaks as [(String, Double?)] {
        parts.append("\(name) \(Int((peak / 1e9).rounded())) Gop/s")
      }
    }
    return parts.filter { !$0.isEmpty }.joined(separator: ", ") + end
  }

  private var markdown: String {
    let rule = header.indices.map { Self.figures.contains($0) ? "---:" : "---" }
    return ([header, rule] + rows).map { row in
      "| " + row.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }.joined()
  }

  private func csv(_ row: [String]) -> String {
    row.map { cell in
      let plain = cell == "–" ? "" : cell.replacing(" %", with: "")
      return plain.contains { $0 == "," || $0 == "\"" || $0.isNewline }
        ? "\"" + plain.replacing("\"", with: "\"\"") + "\"" : plain
    }.joined(separator: ",")
  }

  private static func rate(_ value: Double) -> String {
    String(format: value < 1000 ? "%.1f" : "%.0f", value)
  }
}
