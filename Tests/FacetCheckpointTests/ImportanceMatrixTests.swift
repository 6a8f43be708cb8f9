// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

@Suite("Importance matrices")
struct ImportanceMatrixTests {
  /// A path in a folder of its own that goes with the closure.
  private func withPath<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "facet-importance-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appendingPathComponent("importance.gguf").path)
  }

  /// A GGUF file of the kind "imatrix" with one pair of tensors.
  private func write(
    _ path: String, kind: String = "imatrix", sums: [Float], counts: [Float]?
  ) throws {
    var writer = GGUFWriter()
    writer.set("general.type", .string(kind))
    try writer.add(
      "a.weight.in_sum2", .f32, shape: [1, sums.count], .tensor(try Tensor.vector(sums)))
    if let counts {
      try writer.add(
        "a.weight.counts", .f32, shape: [1, counts.count], .tensor(try Tensor.vector(counts)))
    }
    try writer.write(to: path)
  }

  @Test("what is written is read again")
  func roundTrip() throws {
    let matrix = ImportanceMatrix(
      entries: [
        "blk.0.attn_q.weight": .init(sums: [1, 2, 3.5], count: 7),
        "blk.1.ffn_down.weight": .init(sums: [0, 1e-20, 1e20, 4], count: 1),
      ], datasets: ["valid.txt"], chunkCount: 3, chunkSize: 512)
    try withPath { path in
      try matrix.write(to: path)
      var read = try ImportanceMatrix.read(path)
      #expect(read.entries == matrix.entries)
      #expect(read.chunkCount == 3 && read.chunkSize == 512)
      #expect(read.datasets == ["valid.txt"])
      #expect(read[TensorName(.down, layer: 1)]?.sums.count == 4)
      read[TensorName(.up, layer: 2)] = .init(sums: [1], count: 1)
      #expect(read.entries["blk.2.ffn_up.weight"]?.count == 1)
    }
  }

  @Test("the gguf package's file of this form is read")
  func foreignFile() throws {
    let matrix = try ImportanceMatrix.read(Goldens.path("quantize/imatrix.gguf"))
    #expect(
      matrix.entries == [
        "blk.0.attn_k.weight": .init(sums: [4, 0.5, 2.25], count: 8),
        "blk.0.ffn_down.weight": .init(sums: [1, 2, 3, 4, 5], count: 512),
      ])
    #expect(matrix.datasets == ["calibration.txt"])
    #expect(matrix.chunkCount == 1 && matrix.chunkSize == 512)
  }

  @Test("damaged and foreign files are refused in a sentence")
  func refusals() throws {
    func message(_ path: String) -> String? {
      #expect(throws: CheckpointError.self) { try ImportanceMatrix.read(path) }?.message
    }
    try withPath { path in
      #expect(message(path) == "There is no file '\(path)'.")
      try write(path, kind: "model", sums: [1], counts: [1])
      #expect(
        message(path)
          == "'\(path)' is a GGUF file, but no importance matrix (general.type imatrix).")
      try write(path, sums: [1], counts: nil)
      #expect(
        message(path) == "'\(path)' has sums for 'a.weight' but no counts. Make it again.")
      let damaged =
        "The importance of 'a.weight' in '\(path)' is not one count and sums of squares. Make it again."
      for (sums, counts) in [
        ([Float.nan], [Float(1)]), ([-1], [1]), ([1], [.infinity]), ([1], [1, 1]), ([1], [-1]),
      ] {
        try write(path, sums: sums, counts: counts)
        #expect(message(path) == damaged)
      }
      try GGUFWriter().write(to: path)
      #expect(message(path)?.contains("no importance matrix") == true)
      try Data("not a gguf file, but long enough".utf8).write(to: URL(fileURLWithPath: path))
      #expect(
        message(path)
          == "'\(path)' is no importance matrix in GGUF form. Make one with 'facet importance'.")
    }
  }

  @Test("a file cut off anywhere is an error, never a crash")
  func truncated() throws {
    let matrix = ImportanceMatrix(
      entries: ["blk.0.attn_q.weight": .init(sums: [1, 2, 3], count: 4)], datasets: ["a", "b"])
    try withPath { path in
      try matrix.write(to: path)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      for length in stride(from: 1, to: bytes.count - 32, by: 3) {
        try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
        #expect(throws: CheckpointError.self) { try ImportanceMatrix.read(path) }
      }
    }
  }
}
