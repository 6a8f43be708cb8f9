// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  import SwiftSyntax
  import SwiftSyntaxBuilder

  /// What an enumeration's conformance says.
  struct EnumOutline {
    private let access: String
    private let name: String
    private let description: String
    private let elements: [EnumCaseElementSyntax]
    private let hasRawValues: Bool
    /// Whether it says itself that it is decoded, as Swift codes it.
    private let isDecodable: Bool

    init(_ declaration: EnumDeclSyntax, _ attribute: AttributeSyntax, isDecodable: Bool) {
      access = declaration.modifiers.access
      name = declaration.name.text
      description = attribute.descriptionArgument
      elements = declaration.elements
      hasRawValues =
        declaration.inheritanceClause?.inheritedTypes.first.map {
          Self.rawTypes.contains($0.type.trimmedDescription)
        } ?? false
      self.isDecodable = isDecodable
    }

    private static let rawTypes: Set<String> = [
      "String", "Int", "Int8", "Int16", "Int32", "Int64", "UInt", "UInt8", "UInt16", "UInt32",
      "UInt64",
    ]

    var isEmpty: Bool { elements.isEmpty }

    private var holdsValues: Bool { elements.contains { $0.parameterClause != nil } }

    var members: [String] {
      if hasRawValues { return [choices { "Self.\($0.name.text).rawValue" }] }
      if holdsValues || isDecodable { return [alternatives] }
      return [choices { $0.name.withoutBackticks.literal }, decoding]
    }

    /// One of the names or raw values.
    private func choices(_ value: (EnumCaseElementSyntax) -> String) -> String {
      """
      \(access)static var generationOutline: Facet.GenerationOutline {
        .choices(\(description)[\(elements.map(value).joined(separator: ", "))])
      }
      """
    }

    /// The cases as Swift codes them: an object with the name of the case and, in it, what it holds.
    private var alternatives: String {
      let lines = elements.map { element in
        let members = (element.parameterClause?.parameters ?? []).enumerated().map {
          index, parameter in
          let label = parameter.firstName.flatMap { $0.text == "_" ? nil : $0.withoutBackticks }
          let (type, isOptional) = parameter.type.withoutOptional
          return "Facet.GenerationOutline.Member(\((label ?? "_\(index)").literal), "
            + "\(type.trimmedDescription).self\(isOptional ? ", isOptional: true" : ""))"
        }
        return "    Facet.GenerationOutline.Alternative("
          + "\(element.name.withoutBackticks.literal), [\(members.joined(separator: ", "))]),\n"
      }
      return """
        \(access)static var generationOutline: Facet.GenerationOutline {
          .alternatives(\(description)[
        \(lines.joined())  ])
        }
        """
    }

    /// What reads the name of a case.
    private var decoding: String {
      let cases = elements.map {
        "  case \($0.name.withoutBackticks.literal): self = .\($0.name.text)\n"
      }
      return """
        \(access)init(from decoder: any Decoder) throws {
          let container = try decoder.singleValueContainer()
          switch try container.decode(String.self) {
        \(cases.joined())  default:
            throw DecodingError.dataCorruptedError(
              in: container, debugDescription: "This is the name of no case of '\(name)'.")
          }
        }
        """
    }
  }
#endif
