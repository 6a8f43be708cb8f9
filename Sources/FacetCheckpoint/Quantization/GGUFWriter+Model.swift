// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

// The metadata of a converted model.
extension GGUFWriter {
  /// The layout of blocks that every current reader expects.
  private static let quantizationVersion: UInt32 = 2

  /// States what `checkpoint` is: a GGUF file's own words, or those that its description amounts to.
  mutating func describe(
    _ checkpoint: Checkpoint, tokenizer: TokenizerEntries?, options: ModelConverter.Options
  ) throws(CheckpointError) {
    if checkpoint.format == .gguf {
      try copyMetadata(checkpoint.path, without: tokenizer == nil ? [] : ["tokenizer.ggml."])
    } else {
      try set(checkpoint.architecture, path: checkpoint.path)
    }
    if let template = checkpoint.chatTemplate {
      set("tokenizer.chat_template", .string(template))
    }
    if let tokenizer {
      let rows = checkpoint.tensors[TensorName(.embedding)]?.rows ?? tokenizer.pieces.count
      set(tokenizer.resized(to: rows))
    } else if checkpoint.format != .gguf {
      throw CheckpointError(
        .unsupported, "'\(checkpoint.path)' has no tokenizer in the form that GGUF files hold.")
    }
    set("general.quantization_version", .uint32(Self.quantizationVersion))
    set("general.file_type", .uint32(options.preset.fileType))
    if let importance = options.importance {
      set("quantize.imatrix.entries_count", .uint32(UInt32(clamping: importance.entries.count)))
      set("quantize.imatrix.chunks_count", .uint32(UInt32(clamping: importance.chunkCount)))
      if let dataset = importance.datasets.first {
        set("quantize.imatrix.dataset", .string(dataset))
      }
    }
  }

  /// Everything that the file says, but what is true only of its own bytes.
  private mutating func copyMetadata(
    _ path: String, without prefixes: [String]
  ) throws(CheckpointError) {
    let file = try GGUFFile(storage: TensorStorage.mapped(path), path: path)
    let left = prefixes + ["split.", "quantize.imatrix."]
    for (key, _) in file.metadata
    where key != "general.alignment" && !left.contains(where: key.hasPrefix) {
      if let bytes = file.copy(key) { set(key, .copied(bytes)) }
    }
  }

  private mutating func set(
    _ description: ArchitectureDescription, path: String
  ) throws(CheckpointError) {
    let name = description.ggufArchitecture
    set("general.architecture", .string(name))
    set("general.type", .string("model"))
    if let text = description.name { set("general.name", .string(text)) }
    for (key, value) in try description.ggufSizes(path: path) {
      set("\(name).\(key)", .uint32(UInt32(clamping: value)))
    }
    for (key, value) in description.ggufNumbers { set("\(name).\(key)", .float32(value)) }
    if let scale = description.ropeScale, scale != 1 {
      set("\(name).rope.scaling.type", .string("linear"))
      set("\(name).rope.scaling.factor", .float32(scale))
    }
    if let pattern = description.unusualPattern {
      set("\(name).attention.sliding_window_pattern", .bools(pattern))
    }
  }

  private mutating func set(_ tokenizer: TokenizerEntries) {
    func key(_ name: String) -> String { "tokenizer.ggml.\(name)" }
    set(key("model"), .string(tokenizer.model))
    set(key("pre"), .string(tokenizer.pre ?? "default"))
    set(key("tokens"), .strings(tokenizer.pieces))
    if !tokenizer.scores.isEmpty { set(key("scores"), .float32s(tokenizer.scores)) }
    set(key("token_type"), .int32s(tokenizer.kinds.map { Int32($0) }))
    if !tokenizer.merges.isEmpty { set(key("merges"), .strings(tokenizer.merges)) }
    let ids = [
      ("bos", tokenizer.bos), ("eos", tokenizer.eos), ("eot", tokenizer.endOfTurn),
      ("unknown", tokenizer.unknown), ("padding", tokenizer.padding),
    ]
    for (name, id) in ids {
      if let id = id.flatMap({ UInt32(exactly: $0) }) { set(key(name + "_token_id"), .uint32(id)) }
    }
    let flags = [
      ("add_bos_token", tokenizer.addsBOS), ("add_eos_token", tokenizer.addsEOS),
      ("add_space_prefix", tokenizer.addsSpacePrefix),
    ]
    for (name, flag) in flags {
      if let flag { set(key(name), .bool(flag)) }
    }
  }
}

