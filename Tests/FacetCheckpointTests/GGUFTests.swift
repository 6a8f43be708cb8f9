// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import FacetTestSupport
import Testing

@Suite("GGUF files against the gguf package")
struct GGUFTests {
  private func check(
    _ checkpoint: Checkpoint, _ golden: CheckpointGolden, names: [String: TensorName]
  ) throws {
    #expect(checkpoint.tensors.count == golden.tensors.count)
    for stated in golden.tensors {
      let name = try #require(names[stated.name])
      let tensor = try #require(checkpoint.tensors[name])
      #expect(tensor.dtype.name == stated.type, "\(stated.name)")
      #expect([tensor.rows, tensor.columns].suffix(stated.shape.count) == stated.shape[...])
      #expect(crc32(tensor.copy) == stated.crc32, "\(stated.name)")
    }
  }

  /// The names of the golden files' tensors.
  static let names: [String: TensorName] = {
    var names: [String: TensorName] = [
      "token_embd.weight": TensorName(.embedding), "output.weight": TensorName(.head),
      "output_norm.weight": TensorName(.finalNorm),
    ]
    let parts: [(String, TensorRole)] = [
      ("attn_q", .query), ("attn_k", .key), ("attn_v", .value), ("attn_output", .attentionOutput),
      ("ffn_gate", .gate), ("ffn_up", .up), ("ffn_down", .down), ("attn_norm", .attentionNorm),
      ("ffn_norm", .feedForwardNorm),
    ]
    for layer in 0..<2 {
      for (part, role) in parts {
        names["blk.\(layer).\(part).weight"] = TensorName(role, layer: layer)
      }
    }
    return names
  }()

  @Test("tensors of all thirteen types lie where the package put them")
  func types() throws {
    let golden = try CheckpointGolden.load("many")
    #expect(Set(golden.tensors.map(\.type)) == Set(DType.allCases.map(\.name)))
    let checkpoint = try Checkpoint.open(Goldens.path("checkpoints/many.gguf"))
    try check(checkpoint, golden, names: Self.names)
    #expect(checkpoint.format == .gguf)
    #expect(checkpoint.architecture.tiedEmbeddings == false)
  }

