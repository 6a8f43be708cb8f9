// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a tensor does in the network, whatever its file calls it.
public enum TensorRole: String, Sendable, Hashable, CaseIterable, Codable {
  case embedding, head, finalNorm
  case attentionNorm, query, key, value, attentionOutput, queryNorm, keyNorm, postAttentionNorm
  case feedForwardNorm, gate, up, down, postFeedForwardNorm
  /// Two matrices that a pooled text goes through one after the other: EmbeddingGemma.
  case denseExpansion, denseProjection

  /// True for the tensors that exist once, not once a layer.
  public var isGlobal: Bool {
    switch self {
    case .embedding, .head, .finalNorm, .denseExpansion, .denseProjection: true
    default: false
    }
  }

  /// True for the multipliers of an RMS norm, which are vectors and always f32 once read.
  public var isNorm: Bool {
    switch self {
    case .finalNorm, .attentionNorm, .queryNorm, .keyNorm, .postAttentionNorm, .feedForwardNorm,
      .postFeedForwardNorm:
      true
    default: false
    }
  }
}

/// The one name of a tensor in Facet: its role and, unless it is global, its layer.
public struct TensorName: Hashable, Sendable, CustomStringConvertible {
  /// What the tensor does.
  public let role: TensorRole
  /// The layer it belongs to, from 0; nil for the embedding, the head and the final norm.
  public let layer: Int?

  /// Names the tensor `role` of `layer`.
  public init(_ role: TensorRole, layer: Int? = nil) {
    self.role = role
    self.layer = layer
  }

  /// The layer that `digits` of a name in a file mean; nil when no writer would put it so.
  static func layer(_ digits: Substring) -> Int? {
    guard let layer = Int(digits), layer >= 0, String(layer) == digits else { return nil }
    return layer
  }

  /// The text for people.
  public var description: String {
    layer.map { "layer \($0) \(role.rawValue)" } ?? role.rawValue
  }
}
