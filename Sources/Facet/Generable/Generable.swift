// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A type that a model can be made to answer with, in more detail than decoding alone tells.
///
/// `@Generable` writes the conformance (the trait `Macros` of the package brings it); by hand:
///
/// ```swift
/// struct Rating: Generable {
///   var stars: Int
///   static var generationOutline: GenerationOutline {
///     .object([GenerationOutline.Member("stars", Int.self, guides: [.range(1...5)])])
///   }
/// }
/// ```
///
/// Any other `Decodable` type will do as well, with the schema of what it decodes.
public protocol Generable: Decodable, Sendable {
  /// The value while it grows: for an object, one whose members are all optional.
  associatedtype PartiallyGenerated: Decodable & Sendable = Self

  /// What the JSON of a value looks like; by default what the type decodes.
  static var generationOutline: GenerationOutline { get }
}

extension Generable {
  /// What the type decodes.
  public static var generationOutline: GenerationOutline { .decoded }

  /// The schema of the type's JSON.
  public static var generationSchema: Schema { get throws { try Schema(of: Self.self) } }
}
