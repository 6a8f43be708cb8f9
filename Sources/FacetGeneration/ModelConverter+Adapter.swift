// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
public import FacetModel

extension ModelConverter {
  /// Writes the model at `source` with `adapter` added to its matrices to the GGUF file `path`, in the
  /// types of the preset.
  ///
  /// Sums are f32, of the base as its file has it, and rounded once. `chatTemplate` is that of the chat format
  /// that the adapter taught; nil: the model's own stays.
  public func merge(
    _ source: String, _ adapter: Adapter, chatTemplate: String? = nil, to path: String,
    progress: (ConversionEvent) throws -> Void = { _ in }
  ) throws -> ConversionSummary {
    let checkpoint = try Checkpoint.open(source)
    var options = options
    options.adapter = adapter.scaledModules
    options.requantization = .allowed
    let tokenizer = checkpoint.format == .gguf ? nil : try TokenizerEntries(checkpoint)
    return try ModelConverter(options).convert(
      checkpoint.replacing([:], chatTemplate: chatTemplate), tokenizer: tokenizer, to: path,
      progress: progress)
  }
}

extension Adapter {
  /// The modules with the strength in their scales.
  public var scaledModules: [TensorName: AdapterMatrices] {
    modules.mapValues { matrices in
      var result = matrices
      result.scale *= strength
      return result
    }
  }
}
