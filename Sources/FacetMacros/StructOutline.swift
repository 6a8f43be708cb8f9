// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacros

  /// What a struct's conformance says.
  struct StructOutline {
    private let access: String
    private let description: String
    /// With their names in JSON.
    private let properties: [(key: String, property: StoredProperty)]

    init(
      _ declaration: StructDeclSyntax, _ attribute: AttributeSyntax,
      _ context: some MacroExpansionContext
    ) {
      access = declaration.modifiers.access
      description = attribute.descriptionArgument
      let keys = Self.codingKeys(of: declaration)
      properties = declaration.memberBlock.members
        .compactMap { $0.decl.as(VariableDeclSyntax.self) }
        .flatMap { StoredProperty.all(in: $0, context) }
        .compactMap { property in
          // What has no coding key is not coded.
          guard let keys else { return (property.name, property) }
          return keys[property.name].map { ($0, property) }
        }
    }

    /// The names in JSON that `CodingKeys` gives, where there is one.
    private static func codingKeys(of declaration: StructDeclSyntax) -> [String: String]? {
      let enumerations = declaration.memberBlock.members.compactMap {
        $0.decl.as(EnumDeclSyntax.self)
      }
      guard let keys = enumerations.first(where: { $0.name.text == "CodingKeys" }) else {
        return nil
      }
      var names: [String: String] = [:]
      for element in keys.elements {
        let name = element.name.withoutBackticks
        names[name] = element.rawText ?? name
      }
      return names
    }

    var members: [String] { [outline, partial] }

    private var outline: String {
      let lines = properties.map { key, property in
        var arguments = "\(key.literal), \(property.type).self"
        if property.isOptional { arguments += ", isOptional: true" }
        if let description = property.description { arguments += ", description: \(description)" }
        if !property.guides.isEmpty {
          arguments += ", guides: [\(property.guides.joined(separator: ", "))]"
        }
        return "    Facet.GenerationOutline.Member(\(arguments)),\n"
      }
      return """
        \(access)static var generationOutline: Facet.GenerationOutline {
          .object(\(description)[
        \(lines.joined())  ])
        }
        """
    }

    private var partial: String {
      let variables = properties.map { _, property in
        "  \(property.access)var \(property.name.identifier): \(property.type).PartiallyGenerated?\n"
      }
      let values = properties.map { key, property in
        "    self.\(property.name.identifier) = members.value(\(key.literal))\n"
      }
      let members = properties.isEmpty ? "_" : "let members"
      return """
        \(access)struct PartiallyGenerated: Decodable, Sendable {
        \(variables.joined())  \(access)init(from decoder: any Decoder) throws {
            \(members) = try Facet.GrowingMembers(decoder)
        \(values.joined())  }
        }
        """
    }
  }

  extension EnumDeclSyntax {
    /// Its cases, in their order.
    var elements: [EnumCaseElementSyntax] {
      memberBlock.members.compactMap { $0.decl.as(EnumCaseDeclSyntax.self) }
        .flatMap { Array($0.elements) }
    }
  }

  extension EnumCaseElementSyntax {
    /// The raw value, where it is a text that is written out.
    var rawText: String? {
      guard let literal = rawValue?.value.as(StringLiteralExprSyntax.self),
        literal.segments.count == 1, case .stringSegment(let segment)? = literal.segments.first
      else { return nil }
      return segment.content.text
    }
  }

  extension String {
    /// The text as a literal of Swift.
    var literal: String { StringLiteralExprSyntax(content: self).trimmedDescription }

    /// The name as it is written where a keyword would be read otherwise.
    var identifier: String {
      Self.keywords.contains(self) ? "`\(self)`" : self
    }

    /// Names that cannot stand for a property without backticks.
    private static let keywords: Set<String> = [
      "Any", "as", "associatedtype", "break", "case", "catch", "class", "continue", "default",
      "defer", "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate",
      "for", "func", "guard", "if", "import", "in", "init", "inout", "internal", "is", "let", "nil",
      "operator", "precedencegroup", "private", "protocol", "public", "repeat", "rethrows",
      "return", "self", "Self", "static", "struct", "subscript", "super", "switch", "throw",
      "throws", "true", "try", "typealias", "var", "where", "while",
    ]
  }
#endif
