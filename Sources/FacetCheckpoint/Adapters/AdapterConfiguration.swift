// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a low-rank adapter changes and how strongly: W + scale · B · A (Hu 2021, LoRA).
public struct AdapterConfiguration: Sendable, Hashable, Codable {
  /// Rows of A and columns of B, r.
  public var rank: Int
  /// The product of B and A is scaled by this over r.
  public var alpha: Float
  /// The share of an adapter's inputs that is left out while it is trained.
  public var dropout: Float
  /// True: over √r instead of r (Kalajdzievski 2023), so that high ranks keep their weight.
  public var usesRSLoRA: Bool
  /// True: the rows of the sum have lengths of their own (Liu 2024, DoRA).
  public var usesDoRA: Bool
  /// Other ranks for some modules, by PEFT's patterns over names such as
  /// `model.layers.0.self_attn.q_proj`; of several that match the longest holds.
  public var rankPattern: [String: Int]
  /// Other alphas for some modules, likewise.
  public var alphaPattern: [String: Float]
  /// The matrices that are changed.
  public var targetRoles: Set<TensorRole>
  /// The layers that are changed; nil: all.
  public var layers: Set<Int>?
  /// The name of the model that the adapter was made for, where it is known.
  public var baseModel: String?

  /// All linear matrices of a layer: where adapters of a low rank lose least.
  public static let linearRoles: Set<TensorRole> = [
    .query, .key, .value, .attentionOutput, .gate, .up, .down,
  ]

  /// An adapter of `rank` on all linear matrices of all layers, unless said otherwise.
  public init(
    rank: Int = 8, alpha: Float = 8, dropout: Float = 0,
    targetRoles: Set<TensorRole> = AdapterConfiguration.linearRoles, layers: Set<Int>? = nil
  ) {
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targetRoles = targetRoles
    self.layers = layers
    usesRSLoRA = false
    usesDoRA = false
    rankPattern = [:]
    alphaPattern = [:]
  }

  /// True when the adapter changes the matrix `name`.
  public func targets(_ name: TensorName) -> Bool {
    guard targetRoles.contains(name.role) else { return false }
    guard let layer = name.layer, let layers else { return true }
    return layers.contains(layer)
  }

  /// The rank for the matrix `name`.
  public func rank(of name: TensorName) -> Int {
    Self.value(rankPattern, for: name) ?? rank
  }

  /// The alpha for the matrix `name`.
  public func alpha(of name: TensorName) -> Float {
    Self.value(alphaPattern, for: name) ?? alpha
  }

  /// What the product of B and A of the matrix `name` is multiplied by.
  public func scale(of name: TensorName) -> Float {
    let rank = Float(rank(of: name))
    return alpha(of: name) / (usesRSLoRA ? rank.squareRoot() : rank)
  }

  /// Refuses values that no adapter can have, with a sentence that names them.
  public func validate() throws(CheckpointError) {
    for rank in [rank] + rankPattern.values.sorted() where !Self.ranks.contains(rank) {
      throw Self.impossible(
        "a rank of \(rank); it must lie between \(Self.ranks.lowerBound) and "
          + "\(Self.ranks.upperBound)")
    }
    for alpha in [alpha] + alphaPattern.values.sorted() where !(alpha.isFinite && alpha > 0) {
      throw Self.impossible("an alpha of \(alpha); it must be a positive number")
    }
    guard dropout >= 0, dropout < 1 else {
      throw Self.impossible("a dropout of \(dropout); it must lie between 0 and 1")
    }
    guard !targetRoles.isEmpty, layers.map({ !$0.isEmpty }) ?? true else {
      throw Self.impossible("nothing to change; name at least one matrix and one layer")
    }
    let foreign = targetRoles.subtracting(Self.linearRoles).subtracting([.head])
    if let role = foreign.map(\.rawValue).min() {
      throw Self.impossible(
        "the target '\(role)'; only matrices between activations can be adapted")
    }
    let patterns = Array(rankPattern.keys) + Array(alphaPattern.keys)
    for pattern in patterns.sorted() where ModulePattern(pattern) == nil {
      throw Self.impossible("the pattern '\(pattern)', which is no pattern over names of modules")
    }
  }

  /// What a rank can be.
  static let ranks = 1...65536

  private static func impossible(_ what: String) -> CheckpointError {
    CheckpointError(.unsupported, "The adapter has \(what).")
  }

  private static func value<T>(_ patterns: [String: T], for name: TensorName) -> T? {
    guard !patterns.isEmpty else { return nil }
    let module = HuggingFaceNames.module(name)
    return
      patterns
      .filter { ModulePattern($0.key)?.matches(module) ?? false }
      .max { ($0.key.utf8.count, $1.key) < ($1.key.utf8.count, $0.key) }?.value
  }
}

extension HuggingFaceNames {
  /// The name of the module that holds the matrix `name`: `model.layers.0.self_attn.q_proj`.
  static func module(_ name: TensorName) -> String {
    // The names of matrices are those of every architecture.
    let text = HuggingFaceNames(architecture: "gemma3").string(name)
    return String(text.dropLast(".weight".count))
  }
}
