// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct QuantizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Write a model in smaller numbers.",
    discussion: """
      The output is a GGUF file with everything that the model needs. It appears when it is \
      complete; an interrupted call leaves nothing behind. A model that is quantised already is \
      refused, since rounding twice loses more than once: start from BF16, F16 or F32.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(
    name: .customLong("type"),
    help: ArgumentHelp(
      "The type: \(QuantizationPreset.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "type"),
    completion: .list(QuantizationPreset.allCases.map(\.rawValue)))
  var type: String

  @Option(help: "What facet importance wrote: errors count where they are felt.")
  var importance: String?

  @Option(
    parsing: .unconditional,
    help: "Threads that share the work (default: FACET_THREADS, else one per core).")
  var threads: Int?

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @Flag(help: "Take a model that is quantised already.")
  var requantize = false

  func validate() throws {
    _ = try preset()
    _ = try EngineOptions.threads(threads)
  }

  private func preset() throws -> QuantizationPreset {
    do throws(CheckpointError) {
      return try QuantizationPreset(named: type)
    } catch {
      throw ValidationError(error.message)
    }
  }

  func run() async throws {
    var options = ModelConverter.Options(preset: try preset())
    options.threads = try EngineOptions.threads(threads)
    options.overwriting = force ? .allowed : .refused
    options.requantization = requantize ? .allowed : .refused
    options.importance = try importance.map(ImportanceMatrix.read)
    let source = try ModelStore().locate(model)
    let (converter, output) = (ModelConverter(options), output)
    let start = ContinuousClock.now
    let (shares, summary) = try await Interrupts.cancelling {
      try Self.convert(converter, source, to: output)
    }
    try OutputFile.standard.write(
      Self.table(shares, summary, seconds: (ContinuousClock.now - start) / .seconds(1)))
  }

  /// What became of the tensors that got one type.
  private struct Share {
    var tensors = 0
    var weights = 0
    var byteCount = 0
    var important = 0

    mutating func add(_ tensor: ConvertedTensor) {
      tensors += 1
      weights += tensor.rows * tensor.columns
      byteCount += tensor.byteCount
      if tensor.usesImportance { important += 1 }
    }
  }

  private static func convert(
    _ converter: ModelConverter, _ source: String, to output: String
  ) throws -> ([String: Share], ConversionSummary) {
    var shares: [String: Share] = [:]
    var line = ProgressLine()
    var (tensors, total, written) = (0, 0, 0)
    let start = ContinuousClock.now
    let summary = try converter.convert(source, to: output) { event in
      try Task.checkCancellation()
      switch event {
      case .started(let count, _, let byteCount): (tensors, total) = (count, byteCount)
      case .tensor(let tensor):
        line.show(
          "tensor \(tensor.index + 1) of \(tensors)  \(ByteText(written)) of \(ByteText(total))  "
            + "\(ProgressLine.left(since: start, written, of: total))  \(tensor.name)",
          tensor.index, of: tensors)
        written += tensor.byteCount
        shares[tensor.to, default: Share()].add(tensor)
      case .finished:
        line.show("\(tensors) tensors, \(ByteText(total))", tensors, of: tensors)
      }
    }
    return (shares, summary)
  }

  private static func table(
    _ shares: [String: Share], _ summary: ConversionSummary, seconds: Double
  ) -> String {
    var table = TextTable(["TYPE", "TENSORS", "WEIGHTS", "SIZE", "BY IMPORTANCE"])
    table.rightAligned = [1, 2, 3, 4]
    for (name, share) in shares.sorted(by: { $0.value.byteCount > $1.value.byteCount }) {
      table.add([
        name, "\(share.tensors)", "\(share.weights)", "\(ByteText(share.byteCount))",
        share.important > 0 ? "\(share.important)" : "–",
      ])
    }
    let bits = String(format: "%.2f", summary.bitsPerWeight)
    return table.text
      + "\(summary.path): \(summary.preset), \(ByteText(summary.byteCount)) became "
      + "\(ByteText(summary.convertedByteCount)), \(bits) bits a weight, "
      + "\(String(format: "%.1f", seconds)) s\n"
  }
}
