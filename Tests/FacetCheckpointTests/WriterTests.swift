// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import Foundation
import Synchronization
import Testing

@Suite("Writers of GGUF and safetensors")
struct WriterTests {
  /// Bytes that repeat for the same seed, enough for a tensor.
  static func bytes(_ dtype: DType, rows: Int, columns: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = RandomGenerator(seed: seed)
    return (0..<(dtype.byteCount(rows: rows, columns: columns) ?? 0)).map { _ in
      UInt8(truncatingIfNeeded: random.next())
    }
  }

  /// A model with a tensor of every type and metadata of every kind.
  static func model() throws -> GGUFWriter {
    var writer = GGUFWriter()
    writer.set("general.architecture", .string("llama"))
    writer.set("llama.block_count", .uint32(2))
    writer.set("llama.embedding_length", .uint32(256))
    writer.set("llama.feed_forward_length", .uint32(512))
    writer.set("llama.attention.head_count", .uint32(4))
    writer.set("tokenizer.ggml.model", .string("llama"))
    writer.set("tokenizer.ggml.tokens", .strings(["<unk>", "", "▁é🦙"]))
    writer.set("tokenizer.ggml.scores", .float32s([0, -1.5, .greatestFiniteMagnitude]))
    writer.set("tokenizer.ggml.token_type", .int32s([2, 1, 1]))
    writer.set("t.u64", .uint64(.max))
    writer.set("t.i32", .int32(.min))
    writer.set("t.f32", .float32(-0.5))
    writer.set("t.bool", .bool(true))
    writer.set("t.bools", .bools([true, false]))
    writer.set("t.none", .strings([]))
    writer.set("t.twice", .uint32(1))
    writer.set("t.twice", .string("the last value counts"))
    for (index, dtype) in DType.allCases.enumerated() {
      let part = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
      try writer.add(
        "blk.\(index / 7).\(part[index % 7]).weight", dtype, shape: [1 + index % 3, 256],
        .bytes(bytes(dtype, rows: 1 + index % 3, columns: 256, seed: UInt64(index))))
    }
    try writer.add("output_norm.weight", .f32, shape: [3], .tensor(Tensor.vector([1, 2, 3])))
    return writer
  }

