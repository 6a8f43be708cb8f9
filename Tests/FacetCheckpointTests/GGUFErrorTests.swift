// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTestSupport
import Foundation
import Testing

/// A way to spoil a sound file and the whole message that must follow; `@` stands for the path.
struct Spoilt: Sendable, CustomTestStringConvertible {
  let message: String
  let code: CheckpointError.Code
  let spoil: @Sendable (inout RawGGUF) -> Void

  init(
    _ code: CheckpointError.Code, _ message: String,
    _ spoil: @escaping @Sendable (inout RawGGUF) -> Void
  ) {
    self.code = code
    self.message = message
    self.spoil = spoil
  }

  var testDescription: String { message }
}

@Suite("What is wrong with a GGUF file is said in a sentence")
struct GGUFErrorTests {
  static let again = "Download it again."

  static let header: [Spoilt] = [
    Spoilt(
      .unsupported,
      "'@' is GGUF version 1; Facet reads little-endian versions 2 and 3. Convert it with a current "
        + "llama.cpp."
    ) { $0.version = 1 },
    Spoilt(
      .unsupported,
      "'@' is big-endian GGUF; Facet reads little-endian versions 2 and 3. Convert it with a current "
        + "llama.cpp."
    ) { $0.version = UInt32(3).byteSwapped },
    Spoilt(
      .truncated,
      "The number of tensors of '@' is 18446744073709551615, more than the file's 448 bytes can "
        + "hold. \(again)"
    ) { $0.tensorCount = .max },
    Spoilt(
      .truncated,
      "The number of metadata entries of '@' is 1000000, more than the file's 448 bytes can hold. "
        + again
    ) { $0.entryCount = 1_000_000 },
    Spoilt(.malformed, "'@' states 'k' twice. Download the file again.") {
      $0.metadata += [(Array("k".utf8), RawGGUF.bool(true)), (Array("k".utf8), RawGGUF.bool(true))]
    },
    Spoilt(.malformed, "A metadata key at offset 24 of '@' has 0 bytes.") {
      $0.metadata.insert(([], RawGGUF.bool(true)), at: 0)
    },
    Spoilt(.malformed, "A metadata key at offset 32 of '@' is not UTF-8. \(again)") {
      $0.metadata.insert(([0xFF, 0xFE], RawGGUF.bool(true)), at: 0)
    },
    Spoilt(.malformed, "'k' of '@' has the unknown type 13. Download the file again.") {
      $0.set("k", little(UInt32(13)) + [0])
    },
    Spoilt(.malformed, "'k' of '@' nests arrays too deeply.") {
      let inner = (0..<5).reduce(RawGGUF.array(4, 0, [])) { deeper, _ in
        RawGGUF.array(9, 1, Array(deeper.dropFirst(4)))
      }
      $0.set("k", inner)
    },
    Spoilt(
      .truncated,
      "The length of a metadata string of '@' is 9223372036854775807, more than the file's 448 bytes "
        + "can hold. \(again)"
    ) { $0.set("k", little(UInt32(8)) + little(UInt64(Int.max))) },
    Spoilt(
      .truncated,
      "The length of an array of '@' is 4611686018427387904, more than the file's 448 bytes can hold. "
        + again
    ) { $0.set("k", RawGGUF.array(10, 1 << 62, [])) },
    Spoilt(.malformed, "A metadata string at offset 49 of '@' is not UTF-8. \(again)") {
      $0.metadata.insert(
        (Array("key-k".utf8), little(UInt32(8)) + little(UInt64(1)) + [0xC0]), at: 0)
    },
  ]

  static let alignments: [Spoilt] = [
    ("0", RawGGUF.uint32(0)), ("1", RawGGUF.uint32(1)), ("4", RawGGUF.uint32(4)),
    ("24", RawGGUF.uint32(24)), ("2097152", RawGGUF.uint32(1 << 21)),
    ("4294967295", RawGGUF.uint32(.max)), ("-8", RawGGUF.int32(-8)),
    ("wide", RawGGUF.string("wide")),
    ("32.0", RawGGUF.float32(32)),
  ].map { text, value in
    Spoilt(
      .malformed,
      "general.alignment of '@' is \(text); it must be a power of two from 8 to 1048576."
    ) { $0.set("general.alignment", value) }
  }

