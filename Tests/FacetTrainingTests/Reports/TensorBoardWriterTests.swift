// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import FacetTraining
import Foundation
import Testing

@Suite("TensorBoard's event files")
struct TensorBoardWriterTests {
  @Test(
    "CRC-32C gives the checksums of RFC 3720, appendix B.4",
    arguments: [
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 255, count: 32), 0x62A8_AB43),
      ([UInt8](0..<32), 0x46DD_794E), ((0..<32).reversed(), 0x113F_DB5C),
    ] as [([UInt8], UInt32)])
  func checksums(_ bytes: [UInt8], _ expected: UInt32) {
    #expect(CRC32C.checksum(bytes) == expected)
  }

  @Test("A file has the bytes that the tensorboard package writes for the same events")
  func golden() throws {
    let folder = try ReportFixture.folder()
    let writer = try TensorBoardWriter(directory: folder, wallTime: 1_764_000_000.25, host: "host")
    #expect(writer.path == "\(folder)/events.out.tfevents.1764000000.host")
    try writer.restart(at: 0, wallTime: 1_764_000_000.5)
    try writer.add(ReportFixture.step(300), wallTime: 1_764_000_001)
    try writer.add(ReportFixture.evaluation(300), wallTime: 1_764_000_002)
    let written = FileManager.default.contents(atPath: writer.path)
    #expect(written == FileManager.default.contents(atPath: Goldens.path("reports/events.bin")))
    #expect(written?.isEmpty == false)
  }

  @Test("A second file of the same second has a name of its own, after the first")
  func names() throws {
    let folder = try ReportFixture.folder()
    let paths = try (0..<3).map { _ in
      try TensorBoardWriter(directory: folder, wallTime: 7, host: "host").path
    }
    #expect(paths == paths.sorted())
    #expect(Set(paths).count == 3)
  }

  @Test("Figures have the names that Hugging Face's trainer gives them")
  func tags() throws {
    #expect(
      try TensorBoardWriter.scalars(ReportFixture.step(1)).map(\.tag) == [
        "train/epoch", "train/loss", "train/grad_norm", "train/learning_rate", "train/num_tokens",
        "train/mean_token_accuracy", "train/entropy", "train/tokens_per_second",
        "train/peak_memory",
      ])
    #expect(
      try TensorBoardWriter.scalars(ReportFixture.evaluation(1)).map(\.tag) == [
        "eval/epoch", "eval/loss", "eval/perplexity", "eval/mean_token_accuracy", "eval/runtime",
      ])
  }

  @Test("A folder that is not there is named")
  func missingFolder() {
    #expect(
      throws: TrainingError(
        .unwritable,
        "'/nowhere/events.out.tfevents.7.host' cannot be written; look at the disk and at the folder's "
          + "permissions.")
    ) { try TensorBoardWriter(directory: "/nowhere", wallTime: 7, host: "host") }
  }
}
