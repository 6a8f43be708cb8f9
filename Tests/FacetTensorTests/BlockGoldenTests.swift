// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import FacetTestSupport
import Foundation
import Testing

/// Blocks of every type, expanded by an independent implementation (Tests/Goldens/PROVENANCE.md).
@Suite("Blocks expand to the numbers of the gguf package")
struct BlockGoldenTests {
  static let types = DType.allCases.filter { $0 != .f32 }

  /// The blocks of a golden file and what they must become.
  private func load(_ dtype: DType) throws -> (blocks: [UInt8], values: [UInt32]) {
    let path = Goldens.path("blocks/\(dtype.name.lowercased()).bin")
    let file = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    func word(_ at: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(file[at + $1]) << (8 * UInt32($1)) }
    }
    let count = Int(word(0))
    let size = try #require(dtype.rowByteCount(columns: count))
    #expect(file.count == 4 + size + 4 * count)
    return (Array(file[4..<4 + size]), (0..<count).map { word(4 + size + 4 * $0) })
  }

  /// Compares as numbers: the sign of a zero is not told apart.
  private func differences(_ found: [Float], _ expected: [UInt32]) -> [Int] {
    zip(found, expected).enumerated().filter { $1.0 != Float(bitPattern: $1.1) }.map(\.offset)
  }

  @Test(
    "on every instruction set, bit for bit, with negative, denormal and zero scales",
    arguments: InstructionSet.available, types)
  func expand(_ set: InstructionSet, _ dtype: DType) throws {
    let (blocks, values) = try load(dtype)
    let table = try Tensor.zeros(rows: 1, columns: values.count, dtype: dtype)
    table.writeBytes(blocks)
    let output = try Tensor.zeros(rows: 1, columns: values.count)
    let backend = try #require(CPUBackend(threads: 1, precision: .exact, instructionSet: set))
    // The embedding of a token is its row, expanded and scaled; by 1, nothing is rounded.
    backend.embed([0], table: table, scale: 1, into: output)
    #expect(differences(output.floats(), values) == [])
  }

  @Test("in the plain Swift twin as well", arguments: types)
  func reference(_ dtype: DType) throws {
    let (blocks, values) = try load(dtype)
    let table = try Tensor.zeros(rows: 1, columns: values.count, dtype: dtype)
    table.writeBytes(blocks)
    let output = try Tensor.zeros(rows: 1, columns: values.count)
    ReferenceBackend().embed([0], table: table, scale: 1, into: output)
    #expect(differences(output.floats(), values) == [])
  }
}
