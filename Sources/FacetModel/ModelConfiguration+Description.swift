// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetCheckpoint
import FacetTensor

extension ModelConfiguration {
  /// The configuration of the model that `description` describes.
  ///
  /// Where the file is silent its family's defaults hold. Then the known rows are consulted. A
  /// file with the shape of a Gemma row is that model: the attention scale and the window, which
  /// GGUF files do not all state, come from the row, and a file that states something else about
  /// them, or about soft caps, is refused. One error is known and corrected: Gemma 2 9B was first
  /// published with 224 for 256. Rotary base and scale, context and ε are the file's own, so that
  /// models tuned for longer contexts run as their authors meant them.
  public init(_ description: ArchitectureDescription) throws(ModelError) {
    let family = try Family(architecture: description.architecture)
    var result = try ModelConfiguration(family: family, description)
    try result.checkSizes()
    if let row = result.matchingRow(stated: description) {
      try result.adopt(row, stated: description)
    }
    self = result
  }

  /// What `description` says, with the defaults of `family` where it says nothing.
  private init(
    family: Family, _ description: ArchitectureDescription
  ) throws(ModelError) {
    guard description.queryHeads > 0, description.layers > 0 else {
      throw ModelError(.unsupported, "The model has no layers or no attention heads.")
    }
    // A Gemma head is 256 wide unless the file says otherwise; D/H is wrong for most sizes.
    let headWidth =
      description.headWidth ?? (family.isGemma ? 256 : description.width / description.queryHeads)
    let rope = Rotary(
      base: description.ropeBase ?? (family == .gemma3 ? 1_000_000 : 10_000),
      scale: description.ropeScale ?? 1)
    guard let vocabulary = description.vocabulary else {
      throw ModelError(.unsupported, "The model has no embedding, so its vocabulary is unknown.")
    }
    self.init(
      name: description.name ?? description.architecture, family: family,
      layers: description.layers, width: description.width,
      feedForwardWidth: description.feedForwardWidth, queryHeads: description.queryHeads,
      keyValueHeads: description.keyValueHeads, headWidth: headWidth, vocabulary: vocabulary,
      contextLength: description.contextLength ?? family.contextLength,
      attention: try AttentionPattern(family: family, description),
      attentionScale: 1 / (description.queryPreAttentionScalar ?? Float(headWidth)).squareRoot(),
      attentionSoftCap: description.attentionSoftCap, finalSoftCap: description.finalSoftCap,
      normEpsilon: description.normEpsilon ?? (family.isGemma ? 1e-6 : 1e-5),
      activation: try Activation(family: family, named: description.activation),
      embeddingScale: family.isGemma ? Float(description.width).squareRoot() : 1,
      rope: rope,
      localRope: family == .gemma3 ? Rotary(base: description.localRopeBase ?? 10_000) : rope,
      rotaryLayout: description.rotaryLayout,
      tiedEmbeddings: family.isGemma || description.tiedEmbeddings ?? false)
    attentionMask = description.isBidirectional ? .bidirectional : .causal
    if family == .gemma2 {
      attentionSoftCap = description.attentionSoftCap ?? 50
      finalSoftCap = description.finalSoftCap ?? 30
    }
  }

  private func checkSizes() throws(ModelError) {
    guard keyValueHeads > 0, queryHeads.isMultiple(of: keyValueHeads) else {
      throw ModelError(
        .unsupported,
        "The model has \(queryHeads) query heads and \(keyValueHeads) key-value heads; the first "
          + "must be a multiple of the second.")
    }
    guard width > 0, feedForwardWidth > 0, vocabulary > 0, contextLength > 0, headWidth > 0,
      headWidth.isMultiple(of: 2)
    else {
      throw ModelError(
        .unsupported,
        "The model has width \(width), feed-forward width \(feedForwardWidth), vocabulary "
          + "\(vocabulary), context \(contextLength) and heads of \(headWidth); all must be "
          + "positive and the last one even.")
    }
    guard attentionScale.isFinite, rope.base > 0, rope.scale > 0, localRope.base > 0,
      normEpsilon > 0
    else {
      throw ModelError(
        .unsupported,
        "The model states an attention scale of \(attentionScale), rotary bases \(rope.base) and "
          + "\(localRope.base), rotary scale \(rope.scale) and ε \(normEpsilon); all must be "
          + "positive.")
    }
  }
}

extension Family {
  fileprivate init(architecture: String) throws(ModelError) {
    switch architecture {
    case "gemma": self = .gemma1
    case "gemma2": self = .gemma2
    case "gemma3": self = .gemma3
    case "llama", "mistral": self = .llama
    default:
      throw ModelError(
        .unsupported,
        "Facet does not run the architecture '\(architecture)'; it runs gemma, gemma2, gemma3, "
          + "llama and mistral.")
    }
  }

  /// The context of the family's smallest model, for files that do not state one.
  fileprivate var contextLength: Int {
    switch self {
    case .gemma1, .gemma2: 8192
    case .gemma3: 32768
    case .llama: 2048
    }
  }
}

extension Activation {
  /// The first Gemma files said "gelu" (the erf form); the models were trained with the tanh form.
  fileprivate init(family: Family, named name: String?) throws(ModelError) {
    switch (family.isGemma, name) {
    case (true, nil), (true, "gelu"), (true, "gelu_pytorch_tanh"), (true, "gelu_new"):
      self = .geluTanh
    case (false, nil), (false, "silu"), (false, "swish"):
      self = .silu
    default:
      throw ModelError(
        .unsupported,
        "The activation '\(name ?? "")' is not one that \(family.rawValue) models have.")
    }
  }
}

extension AttentionPattern {
  fileprivate init(
    family: Family, _ description: ArchitectureDescription
  ) throws(ModelError) {
    let (period, window): (Int, Int?) =
      switch family {
      case .gemma1, .llama: (0, description.slidingWindow)
      case .gemma2: (2, description.slidingWindow ?? 4096)
      case .gemma3: (6, description.slidingWindow ?? 512)
      }
    guard family != .gemma1, var window else {
      self = .global
      return
    }
    // Half of it on each side of a token, and the token.
    if description.isBidirectional { window = window / 2 + 1 }
    guard window > 0 else {
      throw ModelError(.unsupported, "The model has a sliding window of \(window) tokens.")
    }
    if let pattern = description.slidingWindowPattern {
      self = AttentionPattern(windowed: pattern, window: window)
    } else {
      self = AttentionPattern(
        period: description.slidingWindowPeriod ?? period, window: window)
    }
  }

  /// The pattern in which the last layer of every `period` is global; 0 when none is.
  private init(period: Int, window: Int) {
    switch period {
    case 0: self = .window(window)
    case 1: self = .global
    default: self = .alternating(local: period - 1, global: 1, window: window)
    }
  }

  /// The shortest way to say which layers are windowed.
  private init(windowed: [Bool], window: Int) {
    if !windowed.contains(true) {
      self = .global
    } else if let local = windowed.firstIndex(of: false) {
      let repeating = AttentionPattern.alternating(local: local, global: 1, window: window)
      let same = windowed.indices.allSatisfy {
        (repeating.window(layer: $0) != nil) == windowed[$0]
      }
      self = same ? repeating : .listed(windowed: windowed, window: window)
    } else {
      self = .window(window)
    }
  }
}