  @Test("metadata of every type, with arrays in arrays and all of Unicode")
  func metadata() throws {
    let golden = try CheckpointGolden.load("many")
    let checkpoint = try Checkpoint.open(Goldens.path("checkpoints/many.gguf"))
    for (key, text) in try #require(golden.metadata) {
      #expect(checkpoint.metadata(key) == text, "\(key)")
    }
  }

  @Test("version 2 is version 3 with another number")
  func version2() throws {
    let scratch = try Scratch()
    var bytes = try contents(Goldens.path("checkpoints/many.gguf"))
    bytes[4] = 2
    let checkpoint = try Checkpoint.open(scratch.write("v2.gguf", bytes))
    try check(checkpoint, CheckpointGolden.load("many"), names: Self.names)
  }

  @Test("a split file is found whole from any of its pieces", arguments: 1...3)
  func split(_ piece: Int) throws {
    let path = Goldens.path("checkpoints/split-0000\(piece)-of-00003.gguf")
    let checkpoint = try Checkpoint.open(path)
    try check(checkpoint, CheckpointGolden.load("split"), names: Self.names)
    #expect(checkpoint.path == path)
    #expect(checkpoint.metadata("t.uint64") == "18446744073709551615")
    let sizes = try (1...3).map {
      try contents(Goldens.path("checkpoints/split-0000\($0)-of-00003.gguf")).count
    }
    #expect(checkpoint.byteCount == sizes.reduce(0, +))
  }

  @Test("hyper-parameters and vocabulary are those that were written")
  func description() throws {
    let checkpoint = try Checkpoint.open(Goldens.path("checkpoints/many.gguf"))
    var expected = ArchitectureDescription(
      architecture: "llama", layers: 2, width: 256, feedForwardWidth: 512, queryHeads: 4,
      keyValueHeads: 2, rotaryLayout: .interleaved)
    expected.contextLength = 2048
    expected.normEpsilon = 1e-5
    expected.ropeBase = 10000
    expected.vocabulary = 1  // rows of the embedding; the file does not state it
    expected.tiedEmbeddings = false
    #expect(checkpoint.architecture == expected)
    guard case .gguf(let tokenizer) = checkpoint.tokenizer else {
      Issue.record("no tokenizer")
      return
    }
    let vocabulary = try tokenizer.vocabulary()
    #expect(String(decoding: vocabulary.pieces, as: UTF8.self) == "<unk><s></s>▁hé🦙")
    #expect(vocabulary.offsets == [0, 5, 8, 12, 18, 22])
    #expect(vocabulary.scores == [0, 0, 0, -1.5, -2])
    #expect(vocabulary.types == [2, 3, 3, 1, 1])
    #expect(vocabulary.merges.isEmpty && vocabulary.mergeOffsets.isEmpty)
    #expect(tokenizer.model == "llama" && tokenizer.addsBOS == true && tokenizer.addsEOS == nil)
    #expect(tokenizer.bos == 1 && tokenizer.eos == 2 && tokenizer.padding == nil)
    #expect(checkpoint.generationDefaults == GenerationDefaults(stopTokens: [2]))
  }

  @Test("norms are taken as they stand, also in half precision", arguments: ["llama", "gemma3"])
  func norms(_ architecture: String) throws {
    let scratch = try Scratch()
    var file = RawGGUF()
    for (index, entry) in file.metadata.enumerated() where entry.key.starts(with: "llama.".utf8) {
      file.metadata[index].key = Array("\(architecture).".utf8) + entry.key.dropFirst(6)
    }
    file.set("general.architecture", RawGGUF.string(architecture))
    file.tensors = [
      .init("output_norm.weight", [4]), .init("blk.0.attn_norm.weight", [4], type: 1, offset: 32),
      .init("blk.0.ffn_norm.weight", [4], type: 30, offset: 64),
    ]
    let pad = [UInt8](repeating: 0, count: 16)
    file.data = [Float(1), -2, 0.5, 3].flatMap { little($0.bitPattern) } + pad
    // 1, -2, the smallest denormal, infinity
    file.data +=
      [UInt16(0x3C00), 0xC000, 0x0001, 0x7C00].flatMap { little($0) } + pad + pad.prefix(8)
    file.data += [UInt16(0x3F80), 0xC000, 0x3F00, 0x0001].flatMap { little($0) }
    let checkpoint = try Checkpoint.open(scratch.write("m.gguf", file.bytes))
    #expect(checkpoint.tensors[TensorName(.finalNorm)]?.floats() == [1, -2, 0.5, 3])
    #expect(
      checkpoint.tensors[TensorName(.attentionNorm, layer: 0)]?.floats()
        == [1, -2, 0x1p-24, .infinity])
    #expect(
      checkpoint.tensors[TensorName(.feedForwardNorm, layer: 0)]?.floats()
        == [1, -2, 0.5, Float(bitPattern: 0x0001_0000)])
  }

  @Test("the head of a Gemma file is left alone, for it is the embedding")
  func gemmaHead() throws {
    let scratch = try Scratch()
    var file = RawGGUF()
    file.set("general.architecture", RawGGUF.string("gemma2"))
    for (index, entry) in file.metadata.enumerated() where entry.key.starts(with: "llama.".utf8) {
      file.metadata[index].key = Array("gemma2.".utf8) + entry.key.dropFirst(6)
    }
    file.tensors = [.init("output.weight", [4, 2])]
    let checkpoint = try Checkpoint.open(scratch.write("m.gguf", file.bytes))
    #expect(checkpoint.tensors.isEmpty && checkpoint.architecture.tiedEmbeddings == true)
    #expect(checkpoint.architecture.rotaryLayout == .halfSplit)
  }

  @Test("every setting of the architecture is read")
  func settings() throws {
    let scratch = try Scratch()
    var file = RawGGUF()
    file.set("general.name", RawGGUF.string("Tiny"))
    let numbers: [(String, [UInt8])] = [
      ("attention.key_length", RawGGUF.uint32(16)), ("attention.value_length", RawGGUF.uint32(16)),
      ("vocab_size", RawGGUF.uint32(99)), ("rope.freq_base_swa", RawGGUF.float32(500)),
      ("rope.scaling.type", RawGGUF.string("linear")), ("rope.scaling.factor", RawGGUF.float32(8)),
      ("attention.sliding_window", RawGGUF.uint32(512)),
      ("attention.sliding_window_pattern", RawGGUF.array(7, 2, [1, 0])),
      ("attn_logit_softcapping", RawGGUF.float32(50)),
      ("final_logit_softcapping", RawGGUF.float64(30)),
    ]
    for (key, value) in numbers { file.set("llama.\(key)", value) }
    file.set("tokenizer.chat_template", RawGGUF.string("{{ x }}"))
    file.set("tokenizer.ggml.eos_token_id", RawGGUF.uint32(1))
    file.set("tokenizer.ggml.eot_token_id", RawGGUF.uint32(106))
    file.set("tokenizer.ggml.padding_token_id", RawGGUF.int32(-1))
    file.set("general.sampling.temp", RawGGUF.float32(0.5))
    file.set("general.sampling.top_k", RawGGUF.int32(64))
    file.set("general.sampling.top_p", RawGGUF.float32(0.75))
    let checkpoint = try Checkpoint.open(scratch.write("m.gguf", file.bytes))
    let found = checkpoint.architecture
    #expect(found.name == "Tiny" && found.headWidth == 16 && found.vocabulary == 99)
    #expect(found.localRopeBase == 500 && found.ropeScale == 8 && found.slidingWindow == 512)
    #expect(found.slidingWindowPattern == [true] && found.slidingWindowPeriod == nil)
    #expect(found.attentionSoftCap == 50 && found.finalSoftCap == 30 && found.keyValueHeads == 2)
    #expect(checkpoint.chatTemplate == "{{ x }}")
    #expect(
      checkpoint.generationDefaults
        == GenerationDefaults(stopTokens: [1, 106], temperature: 0.5, topK: 64, topP: 0.75))
    guard case .gguf(let tokenizer) = checkpoint.tokenizer else { return }
    #expect(tokenizer.padding == nil && tokenizer.endOfTurn == 106)
    file.set("llama.attention.sliding_window_pattern", RawGGUF.uint32(6))
    let period = try Checkpoint.open(scratch.write("p.gguf", file.bytes)).architecture
    #expect(period.slidingWindowPattern == nil && period.slidingWindowPeriod == 6)
  }
}
