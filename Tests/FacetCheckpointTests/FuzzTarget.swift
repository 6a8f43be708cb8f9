// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import Foundation

/// A sound file of one format, where it stands, and how to open what it belongs to.
struct FuzzTarget {
  let name: String
  let bytes: [UInt8]
  /// Bytes that are a header; the rest is numbers, in which every bit pattern is sound.
  let headerByteCount: Int
  private let scratch: Scratch
  private let file: String
  private let model: String

  private init(
    _ name: String, _ bytes: [UInt8], header: Int? = nil, _ scratch: Scratch, file: String,
    model: String
  ) {
    self.name = name
    self.bytes = bytes
    headerByteCount = header ?? bytes.count
    self.scratch = scratch
    self.file = scratch.file(file)
    self.model = model.isEmpty ? scratch.path : scratch.file(model)
  }

  /// Every parser of the module, each with a folder of its own.
  static func all() throws -> [FuzzTarget] {
    try [gguf(), piece(), safetensors(), llama2c()]
      + ["config.json", "model.safetensors.index.json", "tokenizer_config.json"].map(json)
      + [json("generation_config.json")]
  }

  private static func gguf() throws -> FuzzTarget {
    var file = RawGGUF()
    file.set(
      "k.nested",
      RawGGUF.array(
        9, 2,
        little(UInt32(8)) + little(UInt64(1)) + RawGGUF.text("é")
          + little(UInt32(4)) + little(UInt64(1)) + little(UInt32(7))))
    file.set("llama.rope.freq_base", RawGGUF.float32(10_000))
    file.set("tokenizer.ggml.scores", RawGGUF.array(6, 2, [UInt8](repeating: 0, count: 8)))
    file.set("tokenizer.ggml.token_type", RawGGUF.array(5, 2, [1, 0, 0, 0, 3, 0, 0, 0]))
    file.set("tokenizer.ggml.merges", RawGGUF.strings(["a b"]))
    file.set("llama.attention.sliding_window_pattern", RawGGUF.array(7, 1, [1]))
    file.set("general.alignment", RawGGUF.uint32(32))
    file.tensors.append(.init("blk.0.ffn_up.weight", [32, 2], type: 2, offset: 32))
    file.data += [UInt8](repeating: 1, count: 36)
    return FuzzTarget(
      "GGUF", file.bytes, header: file.header.count, try Scratch(), file: "m.gguf", model: "m.gguf")
  }

  private static func piece() throws -> FuzzTarget {
    let scratch = try Scratch()
    var file = RawGGUF()
    file.set("split.count", RawGGUF.uint32(2))
    file.set("split.no", RawGGUF.uint32(0))
    file.set("split.tensors.count", RawGGUF.int32(2))
    try scratch.write("m-00001-of-00002.gguf", file.bytes)
    file.metadata = []
    file.set("split.count", RawGGUF.uint32(2))
    file.set("split.no", RawGGUF.uint32(1))
    file.tensors[0].name = Array("blk.0.ffn_norm.weight".utf8)
    return FuzzTarget(
      "a piece of a split GGUF", file.bytes, header: file.header.count, scratch,
      file: "m-00002-of-00002.gguf", model: "m-00001-of-00002.gguf")
  }

  private static func safetensors() throws -> FuzzTarget {
    let directory = try RawDirectory(RawDirectory.config("gemma2"))
    let header =
      #"{"__metadata__":{"format":"pt"},"model.norm.weight":{"dtype":"BF16","shape":[4],"#
      + #""data_offsets":[0,8]},"model.embed_tokens.weight":{"dtype":"F32","shape":[2,4],"#
      + #""data_offsets":[8,40]}}  "#
    let bytes =
      little(UInt64(header.utf8.count)) + Array(header.utf8) + [UInt8](repeating: 1, count: 40)
    return FuzzTarget(
      "safetensors", bytes, header: bytes.count - 40, directory.scratch, file: "model.safetensors",
      model: "")
  }

  private static func llama2c() throws -> FuzzTarget {
    let scratch = try Scratch()
    try scratch.write("tokenizer.bin", [1])
    return FuzzTarget(
      "llama2.c", RawLlama2C().bytes, header: 28, scratch, file: "m.bin", model: "m.bin")
  }

  private static let texts = [
    "config.json": RawDirectory.config(
      "gemma3",
      #""text_config":{"num_hidden_layers":2,"hidden_size":8,"intermediate_size":12,"#
        + #""layer_types":["sliding_attention","full_attention"],"rope_scaling":{"factor":8.0,"#
        + #""rope_type":"linear"},"rope_theta":1e6,"final_logit_softcapping":null},"#
        + #""eos_token_id":[1,106],"torch_dtype":"bfloat16\u00e9""#),
    "model.safetensors.index.json":
      #"{"metadata":{"total_size":4},"weight_map":{"model.norm.weight":"a-1.safetensors"}}"#,
    "tokenizer_config.json":
      #"{"add_bos_token":true,"chat_template":[{"name":"default","template":"{{ x }}\n"}]}"#,
    "generation_config.json":
      #"{"eos_token_id":[1,106],"temperature":0.7,"top_k":64,"top_p":9.5e-1}"#,
  ]

  private static func json(_ name: String) throws -> FuzzTarget {
    let isIndex = name == "model.safetensors.index.json"
    let directory = try RawDirectory(RawDirectory.config(), weights: !isIndex)
    let header = #"{"model.norm.weight":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#
    if isIndex { try directory.write("a-1.safetensors", header: header, data: [0, 0, 0, 0]) }
    return FuzzTarget(
      name, Array((texts[name] ?? "").utf8), directory.scratch, file: name, model: "")
  }

  /// Opens the model with `bytes` in place of the sound file, and reads everything in it.
  ///
  /// Returns what is wrong with how that went; nil when it was read, or refused in good order.
  func complaint(_ bytes: [UInt8]) throws -> String? {
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    let start = ContinuousClock.now
    var complaint: String?
    do {
      try FuzzTarget.readAll(Checkpoint.open(model))
    } catch let error as CheckpointError {
      if !error.message.contains(scratch.path) { complaint = "names no file: \(error)" }
      if !error.message.hasSuffix(".") { complaint = "is no sentence: \(error)" }
    }
    // Far above what the slowest machine needs for a few kilobytes.
    if ContinuousClock.now - start > .seconds(60) { complaint = "took too long" }
    return complaint
  }

  /// The model with `bytes` in place of the sound file; nil when it is refused.
  func opens(_ bytes: [UInt8]) throws -> Checkpoint? {
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return try? Checkpoint.open(model)
  }

  private static func readAll(_ checkpoint: Checkpoint) throws {
    var sum = checkpoint.metadata.reduce(0) { $0 &+ $1.value.utf8.count }
    for tensor in checkpoint.tensors.values {
      sum &+= tensor.copy.reduce(0) { $0 &+ Int($1) }
      if tensor.dtype == .f32 { sum &+= tensor.floats().count }
    }
    if case .gguf(let tokenizer) = checkpoint.tokenizer {
      sum &+= try tokenizer.vocabulary().pieces.count
    }
    withExtendedLifetime(sum) {}
  }
}
