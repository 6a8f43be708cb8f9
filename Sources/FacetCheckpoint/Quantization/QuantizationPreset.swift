// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// What a model is converted to: one type for all matrices, or a mixture known by its name.
///
/// The mixtures are those of GGUF's custom: the embedding that is also the head, and in the K presets
/// values and down projections of some layers, lose most by coarse types and get finer ones.
public enum QuantizationPreset: String, Sendable, Hashable, CaseIterable, Codable {
  case q4_0 = "Q4_0"
  case q4_1 = "Q4_1"
  case q5_0 = "Q5_0"
  case q5_1 = "Q5_1"
  case q8_0 = "Q8_0"
  case q2_K = "Q2_K"
  case q3_K = "Q3_K"
  case q4_K_S = "Q4_K_S"
  case q4_K_M = "Q4_K_M"
  case q5_K_S = "Q5_K_S"
  case q5_K_M = "Q5_K_M"
  case q6_K = "Q6_K"
  case bf16 = "BF16"
  case f16 = "F16"
  case f32 = "F32"

  /// Reads a preset's name, upper or lower case; `Q3_K_M` is another name of `Q3_K`.
  public init(named name: String) throws(CheckpointError) {
    let upper = name.uppercased()
    guard let preset = QuantizationPreset(rawValue: upper == "Q3_K_M" ? "Q3_K" : upper) else {
      throw CheckpointError(
        .unsupported,
        "'\(name)' is no type that Facet converts to; it knows "
          + "\(QuantizationPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    self = preset
  }

  /// The type of most matrices.
  public var base: DType {
    switch self {
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    case .q5_0: .q5_0
    case .q5_1: .q5_1
    case .q8_0: .q8_0
    case .q2_K: .q2_K
    case .q3_K: .q3_K
    case .q4_K_S, .q4_K_M: .q4_K
    case .q5_K_S, .q5_K_M: .q5_K
    case .q6_K: .q6_K
    case .bf16: .bf16
    case .f16: .f16
    case .f32: .f32
    }
  }

  /// The number that GGUF files state as `general.file_type`.
  var fileType: UInt32 {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q4_0: 2
    case .q4_1: 3
    case .q8_0: 7
    case .q5_0: 8
    case .q5_1: 9
    case .q2_K: 10
    case .q3_K: 12
    case .q4_K_S: 14
    case .q4_K_M: 15
    case .q5_K_S: 16
    case .q5_K_M: 17
    case .q6_K: 18
    case .bf16: 32
    }
  }
}

extension QuantizationPreset {
  /// What the choice of a tensor's type depends on, beside its name.
  package struct Context: Sendable, Hashable {
    var layers: Int
    /// Query heads for each key-value head.
    var headsPerKeyValueHead: Int
    /// True when the head is the embedding.
    var tiedEmbeddings: Bool
    /// True when the importance of columns is known.
    var hasImportance: Bool

    package init(
      layers: Int, headsPerKeyValueHead: Int, tiedEmbeddings: Bool, hasImportance: Bool
    ) {
      self.layers = layers
      self.headsPerKeyValueHead = headsPerKeyValueHead
      self.tiedEmbeddings = tiedEmbeddings
      self.hasImportance = hasImportance
    }
  }

  /// The type of the matrix `name` whose rows have `columns` weights; norms are F32.
  package func dtype(of name: TensorName, columns: Int, _ context: Context) -> DType {
    if name.role.isNorm { return .f32 }
    return Self.fitting(wanted(name, context), columns: columns)
  }

  /// Importance that makes the rounding to Q4_0 search for its grid where a preset of two or three bits
  /// falls back to it: most of what such a model loses it loses there.
  ///
  /// On the default model, most of whose rows are no whole blocks, Q3_K then strays by a mean KL
  /// divergence of 0.153 from the original instead of 0.180, and Q2_K by 0.421 instead of 0.480.
  func evenImportance(for dtype: DType, columns: Int) -> [Float]? {
    guard dtype == .q4_0, base.blockSize == 256 else { return nil }
    return [Float](repeating: 1, count: columns)
  }

  /// The type by the preset's rules, before its blocks are held against the width.
  private func wanted(_ name: TensorName, _ context: Context) -> DType {
    guard base.isQuantized else { return base }
    let layer = name.layer ?? 0
    let isEarly = layer < context.layers / 8
    switch name.role {
    case .head: return base == .q8_0 ? .q8_0 : .q6_K
    case .embedding: return context.tiedEmbeddings && base != .q8_0 ? .q6_K : base
    case .value:
      switch self {
      case .q2_K: return context.headsPerKeyValueHead >= 4 ? .q4_K : .q3_K
      case .q3_K: return layer < 2 ? .q5_K : .q4_K
      case .q4_K_S: return layer < 4 ? .q5_K : .q4_K
      case .q4_K_M, .q5_K_M: return Self.isSensitive(layer, context.layers) ? .q6_K : base
      default: return base
      }
    case .down:
      switch self {
      case .q2_K: return .q3_K
      case .q3_K: return layer < context.layers / 16 ? .q5_K : .q4_K
      case .q4_K_S: return isEarly ? .q5_K : .q4_K
      case .q4_K_M, .q5_K_M: return Self.isSensitive(layer, context.layers) ? .q6_K : base
      // Weighted errors can leave single outliers of the first layers behind: a minimum helps.
      case .q4_0: return isEarly && context.hasImportance ? .q4_1 : .q4_0
      case .q5_0: return isEarly && context.hasImportance ? .q5_1 : .q5_0
      default: return base
      }
    case .attentionOutput:
      switch self {
      case .q2_K: return .q3_K
      case .q3_K: return .q4_K
      default: return base
      }
    default: return base
    }
  }

  /// The first and last eighth of the layers, and every third between.
  private static func isSensitive(_ layer: Int, _ layers: Int) -> Bool {
    let eighth = layers / 8
    return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2
  }

  /// `dtype`, or where rows are no whole blocks of it, the type of 32 that is nearest in size; F16
  /// where they are not even that.
  private static func fitting(_ dtype: DType, columns: Int) -> DType {
    if columns.isMultiple(of: dtype.blockSize) { return dtype }
    guard columns.isMultiple(of: 32) else { return .f16 }
    return switch dtype {
    case .q2_K, .q3_K: .q4_0
    case .q4_K: .q5_0
    case .q5_K: .q5_1
    default: .q8_0
    }
  }
}
