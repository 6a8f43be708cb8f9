// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Foundation
import Testing

@Suite("Ceilings of the machine, and sums of rows")
struct CeilingsTests {
  @Test("every instruction set has plausible ceilings", arguments: InstructionSet.available)
  func plausible(_ set: InstructionSet) throws {
    let backend = try #require(CPUBackend(threads: 1, instructionSet: set))
    let ceilings = try backend.measureCeilings(byteCount: 8 << 20, runs: 1)
    // No machine reads slower than 100 MB/s or faster than 10 TB/s; likewise for arithmetic. A loop
    // that the compiler had folded away would be beyond.
    #expect((1e8...1e13).contains(ceilings.readBytesPerSecond))
    #expect((1e8...1e14).contains(ceilings.f32OperationsPerSecond))
    for peak in [ceilings.bf16OperationsPerSecond, ceilings.int8OperationsPerSecond] {
      #expect(peak.map { (1e8...1e14).contains($0) } ?? true)
    }
    #expect(set == .avx512 || ceilings.int8OperationsPerSecond == nil)
  }

  @Test(
    "log Σ exp of rows is that of double precision, whatever their length",
    arguments: InstructionSet.available)
  func logSumExp(_ set: InstructionSet) throws {
    let backend = try #require(CPUBackend(threads: 2, instructionSet: set))
    var random = RandomGenerator(seed: 3)
    for columns in [1, 7, 16, 33, 4095, 4096, 4097, 20000] {
      let values = (0..<3 * columns).map { _ in Float.random(in: -30...30, using: &random) }
      let totals = backend.logSumExp(try Tensor.floats(values, rows: 3, columns: columns))
      for row in 0..<3 {
        let part = values[row * columns..<(row + 1) * columns].map(Double.init)
        let expected = log(part.reduce(0) { $0 + exp($1) })
        #expect(abs(totals[row] - expected) < 4e-6, "\(columns) columns")
      }
    }
    #expect(backend.logSumExp(try Tensor.floats([.nan, 1], rows: 1, columns: 2))[0].isNaN)
  }
}
