// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

/// What llama.cpp gives each matrix of some models (Tests/Goldens/PROVENANCE.md).
private struct TypeGoldens: Decodable {
  struct Case: Decodable {
    var name: String
    var layers: Int
    var heads: Int
    var kv: Int
    /// Name and columns.
    var tensors: [Entry]
    /// Type ids in the order of the tensors, by preset.
    var types: [String: String]
  }

  struct Entry: Decodable {
    var name: String
    var columns: Int

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      columns = try values.decode(Int.self)
    }
  }

  var cases: [Case]

  static func load() throws -> TypeGoldens {
    let url = URL(fileURLWithPath: Goldens.path("quantize/types.json"))
    return try JSONDecoder().decode(TypeGoldens.self, from: Data(contentsOf: url))
  }

  static let roles: [String: TensorRole] = [
    "attn_q": .query, "attn_k": .key, "attn_v": .value, "attn_output": .attentionOutput,
    "ffn_gate": .gate, "ffn_up": .up, "ffn_down": .down,
  ]

  static func name(_ text: String) throws -> TensorName {
    let parts = text.split(separator: ".")
    if parts[0] == "token_embd" { return TensorName(.embedding) }
    if parts[0] == "output" { return TensorName(.head) }
    return TensorName(try #require(roles[String(parts[2])]), layer: Int(parts[1]))
  }
}

@Suite("Presets give tensors their types")
struct QuantizationPresetTests {
  @Test("as llama.cpp does, in every preset", arguments: QuantizationPreset.allCases)
  func sameTypes(_ preset: QuantizationPreset) throws {
    for model in try TypeGoldens.load().cases {
      guard let expected = model.types[preset.rawValue]?.split(separator: " ") else {
        #expect(preset == .f32, "the oracle has no figures for \(preset)")
        continue
      }
      let context = QuantizationPreset.Context(
        layers: model.layers, headsPerKeyValueHead: model.heads / model.kv,
        tiedEmbeddings: !model.tensors.contains { $0.name == "output.weight" },
        hasImportance: false)
      for (tensor, id) in zip(model.tensors, expected) {
        let dtype = preset.dtype(
          of: try TypeGoldens.name(tensor.name), columns: tensor.columns, context)
        let name = UInt32(id).flatMap(DType.init(rawValue:))?.name ?? "type \(id)"
        #expect(dtype.name == name, "\(tensor.name) of \(model.name)")
      }
    }
  }

  @Test("norms stay in F32, whatever the preset", arguments: QuantizationPreset.allCases)
  func norms(_ preset: QuantizationPreset) {
    let context = QuantizationPreset.Context(
      layers: 4, headsPerKeyValueHead: 1, tiedEmbeddings: true, hasImportance: true)
    for role in TensorRole.allCases where role.isNorm {
      #expect(preset.dtype(of: TensorName(role, layer: 1), columns: 256, context) == .f32)
    }
  }

  @Test("names are read in any case; others are refused with the list")
  func names() throws {
    #expect(try QuantizationPreset(named: "q4_k_m") == .q4_K_M)
    #expect(try QuantizationPreset(named: "bf16") == .bf16)
    let error = #expect(throws: CheckpointError.self) { try QuantizationPreset(named: "IQ4_XS") }
    #expect(
      error?.message
        == "'IQ4_XS' is no type that Facet converts to; it knows Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, "
        + "Q3_K, Q4_K_S, Q4_K_M, Q5_K_S, Q5_K_M, Q6_K, BF16, F16, F32.")
  }
}
