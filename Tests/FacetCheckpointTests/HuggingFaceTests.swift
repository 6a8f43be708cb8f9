// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import FacetTestSupport
import Testing

@Suite("Hugging Face directories against transformers and safetensors")
struct HuggingFaceTests {
  static let families = ["gemma", "gemma2", "gemma3_text", "gemma3", "llama", "mistral-sharded"]

  /// What a name of the golden files means; nil for parts that are not the text model's.
  private func name(_ text: String, _ family: String) -> TensorName? {
    guard !text.contains("vision_tower"), !text.contains("multi_modal_projector") else {
      return nil
    }
    if text.hasSuffix("embed_tokens.weight") { return TensorName(.embedding) }
    if text.hasSuffix("lm_head.weight") { return TensorName(.head) }
    if text.hasSuffix("model.norm.weight") { return TensorName(.finalNorm) }
    let parts = text.split(separator: ".")
    guard let at = parts.firstIndex(of: "layers"), let layer = Int(parts[at + 1]) else {
      return nil
    }
    let fourNorms = family.hasPrefix("gemma2") || family.hasPrefix("gemma3")
    let roles: [Substring: TensorRole] = [
      "q_proj": .query, "k_proj": .key, "v_proj": .value, "o_proj": .attentionOutput,
      "q_norm": .queryNorm, "k_norm": .keyNorm, "gate_proj": .gate, "up_proj": .up,
      "down_proj": .down, "input_layernorm": .attentionNorm,
      "post_attention_layernorm": fourNorms ? .postAttentionNorm : .feedForwardNorm,
      "pre_feedforward_layernorm": .feedForwardNorm,
      "post_feedforward_layernorm": .postFeedForwardNorm,
    ]
    return roles[parts[parts.count - 2]].map { TensorName($0, layer: layer) }
  }

  @Test(
    "matrices are the file's own bytes, norms what the model multiplies by", arguments: families)
  func tensors(_ family: String) throws {
    let scratch = try Scratch()
    try scratch.copy(golden: family)
    let checkpoint = try Checkpoint.open(scratch.path)
    let golden = try CheckpointGolden.load(family)
    var seen: Set<TensorName> = []
    for stated in golden.tensors {
      guard let name = name(stated.name, family) else { continue }
      seen.insert(name)
      let tensor = try #require(checkpoint.tensors[name], "\(stated.name)")
      if let multipliers = stated.multipliers {
        #expect(tensor.dtype == .f32 && tensor.rows == 1)
        // 1 + w is rounded to f32 here and not in the oracle's double precision.
        for (found, expected) in zip(tensor.floats(), multipliers) {
          #expect(abs(Double(found) - expected) <= 2e-7 * (1 + abs(expected)), "\(stated.name)")
        }
        #expect(tensor.columns == multipliers.count)
      } else {
        #expect([tensor.rows, tensor.columns] == stated.shape, "\(stated.name)")
        #expect(tensor.dtype.name == stated.type && crc32(tensor.copy) == stated.crc32)
      }
    }
    #expect(seen == Set(checkpoint.tensors.keys))
    #expect(checkpoint.format == .safetensors)
    #expect((checkpoint.tensors[TensorName(.head)] != nil) == (family == "mistral-sharded"))
  }

  @Test("config.json as transformers writes it", arguments: families)
  func configuration(_ family: String) throws {
    let scratch = try Scratch()
    try scratch.copy(golden: family)
    let found = try Checkpoint.open(scratch.path).architecture
    let names = ["gemma3_text": "gemma3", "mistral-sharded": "mistral"]
    var expected = ArchitectureDescription(
      architecture: names[family] ?? family, layers: 2, width: 8, feedForwardWidth: 12,
      queryHeads: 4, keyValueHeads: 2)
    expected.name = scratch.path.split(separator: "/").last.map(String.init)
    expected.headWidth = 6
    expected.vocabulary = family == "gemma3" ? 20 : 16
    expected.contextLength = 64
    expected.normEpsilon = 1e-6
    expected.initializerRange = 0.02
    expected.ropeBase = family.hasPrefix("gemma3") ? 1_000_000 : 10_000
    expected.localRopeBase = family.hasPrefix("gemma3") ? 10_000 : nil
    expected.tiedEmbeddings = family != "mistral-sharded"
    expected.activation = family.hasPrefix("gemma") ? "gelu_pytorch_tanh" : "silu"
    if ["gemma2", "gemma3", "gemma3_text", "mistral-sharded"].contains(family) {
      expected.slidingWindow = 8
    }
    if family == "gemma2" {
      expected.attentionSoftCap = 50
      expected.finalSoftCap = 30
      expected.slidingWindowPattern = [true, false]
    }
    if family.hasPrefix("gemma3") { expected.slidingWindowPattern = [true, true] }
    if family.hasPrefix("gemma2") || family.hasPrefix("gemma3") {
      expected.queryPreAttentionScalar = 256
    }
    #expect(found == expected)
  }

