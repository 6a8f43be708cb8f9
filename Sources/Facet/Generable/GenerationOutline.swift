// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// What the JSON of a type looks like: members with their types, or a choice.
///
/// The types of members are asked in turn, so an outline may hold itself.
public struct GenerationOutline: Sendable {
  /// A member of an object.
  public struct Member: Sendable {
    let name: String
    let type: any (Decodable & Sendable).Type
    let isOptional: Bool
    let description: String?
    let constraints: [GuideConstraint]

    /// A member called `name` that holds a value of `type`.
    ///
    /// - Parameters:
    ///   - name: Its key in JSON.
    ///   - type: What it holds; for an optional member what it holds when it is there.
    ///   - isOptional: Whether it may be left out.
    ///   - description: What it is, for the model to read.
    ///   - guides: What its values must be like.
    public init<T: Decodable & Sendable>(
      _ name: String, _ type: T.Type, isOptional: Bool = false, description: String? = nil,
      guides: [GenerationGuide<T>] = []
    ) {
      self.name = name
      self.type = type
      self.isOptional = isOptional
      self.description = description
      constraints = guides.map(\.constraint)
    }
  }

  /// One of several forms: an object with a single member, whose name tells which form it is.
  ///
  /// That is how Swift codes the cases of enumerations with associated values.
  public struct Alternative: Sendable {
    let name: String
    let members: [Member]

    /// The form called `name`, with the members of what it holds.
    public init(_ name: String, _ members: [Member] = []) {
      self.name = name
      self.members = members
    }
  }

  enum Form: Sendable {
    case decoded
    case object([Member])
    case choices([JSON])
    case alternatives([Alternative])
  }

  let form: Form
  let description: String?

  /// What the type decodes, found out by asking it.
  public static let decoded = GenerationOutline(form: .decoded, description: nil)

  /// An object with these members and no others, in this order.
  public static func object(
    description: String? = nil, _ members: [Member]
  ) -> GenerationOutline {
    GenerationOutline(form: .object(members), description: description)
  }

  /// One of these texts.
  public static func choices(
    description: String? = nil, _ texts: [String]
  ) -> GenerationOutline {
    GenerationOutline(form: .choices(texts.map(JSON.string)), description: description)
  }

  /// One of these numbers.
  public static func choices<T: BinaryInteger>(
    description: String? = nil, _ numbers: [T]
  ) -> GenerationOutline {
    GenerationOutline(
      form: .choices(numbers.map { .integer(Int(clamping: $0)) }), description: description)
  }

  /// One of these forms.
  public static func alternatives(
    description: String? = nil, _ alternatives: [Alternative]
  ) -> GenerationOutline {
    GenerationOutline(form: .alternatives(alternatives), description: description)
  }
}
