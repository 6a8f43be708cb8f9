// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct MergeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Make one model of a model and an adapter.",
    discussion: """
      An ADAPTER is a directory of PEFT or mlx-lm, or a GGUF adapter; a number after a colon \
      says how strongly it is added (tuned:0.5). Sums are f32 and rounded once.

      Where OUT ends in .gguf it is a GGUF file of the type that --type names, BF16 unless said \
      otherwise. Else it is a Hugging Face directory in the types of the model, which must be one, \
      too. It appears when it is complete.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Argument(help: "The adapter, with :strength where that is not 1.", completion: .file())
  var adapter: String

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The file or directory to write.", valueName: "out"), completion: .file())
  var output: String

  @Option(
    name: .customLong("type"),
    help: ArgumentHelp(
      "The type of a GGUF file: one of facet quantize (default: BF16).", valueName: "type"),
    completion: .list(QuantizationPreset.allCases.map(\.rawValue)))
  var type: String?

  @Option(
    parsing: .unconditional,
    help: "Threads that share the work (default: FACET_THREADS, else one per core).")
  var threads: Int?

  @Flag(help: "Replace a GGUF file if it is there.")
  var force = false

  private var isGGUF: Bool { output.lowercased().hasSuffix(".gguf") }

  func validate() throws {
    _ = try preset()
    _ = try EngineOptions.threads(threads)
    if type != nil, !isGGUF {
      throw ValidationError(
        "--type is for GGUF files; '\(output)' will be a directory in the types of the model.")
    }
  }

  private func preset() throws -> QuantizationPreset {
    do throws(CheckpointError) {
      return try QuantizationPreset(named: type ?? "BF16")
    } catch {
      throw ValidationError(error.message)
    }
  }

  func run() async throws {
    let source = try ModelStore().locate(model)
    let checkpoint = try Checkpoint.open(source)
    let file = try AdapterArgument(adapter).file()
    let adapter = try file.adapter(for: ModelConfiguration(checkpoint.architecture))
    let template = file.checkpoint.chatTemplate
    let start = ContinuousClock.now
    let output = output
    let said: String
    if isGGUF {
      var options = ModelConverter.Options(preset: try preset())
      options.threads = try EngineOptions.threads(threads)
      options.overwriting = force ? .allowed : .refused
      let converter = ModelConverter(options)
      let summary = try await Interrupts.cancelling {
        try Self.convert(converter, source, adapter, template, to: output)
      }
      said = "\(summary.preset), \(ByteText(summary.convertedByteCount))"
    } else {
      try await Interrupts.cancelling {
        _ = try checkpoint.replacing([:], chatTemplate: template)
          .merge(adapter.scaledModules, toDirectory: output)
      }
      said = "a Hugging Face directory"
    }
    let seconds = String(format: "%.1f", (ContinuousClock.now - start) / .seconds(1))
    try OutputFile.standard.write(
      "\(output): \(said), \(adapter.modules.count) matrices changed, \(seconds) s\n")
  }

  private static func convert(
    _ converter: ModelConverter, _ source: String, _ adapter: Adapter, _ template: String?,
    to output: String
  ) throws -> ConversionSummary {
    var line = ProgressLine()
    var count = 0
    return try converter.merge(source, adapter, chatTemplate: template, to: output) { event in
      try Task.checkCancellation()
      switch event {
      case .started(let tensors, _, _): count = tensors
      case .tensor(let tensor):
        line.show(
          "tensor \(tensor.index + 1) of \(count)  \(tensor.name)", tensor.index, of: count)
      case .finished: line.show("\(count) tensors", count, of: count)
      }
    }
  }
}

/// `DIR` or `DIR:strength`.
struct AdapterArgument {
  let path: String
  let strength: Float

  /// Reads `text`; what exists under the whole of it is a path.
  init(_ text: String) throws {
    guard !FileManager.default.fileExists(atPath: text), let colon = text.lastIndex(of: ":") else {
      (path, strength) = (text, 1)
      return
    }
    let number = text[text.index(after: colon)...]
    guard let strength = Float(number), strength.isFinite else {
      throw Failure(
        "'\(text)' is no adapter; the strength after the colon, '\(number)', must be a number.")
    }
    (path, self.strength) = (String(text[..<colon]), strength)
  }

  /// What the files say.
  func file() throws -> AdapterFile {
    AdapterFile(checkpoint: try AdapterCheckpoint.open(path: path), strength: strength)
  }
}

/// An adapter that was read, and how strong it shall be.
struct AdapterFile {
  let checkpoint: AdapterCheckpoint
  let strength: Float

  /// The adapter, fitted to a model of `configuration`.
  func adapter(for configuration: ModelConfiguration) throws -> Adapter {
    var adapter = try Adapter(checkpoint, for: configuration)
    adapter.strength = strength
    return adapter
  }
}