  @Test("shards are found by the index, and from any of their files")
  func shards() throws {
    let scratch = try Scratch()
    try scratch.copy(golden: "mistral-sharded")
    let shards = try scratch.names.filter { $0.hasPrefix("model-") }
    #expect(shards.count == 3)
    let whole = try Checkpoint.open(scratch.path)
    for name in shards {
      let checkpoint = try Checkpoint.open(scratch.file(name))
      #expect(checkpoint.tensors.count == whole.tensors.count)
      #expect(checkpoint.path == scratch.path)
    }
    let sizes = try shards.map { try contents(scratch.file($0)).count }
    #expect(whole.byteCount == sizes.reduce(0, +))
  }
}

/// A directory made by hand, with the smallest file of weights.
struct RawDirectory {
  let scratch: Scratch
  var path: String { scratch.path }

  init(_ config: String, weights: Bool = true) throws {
    scratch = try Scratch()
    try scratch.write("config.json", config)
    try scratch.write("tokenizer.model", "pieces")
    if weights { try write(header: "{}", data: []) }
  }

  /// Writes a safetensors file of this header, filled up to eight bytes, and data.
  @discardableResult
  func write(
    _ name: String = "model.safetensors", header: String, data: [UInt8]
  ) throws -> String {
    let text = Array(header.utf8) + [UInt8](repeating: 0x20, count: (8 - header.utf8.count % 8) % 8)
    return try scratch.write(name, little(UInt64(text.count)) + text + data)
  }

  static func config(_ type: String = "llama", _ more: String = "") -> String {
    #"{"model_type":"\#(type)","num_hidden_layers":2,"hidden_size":8,"intermediate_size":12,"#
      + #""num_attention_heads":4\#(more.isEmpty ? "" : ",")\#(more)}"#
  }
}

@Suite("What a Hugging Face directory says beside its weights")
struct HuggingFaceSettingsTests {
  private func description(_ config: String) throws -> ArchitectureDescription {
    let directory = try RawDirectory(config)
    return try withExtendedLifetime(directory.scratch) {
      try Checkpoint.open(directory.path).architecture
    }
  }

