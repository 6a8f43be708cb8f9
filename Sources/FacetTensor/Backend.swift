// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The operations a model is made of.
///
/// Coarse on purpose: each is a whole step of the forward pass, so that a backend may split it over
/// threads, fuse it, or send it to another device. Tensors are handles; values are asked for only
/// at the door (logits).
///
/// Shapes: T tokens, D width, F feed-forward width, N query heads, K key-value heads, H head width.
/// Every activation is f32. Shapes are the caller's contract, checked with `precondition`.
package protocol Backend: Sendable {
  /// How exactly this backend computes.
  var precision: Precision { get }

  /// output [T, D] = scale · table[tokens]; `tokens` are below `table.rows`.
  func embed(_ tokens: [Int32], table: Tensor, scale: Float, into output: Tensor)

  /// output = input / rms(input) · weight, row by row.
  ///
  /// input [T, D], weight [D]. In place is allowed.
  func rmsNorm(_ input: Tensor, weight: Tensor, epsilon: Float, into output: Tensor)

  /// outputs[i] [T, out] = input [T, in] · weights[i]ᵀ; matrices that share an input go together.
  ///
  /// `role` tells what rounding there would cost; an exact backend need not look.
  func linear(_ input: Tensor, _ weights: [Tensor], as role: MatrixRole, into outputs: [Tensor])

  /// output [T, F] = activation(input · gateᵀ) ⊙ (input · upᵀ).
  func gatedLinear(
    _ input: Tensor, gate: Tensor, up: Tensor, activation: Activation, into output: Tensor)

  /// Angles of `positions` as cosines and sines [T, H/2] each.
  func rotaryAngles(_ rotary: Rotary, positions: [Int], cosines: Tensor, sines: Tensor)

  /// Per head of `heads` [T, n·H]: RMS norm by `weight` [H] if there is one, then rotation.
  func rotate(
    _ heads: Tensor, headWidth: Int, norm: Tensor?, epsilon: Float,
    cosines: Tensor, sines: Tensor, layout: RotaryLayout)

  /// Writes keys and values [T, K·H] of positions `first…` into a layer's cache.
  func store(keys: Tensor, values: Tensor, first: Int, into cache: LayerCache)

  /// output [T, N·H] = attention of each sequence's queries over its cache.
  func attention(
    _ queries: Tensor, over spans: [AttentionSpan], settings: AttentionSettings,
    into output: Tensor)

  /// In what a product of `tokens` rows with `weights` is computed.
  func arithmetic(of weights: Tensor, _ role: MatrixRole, tokens: Int) -> MatrixArithmetic

  /// x += y.
  func add(_ y: Tensor, to x: Tensor)

  /// x = cap · tanh(x / cap).
  func softCap(_ x: Tensor, cap: Float)
}

extension Backend {
  /// f32 unless a backend knows better.
  package func arithmetic(
    of weights: Tensor, _ role: MatrixRole, tokens: Int
  ) -> MatrixArithmetic { .f32 }
}

/// What the products of a matrix are computed in.
package enum MatrixArithmetic: Sendable, Hashable {
  case f32, bf16, int8
}

/// Where in the model a matrix stands.
package enum MatrixRole: Sendable, Hashable {
  /// To queries, keys and values: little work, felt everywhere.
  case attention
  /// From the heads back: as little, felt less.
  case attentionOutput
  /// Back from the feed-forward network: most of the work, with gate and up.
  case feedForward
  /// To the logits.
  case head
}

/// The nonlinearity between gate and up.
public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
  /// GELU in its tanh form (Gemma; "gelu" in a Gemma file always means this one).
  case geluTanh
  /// SiLU (Llama, Mistral).
  case silu
}

/// How rotary pairs lie in a head.
public enum RotaryLayout: String, Sendable, Hashable, Codable, CaseIterable {
  /// Pairs (i, i + H/2): Hugging Face files, every Gemma file.
  case halfSplit
  /// Pairs (2i, 2i + 1): Llama-architecture GGUF and llama2.c files.
  case interleaved
}

/// Rotary position embedding: angle of pair i at position p is p / scale · base^(-2i/H).
public struct Rotary: Sendable, Hashable, Codable {
  /// The base θ.
  public var base: Float
  /// Positions are divided by this (linear scaling; 1: none).
  public var scale: Float

  /// Makes a rotation of `base`, positions divided by `scale`.
  public init(base: Float, scale: Float = 1) {
    self.base = base
    self.scale = scale
  }
}

/// Which keys a query sees.
public enum AttentionMask: String, Sendable, Hashable, Codable, CaseIterable {
  /// Its own and those before it.
  case causal
  /// Those after it as well: the text is read as a whole, in one pass.
  case bidirectional
}

/// What attention of one layer needs to know beside its tensors.
package struct AttentionSettings: Sendable, Hashable {
  package var headWidth: Int
  package var queryHeads: Int
  /// Keys a query sees, itself included, and as many after it where the mask allows; nil: all.
  package var window: Int?
  package var mask: AttentionMask
  package var scale: Float
  package var softCap: Float?

  package init(
    headWidth: Int, queryHeads: Int, window: Int?, scale: Float, softCap: Float?,
    mask: AttentionMask = .causal
  ) {
    self.mask = mask
    self.headWidth = headWidth
    self.queryHeads = queryHeads
    self.window = window
    self.scale = scale
    self.softCap = softCap
  }
}

/// Rows of a batch that belong to one sequence, and that sequence's cache of the layer.
package struct AttentionSpan: Sendable {
  package var cache: LayerCache
  /// Rows of the batch.
  package var rows: Range<Int>
  /// Position of the first of them.
  package var first: Int

  package init(cache: LayerCache, rows: Range<Int>, first: Int) {
    self.cache = cache
    self.rows = rows
    self.first = first
  }
}
