// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a model that has learned nothing, to train from scratch.",
    discussion: """
      DIRECTORY holds config.json, as models of the Hugging Face Hub have it, and tokenizer.model \
      (facet tokenizer train writes one) or tokenizer.json. The output is a GGUF file with random \
      weights: normal with the deviation initializer_range (0.02), norms 1. Train it with \
      facet tune --method full.
      """)

  @Argument(help: "The directory with config.json and a tokenizer.", completion: .directory)
  var directory: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(parsing: .unconditional, help: "What all chance follows from.")
  var seed: UInt64 = 42

  @Option(help: "The type of the weights: F32, BF16, F16.")
  var type: WeightType = .f32

  @Flag(help: "Replace the file if it is there.")
  var force = false

  /// The values of `--type`.
  enum WeightType: String, ExpressibleByArgument, CaseIterable {
    case f32 = "F32"
    case bf16 = "BF16"
    case f16 = "F16"

    init?(argument: String) { self.init(rawValue: argument.uppercased()) }
  }

  func run() async throws {
    var options = ModelConverter.Options(preset: try QuantizationPreset(named: type.rawValue))
    options.overwriting = force ? .allowed : .refused
    let converter = ModelConverter(options)
    let summary = try await Interrupts.cancelling {
      try converter.initialize(directory, seed: seed, to: output)
    }
    try OutputFile.standard.write(
      "\(output): \(summary.weights) weights, random (seed \(seed)), \(ByteText(summary.convertedByteCount)).\n"
        + "Train it: facet tune \(output) --method full --data FILE\n")
  }
}
