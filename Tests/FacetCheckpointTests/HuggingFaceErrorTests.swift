// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation
import Testing

@Suite("What is wrong with a Hugging Face directory is said in a sentence")
struct HuggingFaceErrorTests {
  static let configs: [(String, CheckpointError.Code, String)] = [
    ("[", .malformed, "'@/config.json' is not JSON: a value is missing at byte 1."),
    (
      "[]", .unsupported,
      "'@/config.json' describes a model of type 'nothing'; Facet runs gemma, gemma2, gemma3_text, "
        + "gemma3, llama, mistral."
    ),
    (
      RawDirectory.config("gemma3n"), .unsupported,
      "'@/config.json' describes a model of type 'gemma3n'; Facet runs gemma, gemma2, gemma3_text, "
        + "gemma3, llama, mistral."
    ),
    (
      #"{"model_type":"llama"}"#, .malformed,
      "'@/config.json' lacks 'num_attention_heads'. Download it again."
    ),
    (
      #"{"model_type":"gemma3","text_config":"none"}"#, .malformed,
      "'@/config.json' lacks 'num_hidden_layers'. Download it again."
    ),
    (
      RawDirectory.config("llama", #""rope_scaling":{"rope_type":"llama3","factor":8}"#),
      .unsupported, "'@/config.json' scales rotary positions by 'llama3'; Facet knows 'linear'."
    ),
    (
      RawDirectory.config("llama", #""rope_scaling":{"rope_type":"linear"}"#), .malformed,
      "'@/config.json' scales rotary positions and lacks the 'factor'. Download it again."
    ),
    (
      RawDirectory.config("gemma2", #""layer_types":["full_attention","chunked_attention"]"#),
      .unsupported,
      "'@/config.json' has layers of the type \"chunked_attention\", which Facet cannot run."
    ),
    (
      RawDirectory.config("gemma2", #""layer_types":["full_attention"]"#), .malformed,
      "'@/config.json' lists 1 layer types for 2 layers."
    ),
  ]

  static let impossible = [
    #""head_dim":0"#, #""head_dim":-1"#, #""head_dim":2147483648"#, #""head_dim":1.5"#,
    #""head_dim":"64""#, #""vocab_size":[1]"#, #""rms_norm_eps":"1e-6""#,
    #""rope_theta":1e+300"#, #""attn_logit_softcapping":true"#, #""hidden_act":{}"#,
    #""tie_word_embeddings":"false""#, #""sliding_window":false"#,
  ]

  @Test("a configuration that Facet cannot follow", arguments: configs)
  func unsupported(_ config: String, _ code: CheckpointError.Code, _ message: String) throws {
    let directory = try RawDirectory(config)
    #expect(
      failure(opening: directory.path)
        == CheckpointError(code, message.replacingOccurrences(of: "@", with: directory.path)))
  }

  @Test("a setting of the wrong kind is refused, not passed over", arguments: impossible)
  func wrongKind(_ member: String) throws {
    let directory = try RawDirectory(RawDirectory.config("llama", member))
    let (key, value) = (
      member.split(separator: "\"")[0],
      member.split(separator: ":", maxSplits: 1)[1]
    )
    #expect(
      failure(opening: directory.path)
        == CheckpointError(
          .malformed, "'\(key)' of '\(directory.path)/config.json' is \(value), which cannot be."))
  }

  @Test("files that are missing")
  func missing() throws {
    let directory = try RawDirectory(RawDirectory.config(), weights: false)
    let path = directory.path
    #expect(
      failure(opening: path)
        == CheckpointError(
          .notFound,
          "'\(path)' has neither model.safetensors nor model.safetensors.index.json. Download the "
            + "model again."))
    let index = "model.safetensors.index.json"
    try directory.scratch.write(index, #"{"weight_map":{"a":"model-1.safetensors"}}"#)
    #expect(
      failure(opening: path)
        == CheckpointError(.notFound, "'\(path)' lacks model-1.safetensors. Download it."))
    try directory.write("model-1.safetensors", header: "{}", data: [])
    #expect(
      failure(opening: path)
        == CheckpointError(
          .missingTensor,
          "The index of '\(path)' promises tensor 'a' in model-1.safetensors, which lacks it. Download "
            + "model-1.safetensors again."))
    for text in ["{}", "[]", #"{"weight_map":{}}"#, #"{"weight_map":[1]}"#] {
      try directory.scratch.write(index, text)
      #expect(
        failure(opening: path)
          == CheckpointError(
            .malformed, "'\(path)/\(index)' names no tensors. Download it again."))
    }
  }

  @Test(
    "an index leads to no other place",
    arguments: [
      "../../etc/passwd", "/etc/passwd", "sub/model.safetensors", ".", "..", ".hidden", "",
      "model.safetensors\\u0000.x",
    ])
  func elsewhere(_ shard: String) throws {
    let directory = try RawDirectory(RawDirectory.config(), weights: false)
    try directory.scratch.write(
      "model.safetensors.index.json", #"{"weight_map":{"t":"\#(shard)"}}"#)
    #expect(
      failure(opening: directory.path)
        == CheckpointError(
          .malformed,
          "'\(directory.path)/model.safetensors.index.json' names no file of its own directory for "
            + "'t'."))
  }

  @Test("an index that names itself, or a shard that is an index, ends at once")
  func recursion() throws {
    let directory = try RawDirectory(RawDirectory.config(), weights: false)
    let index = "model.safetensors.index.json"
    let text = #"{"weight_map":{"t":"\#(index)"}}"#
    try directory.scratch.write(index, text)
    let stated = little(UInt64(0)).indices.reduce(UInt64(0)) {
      $0 | UInt64(Array(text.utf8)[$1]) << (8 * $1)
    }
    #expect(
      failure(opening: directory.path)
        == CheckpointError(
          .truncated,
          "The length of the header of '\(directory.path)/\(index)' is \(stated), more than the file's "
            + "\(text.utf8.count) bytes can hold. Download it again."))
  }

  @Test("a tensor in two shards")
  func twice() throws {
    let directory = try RawDirectory(RawDirectory.config(), weights: false)
    let header = #"{"model.norm.weight":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#
    try directory.write("a.safetensors", header: header, data: [0, 0])
    try directory.write(
      "b.safetensors",
      header: String(header.dropLast()) + #","lm_head.weight":"#
        + #"{"dtype":"F16","shape":[1,1],"data_offsets":[2,4]}}"#, data: [0, 0, 0, 0])
    try directory.scratch.write(
      "model.safetensors.index.json",
      #"{"weight_map":{"model.norm.weight":"a.safetensors","lm_head.weight":"b.safetensors"}}"#)
    #expect(
      failure(opening: directory.path)
        == CheckpointError(
          .malformed, "'\(directory.path)' holds tensor 'model.norm.weight' twice."))
  }
}