  static let directory: [Spoilt] = [
    Spoilt(.malformed, "'@' holds tensor 'output_norm.weight' twice.") {
      $0.tensors.append($0.tensors[0])
    },
    Spoilt(
      .malformed,
      "tensor 'output_norm.weight' of '@' lies at offset 16, which is not a multiple of 32. Download "
        + "the file again."
    ) { $0.tensors[0].offset = 16 },
    Spoilt(
      .truncated,
      "tensor 'output_norm.weight' needs 32 bytes at offset 448 of '@'; the file ends at 448. \(again)"
    ) { $0.tensors[0].offset = 32 },
    Spoilt(
      .truncated,
      "tensor 'output_norm.weight' needs 32 bytes at offset 9223372036854776192 of '@'; the file "
        + "ends at 448. \(again)"
    ) { $0.tensors[0].offset = UInt64(Int.max) - 31 },
    Spoilt(
      .malformed,
      "tensor 'output_norm.weight' of '@' lies at the impossible offset 18446744073709551584."
    ) { $0.tensors[0].offset = .max - 31 },
    Spoilt(
      .malformed,
      "tensors 'output_norm.weight' and 'blk.0.ffn_norm.weight' of '@' overlap. Download the file "
        + "again."
    ) {
      $0.tensors[0].sizes = [16]
      $0.tensors.append(.init("blk.0.ffn_norm.weight", [8], offset: 32))
      $0.data += $0.data
    },
    Spoilt(
      .malformed, "tensor 'output_norm.weight' of '@' has 0 dimensions; 1 to 4 are possible."
    ) { $0.tensors[0].sizes = [] },
    Spoilt(
      .malformed, "tensor 'output_norm.weight' of '@' has 5 dimensions; 1 to 4 are possible."
    ) { $0.tensors[0].sizes = [8, 1, 1, 1, 1] },
    Spoilt(.malformed, "tensor 'output_norm.weight' of '@' has a dimension of 0.") {
      $0.tensors[0].sizes = [8, 0]
    },
    Spoilt(
      .malformed, "tensor 'output_norm.weight' of '@' has a dimension of 9223372036854775808."
    ) { $0.tensors[0].sizes = [1 << 63] },
    Spoilt(
      .malformed,
      "tensor 'output_norm.weight' of '@' cannot be [4294967296, 4294967296] numbers of type F32."
    ) { $0.tensors[0].sizes = [1 << 32, 1 << 32] },
    Spoilt(
      .malformed,
      "tensor 'output_norm.weight' of '@' cannot be [4294967296, 4294967296, 1] numbers of type F32."
    ) { $0.tensors[0].sizes = [1, 1 << 32, 1 << 32] },
    Spoilt(.malformed, "tensor 'output_norm.weight' of '@' cannot be [33] numbers of type Q4_0.") {
      $0.tensors[0] = .init("output_norm.weight", [33], type: 2)
    },
    Spoilt(.malformed, "A tensor's name at offset 337 of '@' has 0 bytes.") {
      $0.tensors[0].name = []
    },
  ]

