// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetModel
import FacetTensor
import Foundation
import Testing

@Suite("Sweeps of the benchmark")
struct BenchmarkSweepTests {
  @Test("every prompt, length, batch and depth is a row, in order, with its runs")
  func rows() throws {
    let model = try Fixture(threads: 2).model
    var sweep = BenchmarkSweep()
    sweep.prompts = [3, 9]
    sweep.generates = [2]
    sweep.batches = [1, 3]
    sweep.depths = [0, 5]
    sweep.runs = 2
    var told = 0
    let rows = try sweep.measure(model, name: "tiny") { _, total in
      told += 1
      #expect(total == 8)
    }
    #expect(told == 8)
    func key(_ kind: BenchmarkRow.Kind, _ tokens: Int, _ batch: Int, _ depth: Int)
      -> BenchmarkRow.Key
    { BenchmarkRow.Key(model: "tiny", kind: kind, tokens: tokens, batch: batch, depth: depth) }
    #expect(
      rows.map(\.key) == [
        key(.prefill, 3, 1, 0), key(.prefill, 9, 1, 0), key(.prefill, 3, 1, 5),
        key(.prefill, 9, 1, 5), key(.decode, 2, 1, 0), key(.decode, 2, 3, 0),
        key(.decode, 2, 1, 5), key(.decode, 2, 3, 5),
      ])
    for row in rows {
      #expect(row.runs.count == 2 && row.slowest > 0 && row.threads == 2)
      #expect(row.slowest <= row.median && row.median <= row.fastest)
      #expect(row.ceilingShare == nil)
    }
  }

  @Test("without depths, writing comes after the longest prompt")
  func defaultDepth() throws {
    var sweep = BenchmarkSweep()
    sweep.prompts = [2, 6]
    sweep.generates = [1]
    sweep.runs = 1
    let rows = try sweep.measure(Fixture(threads: 2).model, name: "tiny")
    #expect(rows.map(\.depth) == [0, 0, 6])
  }

  @Test("the part of the ceilings is the least time over the time taken")
  func ceilings() throws {
    let model = try Fixture(threads: 2).model
    var sweep = BenchmarkSweep()
    sweep.prompts = [8]
    sweep.generates = [4]
    sweep.runs = 1
    func shares(_ factor: Double) throws -> [Double] {
      let ceilings = MachineCeilings(
        readBytesPerSecond: 1e9 * factor, f32OperationsPerSecond: 1e9 * factor,
        bf16OperationsPerSecond: 1e9 * factor, int8OperationsPerSecond: 1e9 * factor)
      return try sweep.measure(model, name: "tiny", ceilings: ceilings).compactMap(\.ceilingShare)
    }
    let (slow, fast) = (try shares(1), try shares(1e6))
    #expect(slow.count == 2 && fast.count == 2)
    // A machine a million times faster is used a million times less, but for what the runs differ.
    for (slow, fast) in zip(slow, fast) { #expect(slow > 1000 * fast && fast > 0) }
  }

  @Test("what cannot be measured is refused in a sentence")
  func refusals() throws {
    let model = try Fixture(threads: 2).model
    func message(_ change: (inout BenchmarkSweep) -> Void) -> String? {
      var sweep = BenchmarkSweep()
      change(&sweep)
      return #expect(throws: GenerationError.self) {
        try sweep.measure(model, name: "tiny")
      }?.message
    }
    #expect(
      message { $0.prompts = [-1] } == "Numbers of tokens lie between 0 and 16777216.")
    #expect(message { $0.batches = [0] } == "A batch has between 1 and 256 sequences.")
    #expect(
      message { $0.runs = 0 }
        == "0 runs after 1 to warm up cannot be measured; give 1 to 1000 and 0 to 1000.")
    #expect(
      message { ($0.prompts, $0.generates) = ([0], [0]) }
        == "There is nothing to measure: give a prompt or tokens to generate.")
    let longest = model.configuration.contextLength
    #expect(
      message { $0.depths = [longest] }
        == "512 tokens after \(longest) are asked for; \(model.card.name) takes \(longest) in all.")
  }

  private func row(
    _ model: String, _ kind: BenchmarkRow.Kind, _ runs: [Double], depth: Int = 0
  ) -> BenchmarkRow {
    BenchmarkRow(
      key: BenchmarkRow.Key(model: model, kind: kind, tokens: 8, depth: depth), threads: 2,
      precision: "fast", runs: runs)
  }

  @Test("a row is faster or slower when all of its runs are, and else the same")
  func verdicts() throws {
    let before = BenchmarkResult(instructionSet: "", rows: [row("a", .decode, [10, 12, 11])])
    func comparison(_ runs: [Double], _ name: String = "a") -> BenchmarkComparison? {
      let now = row(name, .decode, runs)
      return BenchmarkResult(instructionSet: "", rows: [now]).comparison(of: now, with: before)
    }
    #expect(comparison([12.5, 22, 30])?.verdict == .faster)
    #expect(comparison([12.5, 22, 30])?.ratio == 2)
    #expect(comparison([11.9, 20, 30])?.verdict == .same)
    #expect(comparison([9, 9.9])?.verdict == .slower)
    // Another engine calls the same model something else.
    #expect(comparison([11], "b")?.ratio == 1)
  }

  @Test("of several models, rows are found by name; what was not measured is not there")
  func names() {
    let before = BenchmarkResult(
      instructionSet: "", rows: [row("a", .decode, [1]), row("b", .decode, [2])])
    let now = BenchmarkResult(
      instructionSet: "",
      rows: [row("b", .decode, [4]), row("c", .decode, [4]), row("b", .decode, [4], depth: 9)])
    let ratios = now.rows.map { now.comparison(of: $0, with: before)?.ratio }
    #expect(ratios == [2, nil, nil])
  }

  @Test("a result survives JSON")
  func coding() throws {
    let result = BenchmarkResult(
      instructionSet: "avx2",
      ceilings: MachineCeilings(readBytesPerSecond: 5, f32OperationsPerSecond: 6),
      rows: [row("a", .prefill, [1, 2])])
    let data = try JSONEncoder().encode(result)
    #expect(try JSONDecoder().decode(BenchmarkResult.self, from: data) == result)
  }
}
