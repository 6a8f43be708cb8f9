// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import Foundation
import Testing

@Suite("facet tokenizer train")
struct TokenizerTrainTests {
  private func run(_ arguments: String...) throws -> Facet.Outcome {
    try Facet.Child(["tokenizer", "train"] + arguments).outcome()
  }

  @Test("a vocabulary trained by the command is the committed one, byte for byte")
  func trains() throws {
    let path = TinyModel.folder + "/\(UUID().uuidString).model"
    let outcome = try run(
      "--input", Goldens.path("texts/emma.txt"), "--vocab-size", "600", "--gemma",
      "--user-symbols", "[note],:-)", "-o", path)
    #expect(outcome.status == 0 && outcome.error == "")
    #expect(outcome.output == "600 pieces in \(path)\n")
    let golden = Goldens.path("tokenizer/trained.model")
    #expect(FileManager.default.contentsEqual(atPath: path, andPath: golden))
  }

  @Test("a file that cannot be read, a size too small and bad options are refused")
  func errors() throws {
    let path = TinyModel.folder + "/none.model"
    let missing = try run("--input", "/no/such", "--vocab-size", "600", "-o", path)
    #expect(missing.status == 1)
    #expect(
      missing.error
        == "facet: Cannot read '/no/such'; it must be a file of text that you may read.\n")
    let folder = try run("--input", TinyModel.folder, "--vocab-size", "600", "-o", path)
    #expect(
      folder.error
        == "facet: Cannot read '\(TinyModel.folder)'; it must be a file of text that you may read.\n"
    )
    let small = try run("--input", Goldens.path("texts/emma.txt"), "--vocab-size", "9", "-o", path)
    #expect(small.status == 1)
    #expect(small.error.hasPrefix("facet: A vocabulary of 9 pieces is too small: 259 special "))
    let zero = try run("--input", "x", "--vocab-size", "0", "-o", path)
    #expect(zero.status == 2)
    #expect(zero.error.contains("A vocabulary has from 1 to 16777216 pieces, not 0."))
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
