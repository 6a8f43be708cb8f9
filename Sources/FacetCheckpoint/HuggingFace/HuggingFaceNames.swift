// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The names of tensors in Hugging Face files of the gemma, llama and mistral model types.
struct HuggingFaceNames {
  /// What a name means here.
  enum Meaning: Hashable {
    case tensor(TensorName)
    /// A part that Facet leaves alone, for a reason that it knows.
    case ignored
    case unknown
  }

  /// `gemma`, `gemma2`, `gemma3`, `llama` or `mistral`.
  let architecture: String

  /// Prefixes of the text model, longest first; multimodal files changed theirs over time.
  static let textPrefixes = ["model.language_model.", "language_model.model.", "model."]

  /// How names begin in files of an encoder.
  private static let bareNames = ["embed_tokens.", "layers.", "norm."]

  /// The output head, which files with tied embeddings sometimes repeat.
  static let heads = ["lm_head.weight", "language_model.lm_head.weight"]

  /// The vision parts of Gemma 3 4B, 12B and 27B: Facet runs their text model.
  static let ignoredPrefixes = [
    "vision_tower.", "model.vision_tower.", "multi_modal_projector.",
    "model.multi_modal_projector.",
  ]

  /// A buffer that early Llama files hold and that follows from the configuration.
  static let ignoredSuffixes = ["rotary_emb.inv_freq"]

  private static let perLayer: [String: TensorRole] = [
    "input_layernorm.weight": .attentionNorm,
    "self_attn.q_proj.weight": .query,
    "self_attn.k_proj.weight": .key,
    "self_attn.v_proj.weight": .value,
    "self_attn.o_proj.weight": .attentionOutput,
    "self_attn.q_norm.weight": .queryNorm,
    "self_attn.k_norm.weight": .keyNorm,
    "mlp.gate_proj.weight": .gate,
    "mlp.up_proj.weight": .up,
    "mlp.down_proj.weight": .down,
    "pre_feedforward_layernorm.weight": .feedForwardNorm,
    "post_feedforward_layernorm.weight": .postFeedForwardNorm,
  ]

  /// What `name` means in a model of this architecture.
  func meaning(_ name: String) -> Meaning {
    if HuggingFaceNames.heads.contains(name) { return .tensor(TensorName(.head)) }
    if HuggingFaceNames.ignoredPrefixes.contains(where: name.hasPrefix)
      || HuggingFaceNames.ignoredSuffixes.contains(where: name.hasSuffix)
    {
      return .ignored
    }
    // Encoders are saved without a head around them, and without its prefix.
    let isBare =
      architecture == "gemma3" && HuggingFaceNames.bareNames.contains(where: name.hasPrefix)
    guard
      let prefix = HuggingFaceNames.textPrefixes.first(where: name.hasPrefix) ?? (isBare ? "" : nil)
    else { return .unknown }
    let rest = name.dropFirst(prefix.count)
    if rest == "embed_tokens.weight" { return .tensor(TensorName(.embedding)) }
    if rest == "norm.weight" { return .tensor(TensorName(.finalNorm)) }
    let parts = rest.split(separator: ".", maxSplits: 2)
    guard parts.count == 3, parts[0] == "layers", let layer = TensorName.layer(parts[1]),
      let role = role(String(parts[2]))
    else { return .unknown }
    return .tensor(TensorName(role, layer: layer))
  }

  private func role(_ suffix: String) -> TensorRole? {
    guard suffix == "post_attention_layernorm.weight" else {
      return HuggingFaceNames.perLayer[suffix]
    }
    // The name means the norm before the feed-forward network where a layer has two norms, and the
    // norm after attention where it has four.
    return architecture == "gemma2" || architecture == "gemma3"
      ? .postAttentionNorm : .feedForwardNorm
  }

  /// What the tensor `name` is called in a file of a text model.
  func string(_ name: TensorName) -> String {
    switch name.role {
    case .embedding: return "model.embed_tokens.weight"
    case .finalNorm: return "model.norm.weight"
    case .head: return "lm_head.weight"
    default:
      let suffix =
        HuggingFaceNames.perLayer.first { role($0.key) == name.role }?.key
        ?? "post_attention_layernorm.weight"
      return "model.layers.\(name.layer ?? 0).\(suffix)"
    }
  }
}
