// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

extension Checkpoint {
  /// Refuses an adapter that changes what the checkpoint does not hold.
  func check(adapter: [TensorName: AdapterMatrices]) throws(CheckpointError) {
    for (name, matrices) in adapter.sorted(by: { $0.key.description < $1.key.description }) {
      guard let tensor = tensors[name] else {
        throw CheckpointError(
          .missingTensor, "The adapter changes '\(name)', which '\(path)' does not hold.")
      }
      guard tensor.rows >= matrices.rows, tensor.columns == matrices.columns else {
        throw CheckpointError(
          .wrongShape,
          "The adapter changes '\(name)' as if it were \(matrices.rows) × \(matrices.columns); in "
            + "'\(path)' it is \(tensor.rows) × \(tensor.columns).")
      }
      guard tensor.rows == matrices.rows else {
        throw CheckpointError(
          .unsupported,
          "The adapter changes '\(name)', which has \(tensor.rows - matrices.rows) unused rows in "
            + "'\(path)'. Train it on the other matrices.")
      }
    }
  }

  /// Writes the directory of this model with `adapter` added to its matrices, as the directory `path`.
  ///
  /// Types, names and shards stay as they are, and so do parts that Facet does not run; sums are f32 and
  /// rounded once. Nothing is at `path` until all is complete.
  ///
  /// The template of the chat format is that of this checkpoint, wherever it came from.
  public func merge(
    _ adapter: [TensorName: AdapterMatrices], toDirectory path: String
  ) throws -> Int {
    try check(adapter: adapter)
    guard format == .safetensors else {
      throw CheckpointError(
        .unsupported,
        "'\(self.path)' is no Hugging Face directory, so that there is no configuration to write beside "
          + "the weights. Merge into a GGUF file (name it .gguf).")
    }
    guard !FileSystem.exists(path) else {
      throw CheckpointError(
        .unreadable, "'\(path)' is there already. Choose another name or remove it.")
    }
    guard let backend = CPUBackend() else {
      throw CheckpointError(.unsupported, "This CPU has none of the instruction sets of Facet.")
    }
    try FileSystem.checkSpace(
      for: path, needed: byteCount, available: FileSystem.availableByteCount(at: path))
    let merge = HuggingFaceMerge(
      source: HuggingFaceDirectory(path: self.path), architecture: architecture.architecture,
      adapter: adapter, backend: backend, chatTemplate: chatTemplate)
    return try merge.write(to: path)
  }
}

/// A Hugging Face directory on its way into another, with an adapter.
private struct HuggingFaceMerge {
  let source: HuggingFaceDirectory
  let architecture: String
  let adapter: [TensorName: AdapterMatrices]
  let backend: CPUBackend
  let chatTemplate: String?

  /// Everything that stands beside the weights.
  private static let companions = [
    "config.json", "generation_config.json", "tokenizer.model", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "chat_template.jinja", "chat_template.json", "preprocessor_config.json",
    "processor_config.json", HuggingFaceDirectory.index,
  ]

  /// Rows of weights that are held in f32 at once, in numbers.
  private static let slab = 4 << 20

  /// The number of matrices that were changed.
  func write(to path: String) throws -> Int {
    let temporary = path + ".tmp-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    var names: [String] = []
    var isDone = false
    defer { if !isDone { FileSystem.remove(temporary, holding: names) } }
    try FileSystem.createDirectory(temporary)
    var count = 0
    for file in try source.weightFiles() {
      try Task.checkCancellation()
      let name = FileSystem.split(file.path).name
      names.append(name)
      var writer = SafetensorsWriter()
      for entry in file.tensors {
        let (data, isChanged) = try data(entry, in: file)
        try writer.add(entry.name, file.stored(entry).dtype, shape: entry.shape, data)
        count += isChanged ? 1 : 0
      }
      try writer.write(to: FileSystem.join(temporary, name))
    }
    for name in Self.companions {
      let from = FileSystem.join(source.path, name)
      guard FileSystem.exists(from) else { continue }
      names.append(name)
      var writer = try FileWriter(FileSystem.join(temporary, name))
      try writer.write(try FileSystem.read(from))
      try writer.finish()
    }
    if let chatTemplate {
      let name = PEFTDirectory.templateName
      names.append(name)
      var writer = try FileWriter(FileSystem.join(temporary, name))
      try writer.write(Array(chatTemplate.utf8))
      try writer.finish()
    }
    try FileSystem.move(temporary, to: path)
    isDone = true
    return count
  }

  private func data(
    _ entry: SafetensorsFile.Entry, in file: SafetensorsFile
  ) throws(CheckpointError) -> (TensorData, isChanged: Bool) {
    let stored = try file.stored(entry)
    let isVector = entry.shape.count != 2
    let view = try CheckpointError.wrapping { () throws(TensorError) in
      try Tensor(
        storage: file.storage, byteOffset: entry.offset, dtype: stored.dtype,
        rows: isVector ? 1 : entry.shape[0],
        columns: isVector ? entry.shape.reduce(1, *) : entry.shape[1])
    }
    guard case .tensor(let name) = HuggingFaceNames(architecture: architecture).meaning(entry.name),
      let matrices = adapter[name]
    else { return (.tensor(view), false) }
    let rows = max(1, Self.slab / max(1, view.columns))
    let backend = backend
    let parts = TensorData.parts(
      byteCount: view.byteCount, count: (view.rows + rows - 1) / rows
    ) { (part) throws(CheckpointError) in
      let first = part * rows
      let count = min(rows, view.rows - first)
      let (sums, output) = try CheckpointError.wrapping { () throws(TensorError) in
        (
          try Tensor.zeros(rows: count, columns: view.columns),
          try Tensor.zeros(rows: count, columns: view.columns, dtype: view.dtype)
        )
      }
      var failed = backend.rewrite(view, from: first, into: sums)
      if failed == nil {
        matrices.merge(into: sums) { first + $0 }
        failed = backend.rewrite(sums, into: output)
      }
      if let failed {
        throw CheckpointError(
          .malformed,
          "Row \(first + failed) of tensor '\(entry.name)' of '\(file.path)' holds numbers that "
            + "\(view.dtype) cannot hold.")
      }
      return output
    }
    return (parts, true)
  }
}
