// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTensor
import Foundation
import Testing

@Suite("Tensor and its storage")
struct TensorTests {
  @Test("a tensor must lie inside its storage and fill whole blocks")
  func bounds() throws {
    let storage = try TensorStorage.allocate(byteCount: 100)
    _ = try Tensor(storage: storage, byteOffset: 64, dtype: .q4_0, rows: 2, columns: 32)
    #expect(
      message { try Tensor(storage: storage, byteOffset: 65, dtype: .q4_0, rows: 2, columns: 32) }
        == "A tensor of 36 bytes at offset 65 ends beyond 100 bytes.")
    #expect(
      message { try Tensor(storage: storage, byteOffset: 0, dtype: .q8_0, rows: 1, columns: 33) }
        == "1 rows of 33 Q8_0 weights are not whole blocks of 32.")
    #expect(
      message { try Tensor(storage: storage, byteOffset: -1, dtype: .f32, rows: 1, columns: 1) }
        == "A tensor of 4 bytes at offset -1 ends beyond 100 bytes.")
    #expect(
      message {
        try Tensor(storage: storage, byteOffset: 0, dtype: .f32, rows: .max, columns: .max)
      }
        != nil)
  }

  @Test(
    "memory of every size is zeroed, and takes numbers to its last",
    arguments: [1, 17, 65_535, 65_536, 65_537, 524_287, 524_288, 524_289])
  func allocated(_ count: Int) throws {
    for _ in 0..<2 {
      // The second time it may be memory that was used before.
      #expect(
        try Tensor.zeros(rows: 1, columns: count).floats() == [Float](repeating: 0, count: count))
      let values = (0..<count).map { Float($0 + 1) }
      #expect(try Tensor.floats(values, rows: 1, columns: count).floats() == values)
    }
  }

  @Test("files that cannot be mapped are named")
  func unreadable() throws {
    #expect(
      message { try TensorStorage.map(path: "/nonexistent/file") }
        == "Cannot open '/nonexistent/file': No such file or directory.")
    #expect(
      message { try TensorStorage.map(path: "/") } == "Cannot read '/': it is not a regular file.")
    let path = NSTemporaryDirectory() + "facet-empty-\(UInt64.random(in: 0 ... .max))"
    #expect(FileManager.default.createFile(atPath: path, contents: Data()))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(
      message { try TensorStorage.map(path: path) }
        == "Cannot read '\(path)': the file is empty. Download it again.")
  }

  @Test("a refused allocation is an error, not a crash")
  func refused() {
    #expect(
      message { try TensorStorage.allocate(byteCount: .max - 64) }
        == "The system refused \(Int.max - 64) bytes of memory. Use a smaller context or model.")
  }

  @Test("sizes that overflow have no byte count")
  func overflow() {
    #expect(DType.q6_K.byteCount(rows: .max, columns: 256) == nil)
    #expect(DType.f32.rowByteCount(columns: .max) == nil)
    #expect(DType.q4_0.rowByteCount(columns: 33) == nil)
    #expect(DType.q4_0.byteCount(rows: 3, columns: 64) == 108)
  }

  @Test("views see the same numbers")
  func views() throws {
    let tensor = try Tensor.floats((0..<12).map(Float.init), rows: 3, columns: 4)
    #expect(tensor.rows(1..<2).floats() == [4, 5, 6, 7])
    #expect(tensor.reshaped(columns: 2).rows(5..<6).floats() == [10, 11])
    tensor.rows(0..<1).write([9, 9, 9, 9])
    #expect(tensor.floats().prefix(5) == [9, 9, 9, 9, 4])
  }

  @Test("a workspace gives the same memory again after it is taken back")
  func workspace() throws {
    let workspace = Workspace()
    let first = try workspace.tensor(rows: 10, columns: 100)
    let mark = workspace.mark
    let second = try workspace.tensor(rows: 1, columns: 3)
    second.write([1, 2, 3])
    workspace.release(to: mark)
    #expect(try workspace.tensor(rows: 1, columns: 3).floats() == [1, 2, 3])
    let held = workspace.byteCount
    for _ in 0..<100 {
      workspace.reset()
      _ = try workspace.tensor(rows: 10, columns: 100)
      _ = try workspace.tensor(rows: 1000, columns: 1000)
      _ = try workspace.tensor(rows: 10, columns: 100)
    }
    // The big tensor, and a block for what no longer fits the first.
    #expect(workspace.byteCount <= held + 4_000_000 + (1 << 20))
    #expect(first.count == 1000)
  }

  @Test("a workspace of passes that change in length holds one block, of the longest")
  func growth() throws {
    let workspace = Workspace()
    func pass(_ rows: Int) throws {
      workspace.reset()
      for columns in [300, 1000, 2000] {
        let mark = workspace.mark
        _ = try workspace.tensor(rows: rows, columns: columns)
        workspace.release(to: mark)
        _ = try workspace.tensor(rows: rows, columns: 100)
      }
    }
    // Three of 100 columns stay, and the widest stands beside two of them.
    let longest = 2200 * 4 * 4000
    for rows in [1000, 2000, 3000, 4000, 500, 3999, 4000] { try pass(rows) }
    #expect(workspace.byteCount >= longest && workspace.byteCount < longest + (1 << 20))
    let held = workspace.byteCount
    for rows in [1, 4000, 700] { try pass(rows) }
    #expect(workspace.byteCount == held)
  }

  @Test("the random generator is xoshiro256** seeded by SplitMix64")
  func random() {
    // First outputs for seed 0, from the authors' C code.
    var random = RandomGenerator(seed: 0)
    #expect(
      (0..<3).map { _ in random.next() } == [
        0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0,
      ])
    #expect((0..<1000).allSatisfy { _ in (0..<1).contains(random.uniform()) })
  }

  @Test("normal numbers have the moments of the normal distribution")
  func normals() {
    var random = RandomGenerator(seed: 3)
    let values = (0..<50_000).flatMap { _ in
      let pair = random.normals()
      return [pair.0, pair.1]
    }
    func moment(_ power: Double) -> Double {
      values.reduce(0) { $0 + pow($1, power) } / Double(values.count)
    }
    // Within five standard errors of 0, 1, 0 and 3.
    let (mean, variance, skew, kurtosis) = (moment(1), moment(2), moment(3), moment(4))
    #expect(abs(mean) < 0.016)
    #expect(abs(variance - 1) < 0.023)
    #expect(abs(skew) < 0.062)
    #expect(abs(kurtosis - 3) < 0.16)
    let products = stride(from: 0, to: values.count, by: 2).map { values[$0] * values[$0 + 1] }
    let covariance = products.reduce(0, +) / Double(products.count)
    #expect(abs(covariance) < 0.023)
  }

  private func message<R>(_ body: () throws -> R) -> String? {
    do {
      _ = try body()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("a mapped file reads the same after its pages were given back")
  func forgottenPages() throws {
    let path = FileManager.default.temporaryDirectory.path + "/facet-pages-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let storage = try TensorStorage.map(path: path)
    let file = try Tensor(storage: storage, byteOffset: 0, dtype: .f32, rows: 1, columns: 5000)
    let before = file.floats().map(\.bitPattern)
    storage.forgetPages()
    #expect(file.floats().map(\.bitPattern) == before)
  }
}
