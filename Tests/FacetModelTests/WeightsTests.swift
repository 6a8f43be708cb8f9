// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import Foundation
import Testing

/// A GGUF file of a Llama of one layer, which tests damage.
struct SmallFile {
  /// Sizes of the tensors, outermost first.
  var shapes: [String: [Int]] = [
    "token_embd.weight": [10, 8], "output.weight": [10, 8], "output_norm.weight": [8],
    "blk.0.attn_norm.weight": [8], "blk.0.attn_q.weight": [8, 8], "blk.0.attn_k.weight": [4, 8],
    "blk.0.attn_v.weight": [4, 8], "blk.0.attn_output.weight": [8, 8],
    "blk.0.ffn_norm.weight": [8], "blk.0.ffn_gate.weight": [12, 8],
    "blk.0.ffn_up.weight": [12, 8], "blk.0.ffn_down.weight": [8, 12],
  ]

  /// Writes the file, and gives its checkpoint and path to `body`.
  func open<R>(_ body: (Checkpoint, String) throws -> R) throws -> R {
    var writer = GGUFWriter()
    writer.set("general.architecture", .string("llama"))
    for (key, value) in [
      ("block_count", 1), ("embedding_length", 8), ("feed_forward_length", 12),
      ("attention.head_count", 2), ("attention.head_count_kv", 1), ("context_length", 32),
    ] as [(String, UInt32)] {
      writer.set("llama.\(key)", .uint32(value))
    }
    writer.set("tokenizer.ggml.model", .string("llama"))
    writer.set("tokenizer.ggml.tokens", .strings((0..<10).map { "t\($0)" }))
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      let bytes = [UInt8](repeating: 0, count: 4 * shape.reduce(1, *))
      try writer.add(name, .f32, shape: shape, .bytes(bytes))
    }
    let path = NSTemporaryDirectory() + "facet-weights-\(UUID().uuidString).gguf"
    try writer.write(to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(Checkpoint.open(path), path)
  }

  /// What picking the weights says, with the file's path as PATH.
  func message() throws -> String {
    try open { checkpoint, path in
      do {
        _ = try ModelWeights(
          checkpoint, configuration: ModelConfiguration(checkpoint.architecture))
        return "no error"
      } catch { return "\(error)".replacing(path, with: "PATH") }
    }
  }
}

@Suite("Weights")
struct WeightsTests {
  @Test("a whole file is taken, and its head is the one it has")
  func whole() throws {
    #expect(try SmallFile().message() == "no error")
    var tied = SmallFile()
    tied.shapes["output.weight"] = nil
    try tied.open { checkpoint, _ in
      let configuration = try ModelConfiguration(checkpoint.architecture)
      #expect(configuration.tiedEmbeddings)
      let weights = try ModelWeights(checkpoint, configuration: configuration)
      #expect(weights.head.rows == 10 && weights.layers.count == 1)
    }
  }

  @Test("each tensor that is missing is named", arguments: SmallFile().shapes.keys.sorted())
  func missing(tensor: String) throws {
    // Without an output matrix the head is the embedding, and without an embedding nothing says how
    // large the vocabulary is.
    guard tensor != "output.weight" else { return }
    var file = SmallFile()
    file.shapes[tensor] = nil
    let names = [
      "output_norm": "finalNorm", "attn_norm": "layer 0 attentionNorm", "attn_q": "layer 0 query",
      "attn_k": "layer 0 key", "attn_v": "layer 0 value",
      "attn_output": "layer 0 attentionOutput", "ffn_norm": "layer 0 feedForwardNorm",
      "ffn_gate": "layer 0 gate", "ffn_up": "layer 0 up", "ffn_down": "layer 0 down",
    ]
    let short = tensor.replacing("blk.0.", with: "").replacing(".weight", with: "")
    let expected =
      names[short].map {
        "'PATH' lacks the tensor '\($0)'. Download or convert it again."
      } ?? "The model has no embedding, so its vocabulary is unknown."
    #expect(try file.message() == expected)
  }

  @Test("a tensor of another shape is named with both shapes")
  func wrongShape() throws {
    var file = SmallFile()
    file.shapes["blk.0.attn_k.weight"] = [8, 8]
    #expect(
      try file.message()
        == "The tensor 'layer 0 key' of 'PATH' is 8 × 8; the model needs 4 × 8.")
    file = SmallFile()
    file.shapes["output_norm.weight"] = [7]
    #expect(
      try file.message() == "The tensor 'finalNorm' of 'PATH' is 1 × 7; the model needs 1 × 8.")
    file = SmallFile()
    file.shapes["output.weight"] = [9, 8]
    #expect(try file.message() == "The tensor 'head' of 'PATH' is 9 × 8; the model needs 10 × 8.")
  }

  @Test("a tensor of another family, or of a layer too many, is named")
  func unexpected() throws {
    var file = SmallFile()
    file.shapes["blk.0.attn_q_norm.weight"] = [4]
    #expect(
      try file.message()
        == "'PATH' holds the tensor 'layer 0 queryNorm', which a llama model of 1 layers does not have."
    )
    file = SmallFile()
    file.shapes["blk.1.attn_v.weight"] = [4, 8]
    #expect(
      try file.message()
        == "'PATH' holds the tensor 'layer 1 value', which a llama model of 1 layers does not have."
    )
  }
}
