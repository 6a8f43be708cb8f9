// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import Foundation
import Testing

/// `facet merge` and `facet run --adapter`.
@Suite("Adapters from the command line")
struct MergeTests {
  private let base = Goldens.path("fixtures/gemma1/gemma1.gguf")
  private let adapter = Goldens.path("adapters/gemma1-lora")

  private func answer(_ arguments: String...) throws -> String {
    let outcome = try Facet.Child(
      ["run"] + arguments + [
        "The rain", "--raw", "--temperature", "0", "--max-tokens", "8", "--precision", "exact",
      ]
    ).outcome()
    #expect(outcome.status == 0, "\(outcome.error)")
    return outcome.output
  }

  @Test("a merged model answers like the base with the adapter attached")
  func merge() throws {
    let output = TinyModel.folder + "/merged.gguf"
    let made = try Facet.run("merge", base, adapter, "-o", output, "--type", "F32", "--force")
    #expect(made.status == 0)
    #expect(made.output.hasPrefix("\(output): F32, ") && made.output.contains("4 matrices changed"))
    let attached = try answer(base, "--adapter", adapter)
    #expect(try answer(output) == attached)
    #expect(try answer(base) != attached)
    #expect(try answer(base, "--adapter", adapter + ":0") == answer(base))
    let again = try Facet.run("merge", base, adapter, "-o", output)
    #expect(again.status == 1 && again.error.contains("is there already"))
  }

  @Test("what cannot be merged is said in a sentence")
  func refusals() throws {
    let output = TinyModel.folder + "/never"
    let directory = try Facet.run("merge", base, adapter, "-o", output)
    #expect(directory.status == 1 && directory.error.contains("is no Hugging Face directory"))
    let type = try Facet.run("merge", base, adapter, "-o", output, "--type", "F16")
    #expect(type.status == 2 && type.error.contains("--type is for GGUF files"))
    let other = try Facet.run(
      "merge", base, Goldens.path("adapters/llama-head"), "-o", output + ".gguf")
    #expect(other.status == 1 && other.error.contains("changes the head, which in Fixture gemma1"))
    let strength = try Facet.run("run", base, "x", "--adapter", adapter + ":much")
    #expect(strength.status == 1 && strength.error.contains("'much', must be a number"))
  }
}
