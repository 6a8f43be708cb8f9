// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// A checkpoint of llama2.c: seven int32 of sizes, then every weight in f32.
///
/// There is no magic number. The sizes must account for every byte of the file; that is how it is
/// recognised. Rotary pairs are interleaved, as in the training code.
struct Llama2CFile {
  let width: Int
  let feedForwardWidth: Int
  let layers: Int
  let queryHeads: Int
  let keyValueHeads: Int
  let vocabulary: Int
  let contextLength: Int
  /// True when the head is the embedding; files say so by a positive vocabulary.
  let tiedEmbeddings: Bool

  private static let headerByteCount = 28

  /// Reads the header of `storage`; nil when the file is not of this kind.
  init?(_ storage: TensorStorage) {
    var cursor = ByteCursor(storage.bytes, path: "")
    var sizes: [Int] = []
    for _ in 0..<7 {
      guard let size = try? cursor.integer(Int32.self, "A size") else { return nil }
      sizes.append(Int(size))
    }
    tiedEmbeddings = sizes[5] > 0
    sizes[5] = abs(sizes[5])
    // No size can exceed the number of floats in the file, so products of two fit an Int.
    let limit = storage.byteCount / 4
    guard sizes.allSatisfy({ $0 > 0 && $0 <= limit }) else { return nil }
    (width, feedForwardWidth, layers) = (sizes[0], sizes[1], sizes[2])
    (queryHeads, keyValueHeads) = (sizes[3], sizes[4])
    (vocabulary, contextLength) = (sizes[5], sizes[6])
    guard width.isMultiple(of: queryHeads), queryHeads.isMultiple(of: keyValueHeads),
      (width / queryHeads).isMultiple(of: 2), expectedByteCount == storage.byteCount
    else { return nil }
  }

  private var headWidth: Int { width / queryHeads }

  /// A run of equal tensors in the file; nil as role for what is passed over.
  private struct Block {
    let role: TensorRole?
    let count: Int
    let rows: Int
    let columns: Int
  }

  /// The file's order; the two tables of rotary frequencies are passed over.
  private var blocks: [Block] {
    let keyWidth = keyValueHeads * headWidth
    let pairs = headWidth / 2
    var blocks = [
      Block(role: .embedding, count: 1, rows: vocabulary, columns: width),
      Block(role: .attentionNorm, count: layers, rows: 1, columns: width),
      Block(role: .query, count: layers, rows: width, columns: width),
      Block(role: .key, count: layers, rows: keyWidth, columns: width),
      Block(role: .value, count: layers, rows: keyWidth, columns: width),
      Block(role: .attentionOutput, count: layers, rows: width, columns: width),
      Block(role: .feedForwardNorm, count: layers, rows: 1, columns: width),
      Block(role: .gate, count: layers, rows: feedForwardWidth, columns: width),
      Block(role: .down, count: layers, rows: width, columns: feedForwardWidth),
      Block(role: .up, count: layers, rows: feedForwardWidth, columns: width),
      Block(role: .finalNorm, count: 1, rows: 1, columns: width),
      Block(role: nil, count: 2, rows: contextLength, columns: pairs),
    ]
    if !tiedEmbeddings {
      blocks.append(Block(role: .head, count: 1, rows: vocabulary, columns: width))
    }
    return blocks
  }

  /// Bytes that a file of these sizes has, nil when they fit no file.
  private var expectedByteCount: Int? {
    var total = Llama2CFile.headerByteCount
    for block in blocks {
      var bytes = 4
      for factor in [block.count, block.rows, block.columns] {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        bytes = product
      }
      let (sum, overflow) = total.addingReportingOverflow(bytes)
      guard !overflow else { return nil }
      total = sum
    }
    return total
  }

  /// The checkpoint in `storage`, the file at `path`.
  func open(_ storage: TensorStorage, path: String) throws(CheckpointError) -> Checkpoint {
    var tensors: [TensorName: Tensor] = [:]
    var offset = Llama2CFile.headerByteCount
    for block in blocks {
      for index in 0..<block.count {
        if let role = block.role {
          let name = TensorName(role, layer: role.isGlobal ? nil : index)
          let shape = role.isNorm ? [block.columns] : [block.rows, block.columns]
          tensors[name] = try Weights.view(
            StoredTensor(
              name: name.description, path: path, storage: storage, offset: offset, dtype: .f32,
              shape: shape), role: role, addingOne: false)
        }
        offset += 4 * block.rows * block.columns
      }
    }
    return Checkpoint(
      path: path, format: .llama2c, byteCount: storage.byteCount,
      architecture: description(named: path), tensors: tensors, tokenizer: try tokenizer(path),
      chatTemplate: nil, generationDefaults: GenerationDefaults(),
      metadata: metadata.map { MetadataEntry(key: $0.key, value: "\($0.value)") })
  }

  private func description(named path: String) -> ArchitectureDescription {
    var result = ArchitectureDescription(
      architecture: "llama", layers: layers, width: width, feedForwardWidth: feedForwardWidth,
      queryHeads: queryHeads, keyValueHeads: keyValueHeads, rotaryLayout: .interleaved)
    let name = FileSystem.split(path).name
    result.name = name.hasSuffix(".bin") ? String(name.dropLast(4)) : name
    result.headWidth = headWidth
    result.vocabulary = vocabulary
    result.contextLength = contextLength
    result.tiedEmbeddings = tiedEmbeddings
    // Constants of the format's training and inference code.
    result.normEpsilon = 1e-5
    result.ropeBase = 10_000
    return result
  }

  private var metadata: KeyValuePairs<String, Int> {
    [
      "dim": width, "hidden_dim": feedForwardWidth, "n_layers": layers, "n_heads": queryHeads,
      "n_kv_heads": keyValueHeads, "vocab_size": tiedEmbeddings ? vocabulary : -vocabulary,
      "seq_len": contextLength,
    ]
  }

  /// The tokenizer beside the checkpoint: `tok512.bin` for 512 pieces, else `tokenizer.bin`.
  private func tokenizer(_ path: String) throws(CheckpointError) -> TokenizerSource {
    let directory = FileSystem.split(path).directory
    let names = ["tok\(vocabulary).bin", "tokenizer.bin"]
    for name in names {
      let candidate = FileSystem.join(directory, name)
      if FileSystem.exists(candidate) {
        return .llama2c(TokenizerFile(path: candidate), vocabularySize: vocabulary)
      }
    }
    throw CheckpointError(
      .notFound,
      "'\(path)' needs its tokenizer beside it, as \(names.joined(separator: " or ")).")
  }
}
