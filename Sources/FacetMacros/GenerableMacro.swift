// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  package import SwiftSyntax
  import SwiftSyntaxBuilder
  package import SwiftSyntaxMacros

  /// `@Generable`: writes the conformance of a struct or an enumeration.
  ///
  /// Members stand in the type itself, where the names around it are seen; an extension only says that it
  /// conforms.
  package struct GenerableMacro {}

  extension GenerableMacro: MemberMacro {
    /// What the type is, and what it is while it grows.
    package static func expansion(
      of node: AttributeSyntax, providingMembersOf declaration: some DeclGroupSyntax,
      conformingTo protocols: [TypeSyntax], in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
      let members: [String]
      if let declaration = declaration.as(StructDeclSyntax.self) {
        members = StructOutline(declaration, node, context).members
      } else if let declaration = declaration.as(EnumDeclSyntax.self) {
        let outline = EnumOutline(declaration, node, isDecodable: protocols.isEmpty)
        guard !outline.isEmpty else {
          MacroRefusal.diagnose(
            "'@Generable' needs at least one case: a model cannot write a value of an enumeration without "
              + "any.", at: node, in: context)
          return []
        }
        members = outline.members
      } else {
        MacroRefusal.diagnose(
          "'@Generable' is for structs and enumerations. Make this a struct, or write its 'Generable' "
            + "conformance by hand.", at: node, in: context)
        return []
      }
      return members.map { DeclSyntax(stringLiteral: $0) }
    }
  }

  extension GenerableMacro: ExtensionMacro {
    /// The conformance, unless the type has it or cannot have it.
    package static func expansion(
      of node: AttributeSyntax, attachedTo declaration: some DeclGroupSyntax,
      providingExtensionsOf type: some TypeSyntaxProtocol, conformingTo protocols: [TypeSyntax],
      in context: some MacroExpansionContext
    ) throws -> [ExtensionDeclSyntax] {
      let cases = declaration.as(EnumDeclSyntax.self)?.elements
      guard !protocols.isEmpty, cases?.isEmpty != true,
        declaration.is(StructDeclSyntax.self) || cases != nil
      else { return [] }
      let names = protocols.map(\.trimmedDescription).joined(separator: ", ")
      let source: DeclSyntax = "extension \(type.trimmed): \(raw: names) {}"
      return source.as(ExtensionDeclSyntax.self).map { [$0] } ?? []
    }
  }

  extension AttributeSyntax {
    /// What it says of the type, as an argument that is the first of a call.
    var descriptionArgument: String {
      guard case .argumentList(let arguments) = arguments,
        let description = arguments.first(where: { $0.label?.text == "description" })
      else { return "" }
      return "description: \(description.expression.trimmedDescription), "
    }
  }

  extension DeclModifierListSyntax {
    /// What must stand before members that are as visible as their type, with a space behind it.
    var access: String {
      for modifier in self where modifier.detail == nil {
        switch modifier.name.text {
        case "public", "package": return modifier.name.text + " "
        case "private", "fileprivate": return "fileprivate "
        default: continue
        }
      }
      return ""
    }
  }
#endif
