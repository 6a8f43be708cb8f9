// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// Everything that tells one model from another: numbers of its architecture, choices of its family.
///
/// Data, not code: a known size is a row of ``known``.
public struct ModelConfiguration: Sendable, Hashable, Codable {
  /// The row's name, `gemma-3-270m`, or the file's own when it is none of the known sizes.
  public var name: String
  /// The family, which decides norms, scales and activation.
  public var family: Family
  /// Transformer layers, L.
  public var layers: Int
  /// Width of the residual stream, D.
  public var width: Int
  /// Width of one branch of the feed-forward network, F.
  public var feedForwardWidth: Int
  /// Query heads, H.
  public var queryHeads: Int
  /// Key and value heads, K; H/K query heads share one.
  public var keyValueHeads: Int
  /// Width of a head, h.
  public var headWidth: Int
  /// Words that logits are computed for; the embedding of a file may have unused rows beyond.
  public var vocabulary: Int
  /// Tokens the model was trained to see at once.
  public var contextLength: Int
  /// Which layers see everything and which only a window.
  public var attention: AttentionPattern
  /// What queries are multiplied by before they meet the keys.
  public var attentionScale: Float
  /// Cap c on attention scores: c·tanh(s/c), after the scale and before the mask.
  public var attentionSoftCap: Float?
  /// Cap on logits.
  public var finalSoftCap: Float?
  /// The ε of every RMS norm.
  public var normEpsilon: Float
  /// The activation of the feed-forward network.
  public var activation: Activation
  /// What token embeddings are multiplied by.
  public var embeddingScale: Float
  /// Rotary embedding of layers that see everything.
  public var rope: Rotary
  /// Rotary embedding of layers that see a window.
  public var localRope: Rotary
  /// Which two numbers of a head are turned together.
  public var rotaryLayout: RotaryLayout
  /// True when the output head is the embedding.
  public var tiedEmbeddings: Bool
  /// Which keys a query sees; where it is not causal, the model encodes texts and generates none.
  public var attentionMask = AttentionMask.causal

  /// True when every head of the queries and keys is normalised before it is turned: Gemma 3.
  public var hasQueryKeyNorm: Bool { family == .gemma3 }
  /// True when the branches are normalised before they are added: Gemma 2 and 3.
  public var hasPostNorms: Bool { family == .gemma2 || family == .gemma3 }
  /// Width of all query heads together.
  public var queryWidth: Int { queryHeads * headWidth }
  /// Width of all key (or value) heads together.
  public var keyValueWidth: Int { keyValueHeads * headWidth }

  /// The rotary embedding of `layer`.
  public func rope(layer: Int) -> Rotary { window(layer: layer) == nil ? rope : localRope }

  /// Keys that `layer` sees, the query's own included; nil when it sees all.
  public func window(layer: Int) -> Int? { attention.window(layer: layer) }
}

/// The families of models that one forward pass runs.
public enum Family: String, Sendable, Hashable, Codable, CaseIterable {
  /// Gemma (2024-02): two norms a layer.
  case gemma1
  /// Gemma 2: four norms a layer, soft caps, every other layer local.
  case gemma2
  /// Gemma 3, text: query-key norms, five local layers to one global.
  case gemma3
  /// Llama 2, Mistral and others of their shape.
  case llama

  /// True for the Gemma generations.
  public var isGemma: Bool { self != .llama }
}

/// Which layers see all keys and which only a sliding window of the last ones.
public enum AttentionPattern: Sendable, Hashable, Codable {
  /// Every layer sees everything.
  case global
  /// Every layer sees a window of this many keys.
  case window(Int)
  /// So many windowed layers, then so many that see everything, and again.
  case alternating(local: Int, global: Int, window: Int)
  /// One truth value a layer: true when it sees the window.
  case listed(windowed: [Bool], window: Int)

  /// Keys that `layer` sees, the query's own included; nil when it sees all.
  public func window(layer: Int) -> Int? {
    switch self {
    case .global: nil
    case .window(let window): window
    case .alternating(let local, let global, let window):
      layer % (local + global) < local ? window : nil
    case .listed(let windowed, let window):
      windowed.indices.contains(layer) && windowed[layer] ? window : nil
    }
  }
}

extension AttentionPattern: CustomStringConvertible {
  /// The text for people.
  public var description: String {
    switch self {
    case .global: "all layers see all"
    case .window(let window): "all layers of a window of \(window)"
    case .alternating(let local, let global, let window):
      "\(local) layers of a window of \(window) to \(global) that sees all"
    case .listed(let windowed, let window):
      "layers \(windowed.indices.filter { windowed[$0] }) of a window of \(window)"
    }
  }
}
