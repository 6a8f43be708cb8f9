// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTestSupport
import Foundation

/// A model of two layers with random weights, written as a GGUF file.
///
/// Its vocabulary is every printable character of ASCII, the newline and two others, with byte tokens
/// for the rest. It never draws a byte or a control token unless a bias makes it, so that its answers
/// are plain text and go on until something else ends them.
struct TinyModel {
  static let width = 32
  static let feedForward = 64
  static let layers = 2
  static let context = 65536
  /// Bytes of all tensors.
  static var weightByteCount: Int {
    let attention = 4 * width * width
    let mlp = 3 * width * feedForward
    return 4 * (2 * pieces.count * width + width + layers * (2 * width + attention + mlp))
  }

  static let endOfTurn = 4
  private static let controls = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
  private static let characters =
    (0x21...0x7e).map { String(Unicode.Scalar(UInt8($0))) } + ["▁", "\n", "é", "日"]
  static let pieces =
    controls + (0..<256).map { String(format: "<0x%02X>", $0) } + characters
  /// The token of a character that has one.
  static func token(_ character: String) -> Int { pieces.lastIndex(of: character) ?? 0 }

  /// A base model and one that takes turns, written once for all tests.
  static let base = write("tiny", instructed: false)
  static let instructed = write("tiny-instruct", instructed: true)
  /// The base model with a context that no machine holds.
  static let vast = write("vast", instructed: false, context: vastContext)
  static let vastContext = 2_000_000_000

  /// A folder of this run of the tests.
  static let folder = (try? Scratch.folder("cli")) ?? Scratch.path("cli")

  private static func write(
    _ name: String, instructed: Bool, context: Int = TinyModel.context
  ) -> String {
    let path = folder + "/\(name).gguf"
    do {
      var writer = GGUFWriter()
      describe(&writer, instructed, context)
      try addWeights(&writer)
      try writer.write(to: path)
    } catch {
      // Every test that opens the file then says that it is not there.
      FileHandle.standardError.write(Data("\(error)\n".utf8))
    }
    return path
  }

  private static func describe(_ writer: inout GGUFWriter, _ instructed: Bool, _ context: Int) {
    writer.set("general.architecture", .string("llama"))
    writer.set("general.name", .string(instructed ? "Tiny Instruct" : "Tiny"))
    writer.set("llama.context_length", .uint32(UInt32(context)))
    writer.set("llama.embedding_length", .uint32(UInt32(width)))
    writer.set("llama.block_count", .uint32(UInt32(layers)))
    writer.set("llama.feed_forward_length", .uint32(UInt32(feedForward)))
    writer.set("llama.attention.head_count", .uint32(2))
    writer.set("llama.attention.head_count_kv", .uint32(2))
    writer.set("llama.attention.layer_norm_rms_epsilon", .float32(1e-5))
    writer.set("tokenizer.ggml.model", .string("llama"))
    writer.set("tokenizer.ggml.tokens", .strings(pieces))
    writer.set("tokenizer.ggml.scores", .float32s(pieces.map { _ in 0 }))
    let kinds = [2, 3, 3, 3, 3] + [Int32](repeating: 6, count: 256)
    let rest = [Int32](repeating: 1, count: pieces.count - kinds.count)
    writer.set("tokenizer.ggml.token_type", .int32s(kinds + rest))
    writer.set("tokenizer.ggml.bos_token_id", .uint32(1))
    writer.set("tokenizer.ggml.eos_token_id", .uint32(2))
    writer.set("tokenizer.ggml.add_space_prefix", .bool(false))
    if instructed {
      writer.set("tokenizer.ggml.eot_token_id", .uint32(UInt32(endOfTurn)))
      writer.set("tokenizer.chat_template", .string("{{ '<|im_start|>' }} of a test"))
    }
  }

  private static func addWeights(_ writer: inout GGUFWriter) throws {
    var generator = RandomGenerator(seed: 11)
    func add(
      _ name: String, _ shape: [Int], scale: Float,
      _ change: (Int, inout Float) -> Void = { _, _ in }
    ) throws {
      var bytes: [UInt8] = []
      for index in 0..<shape.reduce(1, *) {
        var value = Float.random(in: -scale...scale, using: &generator)
        change(index, &value)
        let bits = value.bitPattern
        for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * byte))) }
      }
      try writer.add(name, .f32, shape: shape, .bytes(bytes))
    }
    let plain = pieces.count - characters.count
    // The first number of every embedding is large, so it is large after the last norm, too; the
    // output row of a token that is not to be drawn turns it into a very small logit.
    try add("token_embd.weight", [pieces.count, width], scale: 1) { index, value in
      if index % width == 0 { value = 4 }
    }
    try add("output.weight", [pieces.count, width], scale: 1) { index, value in
      let isFirst = index % width == 0
      if index / width < plain { value = isFirst ? -20 : 0 } else if isFirst { value = 0 }
    }
    try add("output_norm.weight", [width], scale: 0) { _, value in value = 1 }
    for layer in 0..<layers {
      let prefix = "blk.\(layer)."
      for name in ["attn_norm", "ffn_norm"] {
        try add(prefix + name + ".weight", [width], scale: 0) { _, value in value = 1 }
      }
      for name in ["attn_q", "attn_k", "attn_v", "attn_output"] {
        try add(prefix + name + ".weight", [width, width], scale: 0.3)
      }
      try add(prefix + "ffn_gate.weight", [feedForward, width], scale: 0.3)
      try add(prefix + "ffn_up.weight", [feedForward, width], scale: 0.3)
      try add(prefix + "ffn_down.weight", [width, feedForward], scale: 0.1)
    }
  }
}
