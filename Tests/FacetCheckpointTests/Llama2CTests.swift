// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import Testing

/// A checkpoint of llama2.c by the layout that its export script writes.
struct RawLlama2C {
  var sizes: [Int32] = [8, 12, 2, 4, 2, 10, 16]
  /// Numbers that follow the header; each is its own index.
  var count: Int?

  var vocabulary: Int { Int(abs(sizes[5])) }

  /// Numbers of each part in the file's order, with the shape of one tensor.
  var parts: [(role: TensorRole?, count: Int, rows: Int, columns: Int)] {
    let (width, feedForward, layers) = (Int(sizes[0]), Int(sizes[1]), Int(sizes[2]))
    let head = width / Int(sizes[3])
    let keys = head * Int(sizes[4])
    return [
      (.embedding, 1, vocabulary, width), (.attentionNorm, layers, 1, width),
      (.query, layers, width, width), (.key, layers, keys, width), (.value, layers, keys, width),
      (.attentionOutput, layers, width, width), (.feedForwardNorm, layers, 1, width),
      (.gate, layers, feedForward, width), (.down, layers, width, feedForward),
      (.up, layers, feedForward, width), (.finalNorm, 1, 1, width),
      (nil, 2, Int(sizes[6]), head / 2),
    ] + (sizes[5] < 0 ? [(.head, 1, vocabulary, width)] : [])
  }

  var bytes: [UInt8] {
    let total = count ?? parts.reduce(0) { $0 + $1.count * $1.rows * $1.columns }
    return sizes.flatMap { little($0) } + (0..<total).flatMap { little(Float($0).bitPattern) }
  }
}

@Suite("Checkpoints of llama2.c")
struct Llama2CTests {
  @Test("every tensor lies where the export script puts it", arguments: [10, -10] as [Int32])
  func layout(_ vocabulary: Int32) throws {
    let scratch = try Scratch()
    var raw = RawLlama2C()
    raw.sizes[5] = vocabulary
    let path = try scratch.write("stories.bin", raw.bytes)
    try scratch.write("tokenizer.bin", [1])
    let checkpoint = try Checkpoint.open(path)
    var first = 0
    var tensors = 0
    for part in raw.parts {
      for layer in 0..<part.count {
        if let role = part.role {
          let name = TensorName(role, layer: role.isGlobal ? nil : layer)
          let tensor = try #require(checkpoint.tensors[name])
          #expect(tensor.rows == part.rows && tensor.columns == part.columns, "\(name)")
          #expect(tensor.floats().first == Float(first), "\(name)")
          tensors += 1
        }
        first += part.rows * part.columns
      }
    }
    #expect(checkpoint.tensors.count == tensors)
    #expect(checkpoint.format == .llama2c && checkpoint.byteCount == raw.bytes.count)
    var expected = ArchitectureDescription(
      architecture: "llama", layers: 2, width: 8, feedForwardWidth: 12, queryHeads: 4,
      keyValueHeads: 2, rotaryLayout: .interleaved)
    expected.name = "stories"
    expected.headWidth = 2
    expected.vocabulary = 10
    expected.contextLength = 16
    expected.tiedEmbeddings = vocabulary > 0
    expected.normEpsilon = 1e-5
    expected.ropeBase = 10000
    #expect(checkpoint.architecture == expected)
    #expect(checkpoint.metadata("vocab_size") == "\(vocabulary)")
    #expect(checkpoint.metadata("n_kv_heads") == "2")
  }

  @Test("its tokenizer is the one of its size, else tokenizer.bin")
  func tokenizer() throws {
    let scratch = try Scratch()
    let path = try scratch.write("m.bin", RawLlama2C().bytes)
    #expect(
      failure(opening: path)
        == CheckpointError(
          .notFound, "'\(path)' needs its tokenizer beside it, as tok10.bin or tokenizer.bin."))
    for name in ["tokenizer.bin", "tok10.bin"] {
      let file = try scratch.write(name, Array(name.utf8))
      guard case .llama2c(let found, 10) = try Checkpoint.open(path).tokenizer else {
        Issue.record("another tokenizer")
        return
      }
      #expect(found.path == file)
      #expect(try found.bytes() == Array(name.utf8))
    }
  }

  static let wrong: [(String, @Sendable (inout RawLlama2C) -> Void)] = [
    ("a number too few", { $0.count = 1111 }), ("a number too many", { $0.count = 1113 }),
    ("a width of zero", { $0.sizes[0] = 0 }), ("negative layers", { $0.sizes[2] = -2 }),
    ("no heads", { $0.sizes[3] = 0 }), ("heads that do not divide", { $0.sizes[3] = 3 }),
    ("key heads that do not divide", { $0.sizes[4] = 3 }), ("odd heads", { $0.sizes[3] = 8 }),
    ("the smallest vocabulary", { $0.sizes[5] = .min }),
    ("largest sizes", { $0.sizes = .init(repeating: .max, count: 7) }),
    ("smallest sizes", { $0.sizes = .init(repeating: .min, count: 7) }),
    ("no context", { $0.sizes[6] = 0 }), ("only a header", { $0.count = 0 }),
  ]

  @Test("a file whose sizes do not account for every byte is none", arguments: wrong.indices)
  func refused(_ index: Int) throws {
    let scratch = try Scratch()
    try scratch.write("tokenizer.bin", [1])
    var raw = RawLlama2C()
    #expect(raw.bytes.count == 28 + 4 * 1112)
    raw.count = 1112
    Self.wrong[index].1(&raw)
    let path = try scratch.write("m.bin", raw.bytes)
    #expect(
      failure(opening: path)?.message
        == "'\(path)' is none of the files that Facet reads: GGUF, a Hugging Face directory with "
        + "safetensors, a llama2.c checkpoint. If it should be one, it is cut short or damaged.",
      "\(Self.wrong[index].0)")
  }
}
