// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What happens while a model is converted.
public enum ConversionEvent: Sendable, Hashable {
  /// The plan is made: so many tensors, so many bytes of weights, to be written as so many.
  case started(tensors: Int, byteCount: Int, convertedByteCount: Int)
  /// A tensor is about to be written.
  case tensor(ConvertedTensor)
  /// The file is complete and in its place.
  case finished(ConversionSummary)
}

/// One tensor of a conversion.
public struct ConvertedTensor: Sendable, Hashable, Codable {
  /// Its number in the file, from 0.
  public let index: Int
  /// Its name in the file.
  public let name: String
  /// Rows; 1 for a vector.
  public let rows: Int
  /// Numbers in a row.
  public let columns: Int
  /// The type it had, by its name.
  public let from: String
  /// The type it gets, by its name.
  public let to: String
  /// Bytes in the new file.
  public let byteCount: Int
  /// Whether the importance of its columns was known.
  public let usesImportance: Bool
}

/// What a conversion made.
public struct ConversionSummary: Sendable, Hashable, Codable {
  /// The new file.
  public let path: String
  /// The preset's name.
  public let preset: String
  /// Tensors written.
  public let tensors: Int
  /// Weights written.
  public let weights: Int
  /// Bytes of the weights before.
  public let byteCount: Int
  /// Bytes of the weights now.
  public let convertedByteCount: Int
  /// Bits that a weight takes now, on average.
  public var bitsPerWeight: Double {
    weights > 0 ? 8 * Double(convertedByteCount) / Double(weights) : 0
  }
}
