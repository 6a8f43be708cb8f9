// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetGeneration
import FacetTensor
import Foundation

/// A small Gemma 3 of random weights, wide enough for the K types, as a GGUF file in F32.
struct RandomModel {
  var width = 256
  var feedForward = 512
  var layers = 3
  var headWidth = 64
  var context = 128
  /// Scales the logits.
  var headScale = 1.0
  /// Overwrites numbers of the first layer's value matrix.
  var spoiled: [Int: Float] = [:]

  /// The names of the pieces: four special ones, all bytes, some letters.
  private var pieces: [String] {
    ["<pad>", "<eos>", "<bos>", "<unk>"]
      + (0..<256).map {
        "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">"
      }
      + "▁abcdefghijklmnopqrstuvwxyz".map { String($0) }
  }

  func write(to path: String, seed: UInt64 = 1) throws {
    var writer = GGUFWriter()
    writer.set("general.architecture", .string("gemma3"))
    writer.set("general.name", .string("Random"))
    writer.set("general.alignment", .uint32(32))
    writer.set("general.file_type", .uint32(0))
    let sizes = [
      ("context_length", context), ("embedding_length", width), ("block_count", layers),
      ("feed_forward_length", feedForward), ("attention.head_count", 4),
      ("attention.head_count_kv", 2), ("attention.key_length", headWidth),
      ("attention.value_length", headWidth), ("attention.sliding_window", 16),
    ]
    for (key, value) in sizes { writer.set("gemma3." + key, .uint32(UInt32(value))) }
    writer.set("gemma3.attention.layer_norm_rms_epsilon", .float32(1e-6))
    writer.set("tokenizer.ggml.model", .string("llama"))
    writer.set("tokenizer.ggml.tokens", .strings(pieces))
    writer.set("tokenizer.ggml.scores", .float32s(pieces.indices.map { -Float($0) }))
    let kinds = pieces.indices.map { Int32($0 < 3 ? 3 : $0 == 3 ? 2 : $0 < 260 ? 6 : 1) }
    writer.set("tokenizer.ggml.token_type", .int32s(kinds))
    for (key, id) in [("padding", 0), ("eos", 1), ("bos", 2), ("unknown", 3)] {
      writer.set("tokenizer.ggml.\(key)_token_id", .uint32(UInt32(id)))
    }
    writer.set("tokenizer.ggml.add_bos_token", .bool(true))
    writer.set("tokenizer.ggml.add_space_prefix", .bool(false))
    var random = RandomGenerator(seed: seed)
    func add(
      _ name: String, _ shape: [Int], factor: Double = 1, spoiled: [Int: Float] = [:]
    ) throws {
      // Sums of three uniform numbers are nearly Gaussian; norms are near one.
      let scale = shape.count == 1 ? 0 : 1.6 / Double(shape[1]).squareRoot()
      var values = (0..<shape.reduce(1, *)).map { _ -> Float in
        guard scale > 0 else {
          return Float(factor * (0.8 + 0.4 * random.uniform()))
        }
        let sum = random.uniform() + random.uniform() + random.uniform() - 1.5
        return Float(scale * 2 * sum)
      }
      for (index, value) in spoiled { values[index] = value }
      let tensor = try Tensor.floats(
        values, rows: shape.count == 1 ? 1 : shape[0], columns: shape[shape.count - 1])
      try writer.add(name + ".weight", .f32, shape: shape, .tensor(tensor))
    }
    try add("token_embd", [pieces.count, width])
    for layer in 0..<layers {
      let block = "blk.\(layer)."
      for norm in ["attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"] {
        try add(block + norm, [width])
      }
      for norm in ["attn_q_norm", "attn_k_norm"] { try add(block + norm, [headWidth]) }
      try add(block + "attn_q", [4 * headWidth, width])
      try add(block + "attn_k", [2 * headWidth, width])
      try add(block + "attn_v", [2 * headWidth, width], spoiled: layer == 0 ? spoiled : [:])
      try add(block + "attn_output", [width, 4 * headWidth])
      for matrix in ["ffn_gate", "ffn_up"] { try add(block + matrix, [feedForward, width]) }
      try add(block + "ffn_down", [width, feedForward])
    }
    try add("output_norm", [width], factor: headScale)
    try writer.write(to: path)
  }
}

/// A folder that goes with the closure.
func withFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "facet-convert-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path + "/")
}