extension ArchitectureDescription {
  /// What GGUF calls the architecture: Mistral's models are Llamas there.
  var ggufArchitecture: String { architecture == "mistral" ? "llama" : architecture }

  private var isGemma: Bool { architecture.hasPrefix("gemma") }

  /// The width of a head: 256 in Gemma unless the file says otherwise, else D/H.
  private var statedHeadWidth: Int {
    headWidth ?? (isGemma ? 256 : width / max(1, queryHeads))
  }

  /// The whole numbers that describe the model.
  fileprivate func ggufSizes(path: String) throws(CheckpointError) -> [(String, Int)] {
    try checkAttentionScale(path: path)
    var sizes = [
      ("context_length", contextLength ?? (architecture == "gemma3" ? 32768 : 8192)),
      ("embedding_length", width), ("block_count", layers),
      ("feed_forward_length", feedForwardWidth), ("attention.head_count", queryHeads),
      ("attention.head_count_kv", keyValueHeads),
      ("attention.key_length", statedHeadWidth), ("attention.value_length", statedHeadWidth),
    ]
    if !isGemma {
      sizes.append(("rope.dimension_count", statedHeadWidth))
      if let vocabulary { sizes.append(("vocab_size", vocabulary)) }
    }
    let familyWindow = ["gemma2": 4096, "gemma3": 512][architecture]
    if architecture != "gemma", let window = slidingWindow ?? familyWindow {
      sizes.append(("attention.sliding_window", window))
    }
    return sizes
  }

  /// The other numbers.
  fileprivate var ggufNumbers: [(String, Float)] {
    let isGemma2 = architecture == "gemma2"
    let numbers: [(String, Float?)] = [
      ("attention.layer_norm_rms_epsilon", normEpsilon ?? (isGemma ? 1e-6 : 1e-5)),
      ("rope.freq_base", ropeBase ?? (architecture == "gemma3" ? 1_000_000 : 10_000)),
      ("rope.freq_base_swa", localRopeBase),
      ("attn_logit_softcapping", attentionSoftCap ?? (isGemma2 ? 50 : nil)),
      ("final_logit_softcapping", finalSoftCap ?? (isGemma2 ? 30 : nil)),
    ]
    return numbers.compactMap { key, value in value.map { (key, $0) } }
  }

  /// Which layers have the window, where that is not the family's rule.
  fileprivate var unusualPattern: [Bool]? {
    guard let period = ["gemma2": 2, "gemma3": 6][architecture] else { return nil }
    let rule = (0..<layers).map { ($0 + 1) % period != 0 }
    let stated =
      slidingWindowPattern
      ?? slidingWindowPeriod.map { stated in
        (0..<layers).map { stated > 0 && ($0 + 1) % stated != 0 }
      }
    return stated == rule ? nil : stated
  }

  /// GGUF has no word for the attention scale: readers take the head width, but for the 27B models.
  private func checkAttentionScale(path: String) throws(CheckpointError) {
    guard let scalar = queryPreAttentionScalar, scalar != Float(statedHeadWidth) else { return }
    let is27B = [("gemma2", 46), ("gemma3", 62)].contains { $0 == (architecture, layers) }
    guard is27B, scalar == Float(width / max(1, queryHeads)) else {
      throw CheckpointError(
        .unsupported,
        "'\(path)' scales attention by 1/√\(scalar) with heads of \(statedHeadWidth), which a GGUF "
          + "file cannot say.")
    }
  }
}