  @Test("a GGUF file reads back with the same metadata and the same bytes")
  func gguf() throws {
    let scratch = try Scratch()
    let path = scratch.file("m.gguf")
    try Self.model().write(to: path)
    #expect(try scratch.names == ["m.gguf"])
    let checkpoint = try Checkpoint.open(path)
    let roles: [TensorRole] = [.query, .key, .value, .attentionOutput, .gate, .up, .down]
    for (index, dtype) in DType.allCases.enumerated() {
      let tensor = try #require(
        checkpoint.tensors[TensorName(roles[index % 7], layer: index / 7)])
      #expect(tensor.dtype == dtype && tensor.rows == 1 + index % 3 && tensor.columns == 256)
      #expect(
        tensor.copy
          == Self.bytes(dtype, rows: 1 + index % 3, columns: 256, seed: UInt64(index)))
    }
    #expect(checkpoint.tensors[TensorName(.finalNorm)]?.floats() == [1, 2, 3])
    let expected = [
      "t.u64": "18446744073709551615", "t.i32": "-2147483648", "t.f32": "-0.5", "t.bool": "true",
      "t.bools": "[2 × bool]", "t.none": "[0 × string]", "t.twice": "the last value counts",
    ]
    for (key, value) in expected { #expect(checkpoint.metadata(key) == value) }
    #expect(checkpoint.metadata.first?.key == "general.architecture")
    guard case .gguf(let tokenizer) = checkpoint.tokenizer else { return }
    let vocabulary = try tokenizer.vocabulary()
    #expect(String(decoding: vocabulary.pieces, as: UTF8.self) == "<unk>▁é🦙")
    #expect(vocabulary.offsets == [0, 5, 5, 14])
    #expect(vocabulary.scores == [0, -1.5, .greatestFiniteMagnitude])
    #expect(vocabulary.types == [2, 1, 1])
  }

  @Test("a file that is written twice is the same, and whole multiples of the alignment")
  func repeatable() throws {
    let scratch = try Scratch()
    var writer = try Self.model()
    try writer.write(to: scratch.file("a"))
    try writer.write(to: scratch.file("b"))
    #expect(try contents(scratch.file("a")) == contents(scratch.file("b")))
    #expect(try contents(scratch.file("a")).count.isMultiple(of: 32))
    // Copied metadata may ask for another alignment; the data must follow it.
    writer.set("general.alignment", .uint32(256))
    try writer.write(to: scratch.file("c"))
    #expect(writer.alignment == 256)
    #expect(try contents(scratch.file("c")).count.isMultiple(of: 256))
    let (plain, wide) = try (
      Checkpoint.open(scratch.file("a")), Checkpoint.open(scratch.file("c"))
    )
    for (name, tensor) in plain.tensors { #expect(wide.tensors[name]?.copy == tensor.copy) }
  }

  @Test("a safetensors file reads back with the same bytes, wider numbers first")
  func safetensors() throws {
    let directory = try RawDirectory(RawDirectory.config(), weights: false)
    var writer = SafetensorsWriter()
    writer.metadata = ["format": "pt", "a \"quoted\" key\n": "ü🦙\u{1}"]
    let parts: [(String, DType, TensorRole)] = [
      ("model.embed_tokens.weight", .bf16, .embedding), ("lm_head.weight", .f32, .head),
      ("model.layers.0.mlp.up_proj.weight", .f16, .up),
    ]
    for (name, dtype, _) in parts {
      try writer.add(
        name, dtype, shape: [3, 5], .bytes(Self.bytes(dtype, rows: 3, columns: 5)))
    }
    try writer.add("model.norm.weight", .f32, shape: [1], .tensor(Tensor.vector([7])))
    try writer.write(to: directory.path + "/model.safetensors")
    let checkpoint = try Checkpoint.open(directory.path)
    #expect(checkpoint.tensors.count == 4)
    for (_, dtype, role) in parts {
      let tensor = try #require(
        checkpoint.tensors[TensorName(role, layer: role.isGlobal ? nil : 0)])
      #expect(tensor.dtype == dtype && tensor.rows == 3 && tensor.columns == 5)
      #expect(tensor.copy == Self.bytes(dtype, rows: 3, columns: 5))
    }
    #expect(checkpoint.tensors[TensorName(.finalNorm)]?.floats() == [7])
    let file = try contents(directory.path + "/model.safetensors")
    let header = String(decoding: file[8..<8 + Int(file[0]) + Int(file[1]) << 8], as: UTF8.self)
    #expect(
      header.trimmingCharacters(in: .whitespaces)
        == #"{"__metadata__":{"a \"quoted\" key\n":"ü🦙\u0001","format":"pt"},"#
        + #""lm_head.weight":{"dtype":"F32","shape":[3,5],"data_offsets":[0,60]},"#
        + #""model.norm.weight":{"dtype":"F32","shape":[1],"data_offsets":[60,64]},"#
        + #""model.embed_tokens.weight":{"dtype":"BF16","shape":[3,5],"data_offsets":[64,94]},"#
        + #""model.layers.0.mlp.up_proj.weight":"#
        + #"{"dtype":"F16","shape":[3,5],"data_offsets":[94,124]}}"#)
    #expect(header.utf8.count.isMultiple(of: 8))
  }

  @Test("what a file cannot hold is refused when it is added")
  func refused() throws {
    func gguf(_ name: String, _ dtype: DType, _ shape: [Int], _ count: Int) -> String? {
      failure { () throws(CheckpointError) in
        var writer = GGUFWriter()
        try writer.add("a", .f32, shape: [1], .bytes([0, 0, 0, 0]))
        try writer.add(name, dtype, shape: shape, .bytes([UInt8](repeating: 0, count: count)))
      }?.message
    }
    #expect(gguf("b", .q4_0, [2, 32], 36) == nil)
    for (dtype, shape, count) in [
      (DType.q4_0, [2, 32], 35), (.q4_0, [33], 18), (.f32, [], 0), (.f32, [-1, -1], 4),
      (.f32, [.max, .max, 1], 4), (.f32, [.max, 2], 4),
    ] {
      #expect(
        gguf("b", dtype, shape, count)
          == "Cannot write tensor 'b': \(count) bytes are not \(shape) numbers of type \(dtype).")
    }
    #expect(gguf("a", .f32, [1], 4) == "Tensor 'a' was added twice.")
    let limits = "a tensor has a name and 1 to 4 dimensions of at least 1."
    #expect(
      gguf("b", .f32, [1, 1, 1, 1, 1], 4)
        == "Tensor 'b' of the shape [1, 1, 1, 1, 1] cannot be in a GGUF file: \(limits)")
    #expect(
      gguf("b", .f32, [0], 0) == "Tensor 'b' of the shape [0] cannot be in a GGUF file: \(limits)")
    #expect(
      gguf("", .f32, [1], 4) == "Tensor '' of the shape [1] cannot be in a GGUF file: \(limits)")

    func safetensors(_ name: String, _ dtype: DType, _ shape: [Int], _ count: Int) -> String? {
      failure { () throws(CheckpointError) in
        var writer = SafetensorsWriter()
        try writer.add("a", .f32, shape: [1], .bytes([0, 0, 0, 0]))
        try writer.add(name, dtype, shape: shape, .bytes([UInt8](repeating: 0, count: count)))
      }?.message
    }
    #expect(safetensors("b", .bf16, [2, 3], 12) == nil)
    #expect(safetensors("a", .f32, [1], 4) == "Tensor 'a' was added twice.")
    #expect(
      safetensors("b", .q8_0, [32], 34) == "Tensor 'b' is Q8_0, which safetensors cannot hold.")
    #expect(
      safetensors("b", .f16, [3], 4)
        == "Cannot write tensor 'b': 4 bytes are not [3] numbers of type F16.")
    let scratch = try Scratch()
    var writer = try Self.model()
    writer.set("general.alignment", .uint32(24))
    let path = scratch.file("m.gguf")
    #expect(
      failure { () throws(CheckpointError) in try writer.write(to: path) }?.message
        == "Cannot write '\(path)': general.alignment is 24; it must be a power of two from 8 to "
        + "1048576.")
    #expect(try scratch.names == [])
  }

  @Test(
    "files for tools/check_written_files.py, which reads them with the gguf and safetensors packages",
    .enabled(if: ProcessInfo.processInfo.environment["FACET_WRITTEN_FILES"] != nil))
  func forOtherReaders() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["FACET_WRITTEN_FILES"])
    try Self.model().write(to: folder + "/facet.gguf")
    var writer = SafetensorsWriter()
    writer.metadata["note"] = "ü \"🦙\" \\ \n"
    for (index, dtype) in [DType.bf16, .f32, .f16].enumerated() {
      try writer.add(
        "naïve.\(dtype)", dtype, shape: [2, 3, 5],
        .bytes(Self.bytes(dtype, rows: 6, columns: 5, seed: UInt64(index))))
    }
    try writer.add("empty", .f32, shape: [0, 4], .bytes([]))
    try writer.write(to: folder + "/facet.safetensors")
  }
}

