// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  package import SwiftSyntax
  package import SwiftSyntaxMacros

  /// `@Guide`: read by `@Generable` around it; writes nothing itself.
  package struct GuideMacro: PeerMacro {
    /// Refuses to stand where nobody reads it.
    package static func expansion(
      of node: AttributeSyntax, providingPeersOf declaration: some DeclSyntaxProtocol,
      in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
      guard let variable = declaration.as(VariableDeclSyntax.self), variable.isMember,
        !variable.bindings.contains(where: \.isComputed)
      else {
        MacroRefusal.diagnose(
          "'@Guide' is for stored properties of a '@Generable' struct: nothing else is a member of its "
            + "JSON.", at: node, in: context)
        return []
      }
      return []
    }
  }
#endif
