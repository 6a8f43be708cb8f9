// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The names of tensors in GGUF files of the gemma, gemma2, gemma3 and llama architectures.
enum GGUFNames {
  /// Names of the tensors that exist once.
  static let global: [(name: String, role: TensorRole)] = [
    ("token_embd.weight", .embedding),
    ("output_norm.weight", .finalNorm),
    ("output.weight", .head),
    ("dense_2.weight", .denseExpansion),
    ("dense_3.weight", .denseProjection),
  ]

  /// What follows `blk.i.`.
  static let perLayer: [(suffix: String, role: TensorRole)] = [
    ("attn_norm.weight", .attentionNorm),
    ("attn_q.weight", .query),
    ("attn_k.weight", .key),
    ("attn_v.weight", .value),
    ("attn_output.weight", .attentionOutput),
    ("attn_q_norm.weight", .queryNorm),
    ("attn_k_norm.weight", .keyNorm),
    ("post_attention_norm.weight", .postAttentionNorm),
    ("ffn_norm.weight", .feedForwardNorm),
    ("ffn_gate.weight", .gate),
    ("ffn_up.weight", .up),
    ("ffn_down.weight", .down),
    ("post_ffw_norm.weight", .postFeedForwardNorm),
  ]

  private static let globalRoles = Dictionary(
    uniqueKeysWithValues: global.map { ($0.name, $0.role) })
  private static let layerRoles = Dictionary(
    uniqueKeysWithValues: perLayer.map { ($0.suffix, $0.role) })

  /// What `name` is called in Facet; nil when it has no meaning here.
  static func name(_ name: String) -> TensorName? {
    if let role = globalRoles[name] { return TensorName(role) }
    let parts = name.split(separator: ".", maxSplits: 2)
    guard parts.count == 3, parts[0] == "blk", let layer = TensorName.layer(parts[1]),
      let role = layerRoles[String(parts[2])]
    else { return nil }
    return TensorName(role, layer: layer)
  }

  /// What the tensor `name` is called in a GGUF file.
  static func string(_ name: TensorName) -> String {
    if let row = global.first(where: { $0.role == name.role }) { return row.name }
    let suffix = perLayer.first { $0.role == name.role }?.suffix ?? name.role.rawValue
    return "blk.\(name.layer ?? 0).\(suffix)"
  }
}