  @Test("configurations of older writers")
  func older() throws {
    // As published with Gemma 3 1B: period and bases in keys of their own.
    let gemma3 = try description(
      RawDirectory.config(
        "gemma3_text",
        #""sliding_window":512,"sliding_window_pattern":6,"rope_theta":1000000,"#
          + #""rope_local_base_freq":10000,"rope_scaling":null,"query_pre_attn_scalar":256"#))
    #expect(gemma3.slidingWindowPeriod == 6 && gemma3.slidingWindowPattern == nil)
    #expect(gemma3.ropeBase == 1_000_000 && gemma3.localRopeBase == 10_000)
    #expect(gemma3.ropeScale == nil && gemma3.keyValueHeads == 4 && gemma3.vocabulary == 262_208)
    // As published with Gemma 3 4B: what equals the library's defaults is left out.
    let nested = try description(
      #"{"model_type":"gemma3","text_config":{"hidden_size":2560,"intermediate_size":10240,"#
        + #""model_type":"gemma3_text","num_hidden_layers":34,"sliding_window":1024,"#
        + #""rope_scaling":{"factor":8.0,"rope_type":"linear"}},"vision_config":{"hidden_size":1}}"#
    )
    #expect(nested.architecture == "gemma3" && nested.width == 2560 && nested.layers == 34)
    #expect(nested.queryHeads == 8 && nested.keyValueHeads == 4 && nested.ropeScale == 8)
    #expect(nested.tiedEmbeddings == true)
    let mistral = try description(
      RawDirectory.config("mistral", #""sliding_window":null,"head_dim":null"#))
    #expect(mistral.slidingWindow == nil && mistral.headWidth == nil && mistral.keyValueHeads == 4)
    #expect(mistral.tiedEmbeddings == false)
    let scaled = try description(
      RawDirectory.config("llama", #""rope_scaling":{"type":"linear","factor":2}"#))
    #expect(scaled.ropeScale == 2)
    let parameters = try description(
      RawDirectory.config(
        "gemma3_text",
        #""rope_parameters":{"full_attention":{"rope_type":"linear","factor":8,"rope_theta":7},"#
          + #""sliding_attention":{"rope_type":"default","rope_theta":5}}"#))
    #expect(parameters.ropeScale == 8 && parameters.ropeBase == 7 && parameters.localRopeBase == 5)
  }

  @Test("stop tokens: one, several, from generation_config.json before config.json")
  func stops() throws {
    func stops(_ config: String, _ generation: String? = nil) throws -> GenerationDefaults {
      let directory = try RawDirectory(config)
      if let generation { try directory.scratch.write("generation_config.json", generation) }
      return try Checkpoint.open(directory.path).generationDefaults
    }
    let config = RawDirectory.config("llama", #""eos_token_id":[3,4]"#)
    #expect(try stops(config).stopTokens == [3, 4])
    #expect(try stops(config, #"{"eos_token_id":1}"#).stopTokens == [1])
    #expect(try stops(config, #"{"eos_token_id":[1,106]}"#).stopTokens == [1, 106])
    #expect(try stops(config, #"{"eos_token_id":null}"#).stopTokens == [3, 4])
    #expect(try stops(config, #"{"eos_token_id":[-1,99999999999,"x"]}"#).stopTokens == [3, 4])
    let nested =
      #"{"model_type":"gemma3","text_config":{"hidden_size":8,"intermediate_size":8,"#
      + #""num_hidden_layers":1,"eos_token_id":7}}"#
    #expect(try stops(nested).stopTokens == [7])
    #expect(
      try stops(config, #"{"do_sample":true,"temperature":0.5,"top_k":64,"top_p":0.95}"#)
        == GenerationDefaults(stopTokens: [3, 4], temperature: 0.5, topK: 64, topP: 0.95))
  }

  @Test("tokenizer.model before tokenizer.json, with the settings beside them")
  func tokenizer() throws {
    let directory = try RawDirectory(
      RawDirectory.config(
        "llama", #""bos_token_id":1,"eos_token_id":[2,3],"pad_token_id":-1"#))
    try directory.scratch.write("tokenizer.json", "{}")
    try directory.scratch.write(
      "tokenizer_config.json", #"{"add_bos_token":true,"add_eos_token":false}"#)
    let settings = TokenizerSettings(bos: 1, eos: 2, addsBOS: true, addsEOS: false)
    guard
      case .sentencePiece(let file, settings) = try Checkpoint.open(directory.path).tokenizer
    else {
      Issue.record("another tokenizer")
      return
    }
    #expect(try file.bytes() == Array("pieces".utf8))
    try directory.scratch.remove("tokenizer.model")
    guard case .json(let file, settings) = try Checkpoint.open(directory.path).tokenizer else {
      Issue.record("another tokenizer")
      return
    }
    #expect(try file.bytes() == Array("{}".utf8))
    try directory.scratch.remove("tokenizer.json")
    #expect(
      failure(opening: directory.path)
        == CheckpointError(
          .notFound,
          "'\(directory.path)' has neither tokenizer.model nor tokenizer.json. Download the model "
            + "again."))
  }

  @Test("chat templates: the settings', the default of several, a file of its own first")
  func chatTemplate() throws {
    let directory = try RawDirectory(RawDirectory.config())
    #expect(try Checkpoint.open(directory.path).chatTemplate == nil)
    for (settings, expected) in [
      (#"{"chat_template":"{{ 1 }}"}"#, "{{ 1 }}"),
      (
        #"{"chat_template":[{"name":"tool","template":"t"},{"name":"default","template":"d"}]}"#,
        "d"
      ),
      (#"{"chat_template":[{"name":"tool","template":"t"}]}"#, "t"),
    ] {
      try directory.scratch.write("tokenizer_config.json", settings)
      #expect(try Checkpoint.open(directory.path).chatTemplate == expected)
    }
    try directory.scratch.write("chat_template.jinja", "{# file #}")
    #expect(try Checkpoint.open(directory.path).chatTemplate == "{# file #}")
  }

  @Test("names of every age of the text model, and what is left alone")
  func names() throws {
    for prefix in ["model.", "language_model.model.", "model.language_model."] {
      let directory = try RawDirectory(RawDirectory.config("gemma3_text"))
      let place = #""dtype":"F16","shape":[1],"data_offsets":[0,2]"#
      let skipped = #""dtype":"I64","shape":[0],"data_offsets":[2,2]"#
      try directory.write(
        header: #"{"\#(prefix)norm.weight":{\#(place)},"vision_tower.x":{\#(skipped)},"#
          + #""model.multi_modal_projector.y":{\#(skipped)},"__metadata__":{"format":"pt"},"#
          + #""model.layers.0.self_attn.rotary_emb.inv_freq":{\#(skipped)}}"#, data: [0, 0x3C])
      let tensors = try Checkpoint.open(directory.path).tensors
      #expect(tensors.count == 1 && tensors[TensorName(.finalNorm)]?.floats() == [2])
    }
  }
}
