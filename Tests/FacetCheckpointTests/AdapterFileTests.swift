// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

@Suite("Files of adapters")
struct AdapterFileTests {
  private static let query = TensorName(.query, layer: 1)

  /// A directory with a configuration and the factors of one matrix [3, 4] of rank 2.
  private func folder(
    _ configuration: String, file: String = "adapter_model.safetensors",
    names: [String] = [
      "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight",
      "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight",
    ],
    shapes: [[Int]] = [[2, 4], [3, 2]]
  ) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write("adapter_config.json", configuration)
    var writer = SafetensorsWriter()
    for (name, shape) in zip(names, shapes) {
      let values = (0..<shape.reduce(1, *)).map { Float($0) }
      try writer.add(name, .f32, shape: shape, .tensor(Tensor.vector(values)))
    }
    try writer.write(to: scratch.file(file))
    return scratch
  }

  private func message(_ scratch: Scratch) -> String? {
    failure { () throws(CheckpointError) in try AdapterCheckpoint.open(path: scratch.path) }?
      .message.replacingOccurrences(of: scratch.path, with: "DIR")
  }

  @Test("mlx-lm's factors are transposes, and its scale is absolute")
  func mlx() throws {
    let scratch = try folder(
      #"{"fine_tune_type":"lora","model":"m","lora_parameters":{"rank":2,"scale":20.0,"dropout":0.0}}"#,
      file: "adapters.safetensors",
      names: ["model.layers.1.self_attn.q_proj.lora_a", "model.layers.1.self_attn.q_proj.lora_b"],
      shapes: [[4, 2], [2, 3]])
    let adapter = try AdapterCheckpoint.open(path: scratch.path)
    let matrices = try #require(adapter.modules[Self.query])
    #expect(matrices.scale == 20)
    #expect(matrices.a.rows == 2 && matrices.a.floats() == [0, 2, 4, 6, 1, 3, 5, 7])
    #expect(matrices.b.rows == 3 && matrices.b.floats() == [0, 3, 1, 4, 2, 5])
    #expect(adapter.configuration.scale(of: Self.query) == 20)
    #expect(adapter.configuration.layers == [1] && adapter.configuration.baseModel == "m")
  }

  @Test("an adapter that is not W + scale · B · A is refused with the reason")
  func kinds() throws {
    func refusal(_ members: String) throws -> String? {
      message(try folder(#"{"peft_type":"LORA","r":2,"# + members + "}"))
    }
    let end =
      ". Facet takes adapters that are products of two factors: LoRA, rsLoRA, DoRA."
    let start = "The adapter of 'DIR/adapter_config.json' "
    #expect(try refusal(#""lora_alpha":4"#) == nil)
    #expect(try refusal(#""bias":"all""#) == start + "trains biases" + end)
    #expect(try refusal(#""fan_in_fan_out":true"#) == start + "sets 'fan_in_fan_out'" + end)
    #expect(
      try refusal(#""modules_to_save":["lm_head"]"#) == start + "sets 'modules_to_save'" + end)
    #expect(
      try refusal(#""init_lora_weights":"pissa_niter_4""#)
        == start + "began with 'pissa_niter_4', which changes the base model too" + end)
    #expect(
      try message(folder(#"{"peft_type":"IA3"}"#)) == start + "is of the type 'IA3', not LORA" + end
    )
    #expect(
      try refusal(#""rank_pattern":{"(?=q)":3}"#)
        == "'rank_pattern' of 'DIR/adapter_config.json' holds the pattern '(?=q)', which Facet does "
        + "not understand. Write the names of the modules.")
    #expect(
      try refusal(#""rank_pattern":{"q_proj":3}"#)
        == "'DIR/adapter_config.json' states a rank of 3 for 'layer 1 query', and its factors in "
        + "adapter_model.safetensors have 2.")
  }

  @Test("tensors that are unknown, alone or do not fit are named")
  func tensors() throws {
    let configuration = #"{"peft_type":"LORA","r":2,"lora_alpha":4}"#
    let stem = "base_model.model.model.layers.1.self_attn.q_proj"
    #expect(
      try message(folder(configuration, names: [stem + ".lora_A.weight"]))
        == "'DIR/adapter_model.safetensors' holds only one factor for 'layer 1 query'; an adapter has "
        + "two. Download it again.")
    #expect(
      try message(folder(configuration, names: [stem + ".lora_C.weight"]))
        == "'DIR/adapter_model.safetensors' holds '\(stem).lora_C.weight', which Facet does not know "
        + "in an adapter.")
    #expect(
      try message(folder(configuration, shapes: [[2, 4], [3, 3]]))
        == "The factors for 'layer 1 query' in 'DIR/adapter_model.safetensors' are 3 × 3 and 2 × 4, "
        + "which do not fit together.")
    #expect(
      try message(
        folder(configuration, names: ["base_model.model.model.embed_tokens.lora_embedding_A"]))?
        .contains("changes the embedding, which Facet's adapters do not") == true)
    #expect(
      try message(folder(configuration, names: []))
        == "'DIR/adapter_model.safetensors' holds no matrix of an adapter that Facet knows.")
    #expect(
      try message(folder("{}"))
        == "'DIR/adapter_config.json' is neither a configuration of PEFT (no 'peft_type') nor of "
        + "mlx-lm (no 'lora_parameters').")
  }

  @Test("no damage to an adapter's files does more than an error in a sentence")
  func fuzz() throws {
    var random = SeededGenerator.announced("AdapterFileTests", salt: 71)
    let scratch = try Scratch()
    let golden = Goldens.path("adapters/gemma3-dora")
    let names = ["adapter_config.json", "adapter_model.safetensors"]
    let sound = try names.map { try contents(golden + "/" + $0) }
    let adapter = try AdapterCheckpoint.open(path: Goldens.path("adapters/gemma2-rslora"))
    try AdapterCheckpoint(
      configuration: adapter.configuration, modules: adapter.modules, architecture: "gemma2"
    ).writeGGUF(to: scratch.file("a.gguf"))
    let gguf = try contents(scratch.file("a.gguf"))
    var opened = 0
    for index in 0..<3000 {
      let which = index % 3
      let (name, bytes) = which < 2 ? (names[which], sound[which]) : ("a.gguf", gguf)
      try scratch.write(names[0], sound[0])
      try scratch.write(names[1], sound[1])
      var damaged = bytes
      // Headers are where numbers are believed.
      let limit = min(bytes.count, 4096)
      switch index / 3 % 4 {
      case 0: damaged = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
      case 1: damaged[Int.random(in: 0..<limit, using: &random)] ^= 1 << (random.next() % 8)
      case 2:
        for _ in 0..<8 {
          let (at, to) = (
            Int.random(in: 0..<limit, using: &random), Int.random(in: 0..<limit, using: &random)
          )
          damaged.swapAt(at, to)
        }
      default:
        damaged = (0..<Int.random(in: 1...200, using: &random)).map { _ in
          UInt8(truncatingIfNeeded: random.next())
        }
      }
      try scratch.write(name, damaged)
      let path = which < 2 ? scratch.path : scratch.file(name)
      let error = failure { () throws(CheckpointError) in
        let adapter = try AdapterCheckpoint.open(path: path)
        opened += adapter.modules.isEmpty ? 0 : 1
      }
      if let error {
        #expect(
          error.message.hasSuffix(".") && error.message.contains(scratch.path),
          "case \(index): \(error.message)")
      }
    }
    #expect(opened > 10)
  }
}
