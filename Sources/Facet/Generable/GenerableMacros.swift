// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  /// Makes a struct or an enumeration ``Generable`` as it is written.
  ///
  /// ```swift
  /// @Generable(description: "A place to see")
  /// struct Sight {
  ///   @Guide(description: "Its name in English") var name: String
  ///   @Guide(.range(1...5)) var stars: Int
  ///   var openingHours: [String]?
  /// }
  /// ```
  ///
  /// A struct gets `PartiallyGenerated`, with the same properties, all of them optional. Stored properties
  /// are members under their own names or those of `CodingKeys`. An enumeration whose cases hold nothing is
  /// one of their names or raw values; one whose cases hold values is coded as Swift codes it.
  @attached(
    member, conformances: Decodable, names: named(generationOutline), named(PartiallyGenerated),
    named(init(from:)))
  @attached(extension, conformances: Generable, Decodable)
  public macro Generable(description: String? = nil) =
    #externalMacro(module: "FacetMacros", type: "GenerableMacro")

  /// Says of a property of a `@Generable` struct what it is.
  @attached(peer)
  public macro Guide(description: String) =
    #externalMacro(module: "FacetMacros", type: "GuideMacro")

  /// Says of a property of a `@Generable` struct what its values must be like, and what it is.
  @attached(peer)
  public macro Guide<Value>(description: String? = nil, _ guides: GenerationGuide<Value>...) =
    #externalMacro(module: "FacetMacros", type: "GuideMacro")
#endif
