// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Foundation
import Testing

/// `facet quantize`, `importance` and `compare` on a file.
@Suite("Quantising from the command line")
struct QuantizeTests {
  /// A text file that the tiny model can read.
  static let text: String = {
    let path = TinyModel.folder + "/quantize.txt"
    let text = String(repeating: "Pack my box with five dozen jugs; ", count: 30)
    try? Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }()

  @Test("quantize writes the type that was asked for, says so, and replaces only when told to")
  func quantize() throws {
    let output = TinyModel.folder + "/q5_1.gguf"
    let first = try Facet.run("quantize", TinyModel.base, output, "--type", "q5_1")
    #expect(first.status == 0)
    let lines = first.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("TYPE  TENSORS  WEIGHTS"))
    #expect(lines.last?.hasPrefix("\(output): Q5_1, ") == true)
    let checkpoint = try Checkpoint.open(output)
    #expect(checkpoint.tensors[TensorName(.up, layer: 0)]?.dtype == .q5_1)
    #expect(checkpoint.tensors[TensorName(.head)]?.dtype == .q8_0)
    // Of seven matrices in each of two layers, and the embedding.
    #expect(lines.contains { $0.hasPrefix("Q5_1       15 ") })
    let again = try Facet.run("quantize", TinyModel.base, output, "--type", "Q8_0")
    #expect(again.status == 1)
    #expect(try Checkpoint.open(output).tensors[TensorName(.up, layer: 0)]?.dtype == .q5_1)
    let forced = try Facet.run("quantize", TinyModel.base, output, "--type", "Q8_0", "--force")
    #expect(forced.status == 0)
    #expect(try Checkpoint.open(output).tensors[TensorName(.up, layer: 0)]?.dtype == .q8_0)
    let twice = try Facet.run(
      "quantize", output, TinyModel.folder + "/twice.gguf", "--type", "Q4_0")
    #expect(twice.status == 1 && twice.error.contains("is quantised already"))
    let allowed = try Facet.run(
      "quantize", output, TinyModel.folder + "/twice.gguf", "--type", "Q4_0", "--requantize")
    #expect(allowed.status == 0)
  }

  @Test("where Q3_K falls back to Q4_0, it errs less than the plain rule of Q4_0")
  func fallback() throws {
    let name = TensorName(.up, layer: 0)
    let original = try #require(try Checkpoint.open(TinyModel.base).tensors[name]).floats()
    func error(_ type: String) throws -> Float {
      let path = TinyModel.folder + "/fallback-\(type)"
      _ = try Facet.run("quantize", TinyModel.base, path + ".gguf", "--type", type)
      #expect(try Checkpoint.open(path + ".gguf").tensors[name]?.dtype == .q4_0)
      _ = try Facet.run("quantize", path + ".gguf", path + "-f32.gguf", "--type", "F32")
      let found = try #require(try Checkpoint.open(path + "-f32.gguf").tensors[name]).floats()
      return zip(original, found).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    #expect(try error("Q3_K") < error("Q4_0"))
  }

  @Test("importance writes what quantize takes")
  func importance() throws {
    let matrix = TinyModel.folder + "/importance.gguf"
    let made = try Facet.run(
      "importance", TinyModel.base, Self.text, "-o", matrix, "--chunk", "64", "--chunks", "3")
    #expect(made.status == 0)
    #expect(made.output == "\(matrix): 14 matrices, 3 chunks of 64\n")
    let found = try ImportanceMatrix.read(matrix)
    #expect(found.datasets == ["quantize.txt"] && found.chunkCount == 3)
    let output = TinyModel.folder + "/important.gguf"
    let used = try Facet.run(
      "quantize", TinyModel.base, output, "--type", "Q4_1", "--importance", matrix)
    #expect(used.status == 0)
    #expect(used.output.split(separator: "\n").contains { $0.hasSuffix(" 14") })
    let plain = TinyModel.folder + "/unimportant.gguf"
    _ = try Facet.run("quantize", TinyModel.base, plain, "--type", "Q4_1")
    #expect(try bytes(output) != bytes(plain))
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test("compare finds a model equal to itself, and further from itself in fewer bits")
  func compare() throws {
    struct Side: Decodable {
      var model: String
      var perplexity: Double
    }
    struct Page: Decodable {
      var reference: Side
      var candidate: Side
      var kl_mean: Double
      var kl_median: Double
      var kl_p99: Double
      var kl_max: Double
      var kl_standard_error: Double
      var same_top: Double
      var chunks: Int
      var tokens: Int
    }
    func page(_ candidate: String) throws -> Page {
      let outcome = try Facet.run(
        "compare", TinyModel.base, candidate, Self.text, "--chunk", "64", "--chunks", "2", "--json",
        "--precision", "exact")
      #expect(outcome.status == 0)
      return try JSONDecoder().decode(Page.self, from: Data(outcome.output.utf8))
    }
    let same = try page(TinyModel.base)
    #expect(same.kl_max < 1e-9 && same.same_top == 1 && same.chunks == 2 && same.tokens == 62)
    #expect(same.reference.perplexity == same.candidate.perplexity)
    let rough = TinyModel.folder + "/rough.gguf"
    _ = try Facet.run("quantize", TinyModel.base, rough, "--type", "Q4_0")
    let far = try page(rough)
    #expect(far.reference.perplexity == same.reference.perplexity)
    #expect(far.candidate.model == "rough.gguf")
    #expect(far.kl_mean > 1e-4 && far.kl_median <= far.kl_p99 && far.kl_p99 <= far.kl_max)
    #expect(far.kl_standard_error > 0 && far.same_top < 1)
    let alone = try Facet.run(
      "perplexity", rough, Self.text, "--chunk", "64", "--chunks", "2", "--precision", "exact")
    let figure = String(format: "%.4f", far.candidate.perplexity)
    #expect(alone.output.hasPrefix("Perplexity: \(figure) ±"))
    let table = try Facet.run("compare", TinyModel.base, rough, Self.text, "--chunk", "64")
    #expect(table.output.contains("mean KL") && table.output.contains("same top"))
  }
}