@Suite("What is wrong with a safetensors file is said in a sentence")
struct SafetensorsErrorTests {
  /// One tensor's place, in the words of the header.
  static func entry(
    _ name: String = "model.norm.weight", _ dtype: String = "F16", shape: String = "[2]",
    at offsets: String = "[0,4]"
  ) -> String {
    #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  static let unclear =
    "The header of '@' does not say type, shape and place of tensor 'model.norm.weight'."

  static let wrong: [(String, CheckpointError.Code, String)] = [
    ("[ ]", .malformed, "The header of '@' is not an object."),
    ("{1}", .malformed, "'@' is not JSON: a key is missing at byte 1."),
    (
      "{\(entry()),\(entry())}", .malformed,
      "'@' is not JSON: 'model.norm.weight' comes twice at byte 138."
    ),
    (#"{"model.norm.weight":1}"#, .malformed, unclear),
    (#"{"model.norm.weight":{"dtype":"F16","shape":[2]}}"#, .malformed, unclear),
    ("{\(entry(at: "[0,4,8]"))}", .malformed, unclear),
    ("{\(entry(at: "[4,0]"))}", .malformed, unclear),
    ("{\(entry(at: "[-4,0]"))}", .malformed, unclear),
    ("{\(entry(at: "[0,4.5]"))}", .malformed, unclear),
    (
      "{\(entry(at: "[0,9]"))}", .truncated,
      "tensor 'model.norm.weight' needs 9 bytes at offset 80 of '@'; the file ends at 88. Download it "
        + "again."
    ),
    (
      "{\(entry(at: "[0,9223372036854775807]"))}", .truncated,
      "tensor 'model.norm.weight' needs 9223372036854775807 bytes at offset 96 of '@'; the file ends "
        + "at 104. Download it again."
    ),
    (
      "{\(entry(shape: "[3]"))}", .malformed,
      "tensor 'model.norm.weight' of '@' has 4 bytes; 3 numbers of type F16 do not."
    ),
    (
      "{\(entry(shape: "[-2]"))}", .malformed,
      "tensor 'model.norm.weight' of '@' has an impossible shape."
    ),
    (
      "{\(entry(shape: "[4294967296,4294967296]"))}", .malformed,
      "tensor 'model.norm.weight' of '@' has an impossible shape."
    ),
    (
      "{\(entry(shape: "[1,1,1,1,1,1,1,1,2]"))}", .malformed,
      "tensor 'model.norm.weight' of '@' has an impossible shape."
    ),
    (
      "{\(entry(shape: "[1,2]"))}", .wrongShape,
      "tensor 'model.norm.weight' of '@' has the shape [1, 2]; it must have one dimension."
    ),
    (
      "{\(entry("lm_head.weight"))}", .wrongShape,
      "tensor 'lm_head.weight' of '@' has the shape [2]; it must have two dimensions."
    ),
    (
      "{\(entry("model.norm.weight", "I32", shape: "[1]"))}", .unsupported,
      "tensor 'model.norm.weight' of '@' is of type I32, which Facet does not read. Use a file in F32, "
        + "F16 or BF16."
    ),
    (
      "{\(entry("model.norm.weight", "F32", shape: "[1]", at: "[2,6]"))}", .unsupported,
      "tensor 'model.norm.weight' of '@' lies at offset 82, which is not a multiple of its number size "
        + "4. Save the file again with a current safetensors."
    ),
    (
      "{\(entry()),\(entry("lm_head.weight", "F16", shape: "[1,1]", at: "[2,4]"))}", .malformed,
      "tensors 'model.norm.weight' and 'lm_head.weight' of '@' overlap. Download the file again."
    ),
    (
      "{\(entry("model.layers.0.self_attn.q_proj.bias"))}", .unexpectedTensor,
      "'@' holds tensor 'model.layers.0.self_attn.q_proj.bias', which Facet does not know in a llama "
        + "model."
    ),
    (
      "{\(entry("model.layers.01.mlp.up_proj.weight"))}", .unexpectedTensor,
      "'@' holds tensor 'model.layers.01.mlp.up_proj.weight', which Facet does not know in a llama "
        + "model."
    ),
    (
      "{\(entry("model.layers.0.self_attn.q_norm.weight_scale"))}", .unexpectedTensor,
      "'@' holds tensor 'model.layers.0.self_attn.q_norm.weight_scale', which Facet does not know in a "
        + "llama model."
    ),
  ]

  @Test("word for word", arguments: wrong)
  func message(_ header: String, _ code: CheckpointError.Code, _ message: String) throws {
    let directory = try RawDirectory(RawDirectory.config())
    let path = try directory.write(header: header, data: [UInt8](repeating: 0, count: 8))
    let error = try #require(failure(opening: directory.path))
    #expect(error.message == message.replacingOccurrences(of: "@", with: path))
    #expect(error.code == code)
  }

  @Test("headers that are longer than their file or than the format allows")
  func length() throws {
    let directory = try RawDirectory(RawDirectory.config())
    let path = try directory.scratch.write("model.safetensors", little(UInt64.max) + [0x7B])
    #expect(
      failure(opening: directory.path)
        == CheckpointError(
          .truncated,
          "The length of the header of '\(path)' is 18446744073709551615, more than the file's 9 bytes "
            + "can hold. Download it again."))
    try directory.scratch.write("model.safetensors", [1, 2, 3])
    #expect(
      failure(opening: directory.path)
        == CheckpointError(
          .truncated,
          "The length of the header needs 8 bytes at offset 0 of '\(path)'; the file ends at 3. "
            + "Download it again."))
  }
}