@Suite("A file is there whole or not at all")
struct AtomicWritingTests {
  @Test("a folder that is not there, a folder in the place, a name that is too long")
  func unwritable() throws {
    let scratch = try Scratch()
    let writer = try WriterTests.model()
    func message(_ path: String) -> CheckpointError? {
      failure { () throws(CheckpointError) in try writer.write(to: path) }
    }
    let absent = scratch.file("absent/m.gguf")
    #expect(
      message(absent)
        == CheckpointError(.unreadable, "Cannot write '\(absent)': No such file or directory."))
    let taken = scratch.file("taken")
    try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
    #expect(
      message(taken) == CheckpointError(.unreadable, "Cannot write '\(taken)': Is a directory."))
    let long = scratch.file(String(repeating: "x", count: 300))
    #expect(
      message(long) == CheckpointError(.unreadable, "Cannot write '\(long)': File name too long."))
    let file = try scratch.write("file", [1])
    #expect(
      message(file + "/m.gguf")
        == CheckpointError(.unreadable, "Cannot write '\(file)/m.gguf': Not a directory."))
    #expect(try scratch.names == ["file", "taken"])
  }

  @Test("a mapped file can be replaced by one that is made of it")
  func replacing() throws {
    let scratch = try Scratch()
    let path = scratch.file("m.gguf")
    try WriterTests.model().write(to: path)
    let old = try Checkpoint.open(path)
    let name = TensorName(.down, layer: 0)
    let before = try #require(old.tensors[name])
    let copy = before.copy
    var writer = try WriterTests.model()
    writer.set("t.new", .bool(true))
    try writer.write(to: path)
    #expect(before.copy == copy, "the old mapping still shows the old file")
    #expect(try Checkpoint.open(path).metadata("t.new") == "true")
    #expect(try scratch.names == ["m.gguf"])
  }

  @Test("two that write the same file at once do not write into each other's")
  func race() throws {
    let scratch = try Scratch()
    let path = scratch.file("m.gguf")
    // Large enough that they are at it together.
    var writer = GGUFWriter()
    let count = 8 << 20
    try writer.add(
      "t", .f32, shape: [count / 4], .bytes([UInt8](repeating: 7, count: count)))
    let complete = writer
    let failures = Mutex<[CheckpointError]>([])
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      if let error = failure({ () throws(CheckpointError) in try complete.write(to: path) }) {
        failures.withLock { $0.append(error) }
      }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(try scratch.names == ["m.gguf"])
    let whole = try contents(path)
    try writer.write(to: scratch.file("alone.gguf"))
    #expect(try contents(scratch.file("alone.gguf")) == whole)
  }

  #if os(Linux)
    @Test("a disk that is full leaves the old file as it was and nothing beside it")
    func full() async {
      // In a process of its own, where a file may have 4096 bytes and no more.
      await #expect(processExitsWith: .success) {
        let scratch = try Scratch()
        let path = try scratch.write("m.gguf", "old")
        var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
        _ = signal(SIGXFSZ, SIG_IGN)
        // 1 is RLIMIT_FSIZE.
        let limited = unsafe setrlimit(__rlimit_resource_t(1), &limit)
        precondition(limited == 0)
        let error = failure { () throws(CheckpointError) in
          var writer = GGUFWriter()
          try writer.add(
            "t", .f32, shape: [1 << 20], .bytes([UInt8](repeating: 1, count: 4 << 20)))
          try writer.write(to: path)
        }
        precondition(error?.message == "Cannot write '\(path)': File too large.", "\(error as Any)")
        let names = try scratch.names
        precondition(names == ["m.gguf"], "\(names)")
        let old = try contents(path)
        precondition(old == Array("old".utf8))
      }
    }
  #endif

  @Test("a disk without the room is refused before anything is written")
  func space() throws {
    try FileSystem.checkSpace(for: "out.gguf", needed: 10, available: 10)
    try FileSystem.checkSpace(for: "out.gguf", needed: 10, available: nil)
    let error = #expect(throws: CheckpointError.self) {
      try FileSystem.checkSpace(for: "out.gguf", needed: 11, available: 10)
    }
    #expect(
      error?.message
        == "'out.gguf' takes 11 bytes, and the disk has 10 left. Free some space or write to another "
        + "disk.")
  }
}
