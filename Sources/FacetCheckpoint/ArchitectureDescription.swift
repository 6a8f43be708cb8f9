// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// The hyper-parameters of a model exactly as its file states them; nil where the file is silent.
///
/// ``ModelConfiguration`` of FacetModel fills in the defaults of each family.
public struct ArchitectureDescription: Sendable, Hashable {
  /// `gemma`, `gemma2`, `gemma3`, `llama` or `mistral`.
  public var architecture: String
  /// The model's name, when the file has one.
  public var name: String?
  /// Transformer layers.
  public var layers: Int
  /// Width of the residual stream, D.
  public var width: Int
  /// Width of one branch of the feed-forward network, F.
  public var feedForwardWidth: Int
  /// Query heads, H.
  public var queryHeads: Int
  /// Key and value heads, K.
  public var keyValueHeads: Int
  /// Width of a head, h; never D/H unless the file's format says so.
  public var headWidth: Int?
  /// Rows of the embedding.
  public var vocabulary: Int?
  /// Tokens the model was trained to see at once.
  public var contextLength: Int?
  /// The ε of every RMS norm.
  public var normEpsilon: Float?
  /// Base of the rotary frequencies (of the global layers, where the two kinds differ).
  public var ropeBase: Float?
  /// Base of the rotary frequencies of sliding-window layers.
  public var localRopeBase: Float?
  /// Positions of global layers are divided by this.
  public var ropeScale: Float?
  /// Keys that a sliding-window layer sees, itself included.
  public var slidingWindow: Int?
  /// True when tokens also see those after them: the model encodes texts and generates none.
  ///
  /// A sliding window then lies around a token, half of it on each side.
  public var isBidirectional = false
  /// Per layer: true when it has the sliding window.
  public var slidingWindowPattern: [Bool]?
  /// Every how many layers comes a global one; the last of each period is global.
  public var slidingWindowPeriod: Int?
  /// Cap on attention scores.
  public var attentionSoftCap: Float?
  /// Cap on logits.
  public var finalSoftCap: Float?
  /// The attention scale is this to the power −½.
  public var queryPreAttentionScalar: Float?
  /// True when the output head is the embedding.
  public var tiedEmbeddings: Bool?
  /// The standard deviation of weights that have learned nothing yet.
  public var initializerRange: Float?
  /// The activation's name as the file writes it.
  public var activation: String?
  /// How queries and keys are laid out for rotary embedding.
  public var rotaryLayout: RotaryLayout

  /// Describes an architecture by what every file must state; the rest starts as nil.
  public init(
    architecture: String, layers: Int, width: Int, feedForwardWidth: Int, queryHeads: Int,
    keyValueHeads: Int, rotaryLayout: RotaryLayout = .halfSplit
  ) {
    self.architecture = architecture
    self.layers = layers
    self.width = width
    self.feedForwardWidth = feedForwardWidth
    self.queryHeads = queryHeads
    self.keyValueHeads = keyValueHeads
    self.rotaryLayout = rotaryLayout
  }
}