  static let model: [Spoilt] = [
    Spoilt(
      .unsupported,
      "tensor 'output_norm.weight' of '@' is of type IQ4_XS, which Facet does not read. Use a file in "
        + "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K."
    ) { $0.tensors[0].type = 23 },
    Spoilt(
      .unsupported,
      "tensor 'output_norm.weight' of '@' is of type number 4000000000, which Facet does not read. Use "
        + "a file in F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K."
    ) { $0.tensors[0].type = 4_000_000_000 },
    Spoilt(
      .unsupported,
      "tensor 'output_norm.weight' of '@' is a norm in Q8_0; norms must be F32, F16 or BF16."
    ) {
      $0.tensors[0] = .init("output_norm.weight", [32], type: 8)
      $0.data += $0.data
    },
    Spoilt(
      .wrongShape,
      "tensor 'output_norm.weight' of '@' has the shape [1, 8]; it must have one dimension."
    ) { $0.tensors[0].sizes = [8, 1] },
    Spoilt(
      .wrongShape,
      "tensor 'output.weight' of '@' has the shape [8]; it must have two dimensions."
    ) { $0.tensors[0].name = Array("output.weight".utf8) },
    Spoilt(.malformed, "'@' lacks 'general.architecture'. Convert the model again.") {
      $0.remove("general.architecture")
    },
    Spoilt(
      .unsupported,
      "'@' holds a model of the architecture 'qwen3'; Facet runs gemma, gemma2, gemma3, "
        + "gemma-embedding, llama."
    ) { $0.set("general.architecture", RawGGUF.string("qwen3")) },
    Spoilt(.malformed, "'@' lacks 'llama.block_count'. Convert the model again.") {
      $0.remove("llama.block_count")
    },
    Spoilt(.malformed, "'llama.embedding_length' of '@' is 0, which cannot be.") {
      $0.set("llama.embedding_length", RawGGUF.uint32(0))
    },
    Spoilt(.malformed, "'llama.embedding_length' of '@' is 4294967295, which cannot be.") {
      $0.set("llama.embedding_length", RawGGUF.uint32(.max))
    },
    Spoilt(.malformed, "'llama.attention.head_count' of '@' is [1 × int32], which cannot be.") {
      $0.set("llama.attention.head_count", RawGGUF.array(5, 1, little(Int32(4))))
    },
    Spoilt(.malformed, "'llama.rope.freq_base' of '@' is inf, which cannot be.") {
      $0.set("llama.rope.freq_base", RawGGUF.float64(1e300))
    },
    Spoilt(.malformed, "'llama.rope.freq_base' of '@' is nan, which cannot be.") {
      $0.set("llama.rope.freq_base", RawGGUF.float32(.nan))
    },
    Spoilt(
      .malformed,
      "'llama.attention.sliding_window_pattern' of '@' is [0 × bool], which cannot be."
    ) { $0.set("llama.attention.sliding_window_pattern", RawGGUF.array(7, 0, [])) },
    Spoilt(
      .unsupported,
      "'@' has heads of width 64 and 'llama.attention.value_length' 32; Facet runs models where they "
        + "are equal."
    ) {
      $0.set("llama.attention.key_length", RawGGUF.uint32(64))
      $0.set("llama.attention.value_length", RawGGUF.uint32(32))
    },
    Spoilt(
      .unsupported, "'@' scales rotary positions by 'yarn'; Facet knows 'linear'."
    ) { $0.set("llama.rope.scaling.type", RawGGUF.string("yarn")) },
    Spoilt(
      .unsupported, "'@' is a mixture of 8 experts, which Facet cannot run."
    ) { $0.set("llama.expert_count", RawGGUF.uint32(8)) },
    Spoilt(.unsupported, "'@' has no tokenizer (no 'tokenizer.ggml.tokens').") {
      $0.remove("tokenizer.ggml.tokens")
    },
    Spoilt(.malformed, "'tokenizer.ggml.tokens' of '@' is [0 × int32].") {
      $0.set("tokenizer.ggml.tokens", RawGGUF.array(5, 0, []))
    },
    Spoilt(.malformed, "'@' has 2 tokens and 1 scores.") {
      $0.set("tokenizer.ggml.scores", RawGGUF.array(6, 1, little(Float(0).bitPattern)))
    },
    Spoilt(.malformed, "'@' has 2 tokens and 1 token types.") {
      $0.set("tokenizer.ggml.token_type", RawGGUF.array(5, 1, little(Int32(1))))
    },
    Spoilt(.malformed, "'@' lacks 'tokenizer.ggml.model'. Convert the model again.") {
      $0.remove("tokenizer.ggml.model")
    },
  ]

  static let unknownNames: [Spoilt] = [
    "rope_freqs.weight", "blk.0.attn_q.bias", "blk.-1.attn_q.weight", "blk.+1.attn_q.weight",
    "blk.00.attn_q.weight", "blk..attn_q.weight", "blk.99999999999999999999.attn_q.weight",
    "output_norm.weight\u{0}", "../../etc/passwd",
  ].map { name in
    Spoilt(
      .unexpectedTensor,
      "'@' holds tensor '\(name)', which Facet does not know in a llama model."
    ) { $0.tensors[0].name = Array(name.utf8) }
  }

  @Test("word for word", arguments: header + alignments + directory + model + unknownNames)
  func message(_ spoilt: Spoilt) throws {
    let scratch = try Scratch()
    var file = RawGGUF()
    let sound = try scratch.write("sound.gguf", file.bytes)
    #expect(failure(opening: sound) == nil)
    spoilt.spoil(&file)
    let path = try scratch.write("spoilt.gguf", file.bytes)
    let error = try #require(failure(opening: path))
    #expect(error.message == spoilt.message.replacingOccurrences(of: "@", with: path))
    #expect(error.code == spoilt.code && error.description == error.message)
  }

  @Test("a file that says it is big-endian, written by the gguf package")
  func bigEndian() {
    let path = Goldens.path("checkpoints/big-endian.gguf")
    #expect(
      failure(opening: path)?.message
        == "'\(path)' is big-endian GGUF; Facet reads little-endian versions 2 and 3. Convert it with "
        + "a current llama.cpp.")
  }

  @Test("paths that are no model")
  func noModel() throws {
    let scratch = try Scratch()
    let absent = scratch.file("absent.gguf")
    #expect(
      failure(opening: absent)
        == CheckpointError(.notFound, "There is no file or directory '\(absent)'."))
    #expect(
      failure(opening: scratch.path)
        == CheckpointError(
          .notFound,
          "The directory '\(scratch.path)' has no config.json, so it is not a Hugging Face model. For "
            + "a GGUF or llama2.c model name the file."))
    for bytes in [[0x47], Array("GGML and more".utf8), [UInt8](repeating: 255, count: 100)] {
      let path = try scratch.write("x", bytes)
      #expect(
        failure(opening: path)
          == CheckpointError(
            .unsupported,
            "'\(path)' is none of the files that Facet reads: GGUF, a Hugging Face directory with "
              + "safetensors, a llama2.c checkpoint. If it should be one, it is cut short or damaged."
          ))
    }
    let empty = try scratch.write("empty", [])
    #expect(
      failure(opening: empty)
        == CheckpointError(
          .unreadable, "Cannot read '\(empty)': the file is empty. Download it again."))
    let cut = try scratch.write("cut.gguf", Array("GGUF".utf8) + [3, 0])
    #expect(
      failure(opening: cut)
        == CheckpointError(
          .truncated,
          "The version needs 4 bytes at offset 4 of '\(cut)'; the file ends at 6. Download it again."
        ))
  }

  @Test("a named pipe is refused at once, not waited for")
  func pipe() throws {
    let scratch = try Scratch()
    let path = scratch.file("pipe")
    let made = unsafe mkfifo(path, 0o600)
    try #require(made == 0)
    #expect(
      failure(opening: path)
        == CheckpointError(.unreadable, "Cannot read '\(path)': it is not a regular file."))
  }
}

@Suite("What is wrong with a split GGUF file is said in a sentence")
struct GGUFSplitErrorTests {
  /// Two pieces, the second spoilt.
  private func message(
    first: String = "m-00001-of-00002.gguf", count: UInt32 = 2,
    spoil: (inout RawGGUF) -> Void = { _ in }, scratch: Scratch
  ) throws -> CheckpointError? {
    var file = RawGGUF()
    file.set("split.count", RawGGUF.uint32(count))
    file.set("split.no", RawGGUF.uint32(0))
    file.set("split.tensors.count", RawGGUF.int32(2))
    let path = try scratch.write(first, file.bytes)
    var second = RawGGUF()
    second.metadata = []
    second.set("split.count", RawGGUF.uint32(2))
    second.set("split.no", RawGGUF.uint32(1))
    second.tensors[0].name = Array("blk.0.ffn_norm.weight".utf8)
    spoil(&second)
    try scratch.write("m-00002-of-00002.gguf", second.bytes)
    return failure(opening: path)
  }

  @Test("word for word")
  func messages() throws {
    let scratch = try Scratch()
    let (first, second) = (
      scratch.file("m-00001-of-00002.gguf"), scratch.file("m-00002-of-00002.gguf")
    )
    #expect(try message(scratch: scratch) == nil)
    #expect(
      try message(
        spoil: { $0.tensors[0].name = Array("output_norm.weight".utf8) }, scratch: scratch)
        == CheckpointError(.malformed, "'\(first)' holds tensor 'output_norm.weight' twice."))
    #expect(
      try message(spoil: { $0.tensors = [] }, scratch: scratch)
        == CheckpointError(
          .malformed, "'\(first)' promises 2 tensors in all its pieces; they hold 1."))
    #expect(
      try message(spoil: { $0.set("split.no", RawGGUF.uint32(0)) }, scratch: scratch)
        == CheckpointError(.malformed, "'\(second)' does not say that it is piece 2 of 2."))
    let cut = try message(spoil: { $0.tensors[0].offset = 32 }, scratch: scratch)
    let end = try contents(second).count
    #expect(
      cut
        == CheckpointError(
          .truncated,
          "tensor 'blk.0.ffn_norm.weight' needs 32 bytes at offset \(end) of '\(second)'; the file "
            + "ends at \(end). Download it again."))
    for name in ["m.gguf", "m-00001-of-00003.gguf", "m-1-of-00002.gguf", "m-0000x-of-00002.gguf"] {
      #expect(
        try message(first: name, scratch: scratch)
          == CheckpointError(
            .malformed,
            "'\(scratch.file(name))' is one of 2 pieces; its name must end like -00001-of-00002.gguf "
              + "so that the others can be found."))
    }
    #expect(
      try message(count: .max, scratch: scratch)?.message
        == "'\(first)' is one of 4294967295 pieces; its name must end like -00001-of-00002.gguf so "
        + "that the others can be found.")
    _ = try message(scratch: scratch)
    try scratch.remove("m-00002-of-00002.gguf")
    #expect(
      failure(opening: first)
        == CheckpointError(
          .notFound,
          "'\(first)' is one piece of a split model; another is missing: Cannot open '\(second)': No "
            + "such file or directory."))
  }
}
